"""Starts the app for several people: checks the settings, listens, and says so."""

import asyncio
import contextlib
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import httpx

from coderunner.access import listening
from coderunner.access.access_settings import keep_people_apart
from coderunner.access.base_path import BasePath
from coderunner.access.origins import LOOPBACK, App, OriginCheck, Receive, Scope, Send
from coderunner.errors import SettingsError
from coderunner.hosts.team.forwarding import Forwarding
from coderunner.hosts.team.front import Admission, Front
from coderunner.hosts.team.people import RESTING, People
from coderunner.hosts.team.person_process import MODULE, Starter, public_name
from coderunner.hosts.team.reverse_proxy import ReverseProxy
from coderunner.page.server.static_files import PUBLIC
from coderunner.settings.settings import Settings

RIGHTS = 0o660
"""Of our socket: for us, and for the group that its folder gives it to, which is the proxy's."""
LONGEST = 90
"""Bytes of the folder of sockets: of a socket's path Linux allows 107, macOS 103."""


def run(settings: Settings) -> None:
    """Run the app behind a reverse proxy until Ctrl-C or SIGTERM.

    Raises SettingsError if the settings do not allow it.
    """
    allow(settings)
    prove_itself(settings)
    serve_people(settings, ReverseProxy(settings.user_header, settings.proxy_secret))


def serve_people(settings: Settings, admission: Admission) -> None:
    """Run the app for whom `admission` lets in; the apps of all people end with it. Raises SettingsError."""
    listener = listen(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, admission, listener))


def prove_itself(settings: Settings) -> None:
    """Refuse settings with which anybody could say who they are; raises SettingsError."""
    if not settings.proxy_secret and settings.socket is None:
        raise SettingsError(
            f"user_header is {settings.user_header}, but nothing proves that a request comes from your "
            "reverse proxy, and every program of this machine could send that header; set proxy_secret_file, "
            "or let the app listen on a Unix socket with --socket"
        )


def allow(settings: Settings, *, apart: bool = False) -> None:
    """Refuse settings that would let people see what is another's.

    `apart`: their code runs on servers of their own. Raises SettingsError.
    """
    if sys.platform == "win32":
        raise SettingsError("the app for several people needs Unix sockets, which this system does not have")
    if settings.user_header and settings.hub:
        raise SettingsError("user_header and hub both say who people are; keep one")
    if not settings.public_url:
        raise SettingsError(
            "the app is for several people, so public_url has to say at which address browsers reach it, "
            "such as https://chat.example.org"
        )
    if settings.records_url:
        raise SettingsError(
            "records_url is one database for all, but each person's records are in a file of that person's "
            "own; remove records_url"
        )
    keep_people_apart(settings, sandbox=not apart)


def listen(settings: Settings) -> socket.socket:
    """Open the socket of the app; raises SettingsError."""
    if settings.socket is not None:
        return listening.listen_at(settings.socket.expanduser(), mode=RIGHTS)
    if settings.host.strip("[]") not in LOOPBACK:
        raise SettingsError(
            f"host is {settings.host}, but what people and their proxy send would cross the network "
            "unencrypted; let the app listen on this machine only, or on a Unix socket with --socket"
        )
    return listening.listen(settings.host, settings.port)


def front(
    settings: Settings, admission: Admission, sockets: Path, module: str = MODULE, *, resting: float = RESTING
) -> App:
    """The ASGI app; the apps of people listen in the folder `sockets`, which only we can enter.

    Each is the `main` of the `module`; one may make room for another after `resting` seconds without a page.
    """
    hosts = [public_name(settings)]
    inside = Front(
        admission,
        People(
            Starter(settings, sockets, module),
            most=settings.max_people,
            idle=settings.people_idle * 60,
            resting=resting,
        ),
        Forwarding(httpx.URL(settings.public_url).scheme, settings.user_header),
        hosts,
    )
    checked = OriginCheck(inside, hosts, public=PUBLIC)
    return BasePath(checked, settings.base_path) if settings.base_path else checked


async def _serve(settings: Settings, admission: Admission, listener: socket.socket) -> None:
    async def tell() -> None:
        before = "Hub" if settings.hub else "reverse proxy"
        at = settings.socket or listening.address(settings.host, listener)
        sys.stdout.write(
            f"CodeRunner is at {settings.public_url} for everybody whom the {before} names.\n"
            f"It listens at {at} (press Ctrl-C to stop)\n"
        )
        sys.stdout.flush()

    sockets = _folder()
    app = front(settings, admission, sockets)

    async def ending(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            # Not after `serve`: a signal that ends the server ends the process there.
            if scope["type"] == "lifespan":
                shutil.rmtree(sockets, ignore_errors=True)

    await listening.serve(ending, listener, tell)


def _folder() -> Path:
    """A new folder for sockets, which only we can enter."""
    chosen = tempfile.gettempdir() if len(tempfile.gettempdir()) < LONGEST - 30 else "/tmp"  # noqa: S108
    return Path(tempfile.mkdtemp(prefix="coderunner-people-", dir=chosen))
