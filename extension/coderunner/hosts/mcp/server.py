"""Starts the server: on stdin and stdout for one client, or at an address for clients with a key."""

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

from coderunner.access import access_settings, listening
from coderunner.access.authentication import CHALLENGE, Authentication
from coderunner.access.origins import App, OriginCheck
from coderunner.errors import SettingsError
from coderunner.hosts.mcp.client_sessions import ClientSessions
from coderunner.hosts.mcp.closable_stdin import ClosableStdin
from coderunner.hosts.mcp.file_tools import LARGEST_CALL
from coderunner.hosts.mcp.scopes import grants
from coderunner.hosts.mcp.scopes.grants import Grants
from coderunner.hosts.mcp.scopes.issuer_keys import is_safe
from coderunner.hosts.mcp.scopes.scopes import listed
from coderunner.hosts.mcp.scopes.token_gate import TokenGate
from coderunner.hosts.mcp.tools import serving
from coderunner.runner import approval_of, location_of, spoken
from coderunner.settings.settings import DEFAULT, Settings

PORT = 7863
"""The default, next to the app's and the proxy's."""

WHAT = "MCP server"
MANY = 2
"""Users of an issuer: nobody knows how many there are."""


def run(settings: Settings, *, http: bool) -> None:
    """Serve one client on stdin and stdout, or with `http` all that have a key, until it is stopped.

    Raises SettingsError if the settings do not allow it.
    """
    if settings.approve == "off":
        message = f"{settings.source('approve')} is off, so nothing would run; set it to auto or ask"
        raise SettingsError(message)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_serve_many(settings) if http else _serve_one(settings))
    if not http and sys.platform != "win32":
        # All is closed: a late SIGTERM of the client must not look like a failure.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


async def _serve_one(settings: Settings) -> None:
    """Serve the client that started this process; its kernels end with it."""
    if sys.platform != "win32":
        # A client may terminate us instead of closing stdin, and our kernels on a server would keep running.
        # So a signal closes stdin, and the server ends in order.
        stdin, loop = ClosableStdin(), asyncio.get_running_loop()
        for ends in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(ends, stdin.close)
    async with _sessions(settings, keep=False, finds=True) as sessions:
        alone, language = secrets.token_hex(8), spoken(await sessions.where())
        try:
            ask = approval_of(settings) == "ask"
            await serving(sessions, ask=ask, alone=alone, language=language).run_stdio_async()
        except* (BrokenPipeError, ConnectionError):
            pass  # The client no longer reads.


async def _serve_many(settings: Settings) -> None:
    issuer, scoped = settings.oauth_issuer, bool(settings.scoped_key)
    access_settings.allow(settings, WHAT, keys=bool(issuer) or scoped)
    if issuer and not is_safe(issuer):
        message = f"oauth_issuer is {issuer}, whose keys could be changed on the way; it begins with https://"
        raise SettingsError(message)
    if issuer and not settings.server:
        access_settings.keep_apart(settings, MANY)
    known = None if issuer else grants.load(settings, WHAT, _say)
    port = PORT if settings.source("port") == DEFAULT else settings.port
    listener = listening.listen(settings.host, port)
    address = f"{listening.address(settings.host, listener)}/mcp"

    async def tell() -> None:
        _say(f"CodeRunner is at {address} (press Ctrl-C to stop)")

    # uvicorn raises its signal again at its end, which must not interrupt our own cleanup.
    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, lambda *_: None)
    async with _sessions(settings, keep=True) as sessions:
        public = f"{settings.public_url}/mcp" if settings.public_url else address
        await listening.serve(guarded(settings, sessions, known, public), listener, tell)


def guarded(settings: Settings, sessions: ClientSessions, known: Grants | None, address: str) -> OriginCheck:
    """The server behind our own check of Host and Origin, which replaces the SDK's.

    `known`: its keys; None: clients have tokens of an issuer for `address`.
    """
    language = spoken(location_of(settings))
    app = serving(sessions, ask=approval_of(settings) == "ask", language=language).streamable_http_app(
        host=settings.host,
        max_request_body_size=LARGEST_CALL,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return OriginCheck(
        _with_tokens(settings, app, address) if known is None else _with_keys(settings, app, known),
        access_settings.names(settings),
        headers=access_settings.HEADERS,
        origins=access_settings.origins(settings),
    )


def _with_tokens(settings: Settings, app: App, address: str) -> App:
    attached = bool(settings.attach)
    return TokenGate(app, settings.oauth_issuer, address, attached=attached, largest=LARGEST_CALL)


def _with_keys(settings: Settings, app: App, known: Grants) -> App:
    def user(owner: str) -> dict[str, object]:
        """The user in the SDK's format, so that it gives a transport session only to its owner."""
        grant = known.of(owner)
        token = AccessToken(token="", client_id=grant.owner, scopes=listed(grant.scopes))
        return {"user": AuthenticatedUser(token)}

    refuse, unknown = (
        PlainTextResponse(f"{said(settings, 'server')}\n", 401, CHALLENGE)
        for said in (access_settings.key_wanted, access_settings.key_unknown)
    )
    return Authentication(app, known.api_keys, refuse=refuse, unknown=unknown, known=user)


@contextlib.asynccontextmanager
async def _sessions(settings: Settings, *, keep: bool, finds: bool = False) -> AsyncGenerator[ClientSessions]:
    sessions = ClientSessions(settings, keep=keep, finds=finds)
    try:
        yield sessions
    finally:
        await sessions.close()


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
