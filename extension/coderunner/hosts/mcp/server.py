"""How the server is opened: on the streams of the program that started it, or at an address, for keys."""

import asyncio
import contextlib
import secrets
import signal
import sys
from collections.abc import AsyncGenerator

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse

from coderunner.access import listening, startup_checks
from coderunner.access.api_keys import ApiKeys
from coderunner.access.authentication import CHALLENGE, Authentication
from coderunner.access.origins import OriginCheck
from coderunner.errors import SettingsError
from coderunner.hosts.mcp.client_sessions import ClientSessions
from coderunner.hosts.mcp.stdin_stream import StdinStream
from coderunner.hosts.mcp.tools import serving
from coderunner.settings.settings import DEFAULT, Settings

PORT = 7863
"""Where nobody chose one: beside the app's and the proxy's."""

WHAT = "MCP server"

NO_KEY = "Send the server's key as `Authorization: Bearer …`; the server's terminal shows its file.\n"


def run(settings: Settings, *, http: bool) -> None:
    """Serve one client on stdin and stdout, or with `http` all that have a key, until it is enough.

    Raises SettingsError where it cannot, or must not, be opened as it is set.
    """
    if settings.approve == "off":
        message = f"{settings.source('approve')} is off, so nothing would run; set it to auto or ask"
        raise SettingsError(message)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve_many(settings) if http else _serve_one(settings))
    if not http and sys.platform != "win32":
        # All is done; a client that loses its patience now would only make that look like a failure.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


async def _serve_one(settings: Settings) -> None:
    """The client is who started us; its kernels end with it."""
    if sys.platform != "win32":
        # A client that is in a hurry terminates us, and may have left already: our kernels on a server would
        # stay. So a signal is the end of what it says, and nothing cuts our end short.
        stdin, loop = StdinStream(), asyncio.get_running_loop()
        for ends in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(ends, stdin.close)
    async with _sessions(settings, keep=False) as sessions:
        alone = secrets.token_hex(8)
        try:
            await serving(sessions, ask=settings.approval == "ask", alone=alone).run_stdio_async()
        except* (BrokenPipeError, ConnectionError):
            pass  # It reads no more.


async def _serve_many(settings: Settings) -> None:
    startup_checks.allow(settings, WHAT)
    api_keys = startup_checks.load_api_keys(settings, WHAT, _say)
    port = PORT if settings.source("port") == DEFAULT else settings.port
    listener = listening.listen(settings.host, port)

    async def tell() -> None:
        _say(f"CodeRunner is at {listening.address(settings.host, listener)}/mcp (press Ctrl-C to stop)")

    # uvicorn raises the signal that ended it once more when it is done; nothing is to cut our own end short.
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, lambda *_: None)
    async with _sessions(settings, keep=True) as sessions:
        await listening.serve(guarded(settings, sessions, api_keys), listener, tell)


def guarded(settings: Settings, sessions: ClientSessions, api_keys: ApiKeys) -> OriginCheck:
    """The server behind its gate, which looks at Host and Origin in place of the SDK's own."""
    app = serving(sessions, ask=settings.approval == "ask").streamable_http_app(
        host=settings.host,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    authentication = Authentication(
        app, api_keys, refuse=PlainTextResponse(NO_KEY, 401, CHALLENGE), known=_known
    )
    return OriginCheck(
        authentication,
        startup_checks.names(settings),
        headers=startup_checks.HEADERS,
        origins=startup_checks.origins(settings),
    )


def _known(owner: str) -> dict[str, object]:
    """As the SDK knows people: so it gives a transport session to nobody but who began it, either."""
    return {"user": AuthenticatedUser(AccessToken(token="", client_id=owner, scopes=[]))}


@contextlib.asynccontextmanager
async def _sessions(settings: Settings, *, keep: bool) -> AsyncGenerator[ClientSessions]:
    sessions = ClientSessions(settings, keep=keep)
    try:
        yield sessions
    finally:
        await sessions.close()


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
