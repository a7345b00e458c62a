"""The process of one person's app, as the front starts, watches and ends it."""

import asyncio
import json
import logging
import secrets
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from coderunner.errors import CodeRunnerError
from coderunner.hosts.team.handover import BUSY, CACHE, KEY_HEADER, READY, YES, Handover
from coderunner.hosts.team.reverse_proxy import OwnServer, Person
from coderunner.private_folders import make_private
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

STARTING = 90.0
"""Seconds for an app to start: three as a rule, many where a cold disk or all of a team starts at once."""
ENDING = 20.0
"""Seconds for an app to end: it tells its pages, saves, and shuts its kernels down."""
ASKING = 5.0
"""Seconds for an app to say whether it is busy."""
MODULE = "coderunner.hosts.team.private_app"
RUN = "import sys; sys.path[:] = sys.argv[1:]; del sys.argv[1:]; from {module} import main; main()"
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For the way to an app, which has none; httpx would read the machine's certificates for each request."""
WHOSE = "person.json"
"""Says in each person's folder whose it is: its name does not tell."""


class NotStartedError(CodeRunnerError):
    """A person's app could not be started."""


@dataclass(slots=True)
class PersonProcess:
    """A process that has started, and answers on its socket."""

    socket: Path
    key: Secret
    process: asyncio.subprocess.Process
    open: int = 0
    """Requests and sockets of the person's pages that are being served."""
    used: float = field(default_factory=time.monotonic)
    """When the last one ended, by `time.monotonic()`."""

    async def hand_over(self, told: Handover) -> None:
        """Tell it whose it is, and wait until it answers. Raises NotStartedError."""
        to, back = self.process.stdin, self.process.stdout
        if to is None or back is None:
            raise NotStartedError("it has no pipes")
        to.write(told.written())
        with suppress(OSError):  # it has ended already, which the next line says better
            await to.drain()
        if await back.readline() != READY:
            code = await self.process.wait()
            raise NotStartedError(f"its process ended with the code {code}")

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.returncode is None

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Count a request for as long as it is served."""
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1
            self.used = time.monotonic()

    def transport(self) -> httpx.AsyncHTTPTransport:
        """The way to the app. A connection for each request: one that was kept could just be closing."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        return httpx.AsyncHTTPTransport(uds=str(self.socket), limits=limits, verify=WITHOUT_TLS)

    async def busy(self) -> bool:
        """Whether code runs in it; one that does not answer in time counts as busy."""
        headers = {KEY_HEADER: self.key.reveal()}
        async with httpx.AsyncClient(transport=self.transport(), timeout=ASKING) as client:
            try:
                return (await client.get(f"http://app{BUSY}", headers=headers)).text == YES
            except httpx.HTTPError:
                return self.alive

    async def end(self, *, at_once: bool = False) -> None:
        """End the process, in order if it does so in time; returns when it has ended."""
        with suppress(ProcessLookupError):
            self.process.kill() if at_once else self.process.terminate()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), ENDING)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        with suppress(OSError):
            self.socket.unlink(missing_ok=True)


class Starter:
    """Starts the apps of people. One process is always ahead: it has imported what takes seconds."""

    def __init__(self, settings: Settings, sockets: Path, module: str = MODULE) -> None:
        """The apps, each the `main` of `module`, listen in the folder `sockets`, which only we can enter."""
        self._settings = settings
        self._sockets = sockets
        self._module = module
        self._spare: asyncio.Task[asyncio.subprocess.Process] | None = None

    def prepare(self) -> None:
        """Have a process started for whoever comes next; returns at once."""
        if self._spare is None:
            self._spare = asyncio.create_task(_spawn(self._module))

    async def start(self, person: Person) -> PersonProcess:
        """Start the app of a person and wait until it answers; raises NotStartedError."""
        home = self._settings.data_dir / "people" / person.folder
        try:
            _make_home(home, person)
        except OSError as failure:
            raise NotStartedError(f"{home} cannot be written: {failure.strerror}") from failure
        key = Secret(secrets.token_urlsafe(32))
        # Not the folder's name, which is as long as a socket's path may be.
        socket = self._sockets / secrets.token_hex(8)
        started = PersonProcess(socket, key, await self._process())
        told = Handover(of_one(self._settings, home, person.server), socket, key, self._settings.data_dir)
        try:
            await asyncio.wait_for(started.hand_over(told), STARTING)
        except BaseException as failure:
            await asyncio.shield(started.end(at_once=True))
            if isinstance(failure, TimeoutError):
                raise NotStartedError(f"it did not answer within {STARTING:.0f} seconds") from failure
            raise
        started.used = time.monotonic()
        self.prepare()
        return started

    async def _process(self) -> asyncio.subprocess.Process:
        """The one that is ahead, or a new one."""
        spare, self._spare = self._spare, None
        try:
            process = await spare if spare is not None else None
            return (
                process if process is not None and process.returncode is None else await _spawn(self._module)
            )
        except OSError as failure:
            raise NotStartedError(f"no process can be started: {failure.strerror}") from failure

    async def close(self) -> None:
        """End the one that is ahead."""
        if self._spare is None:
            return
        spare, self._spare = self._spare, None
        with suppress(OSError):
            process = await spare
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _spawn(module: str) -> asyncio.subprocess.Process:
    """A process that imports what it needs and then waits to be told whose it is. Raises OSError."""
    return await asyncio.create_subprocess_exec(
        # It imports from where we do, and from no folder that it happens to be started in.
        *(sys.executable, "-P", "-c", RUN.format(module=module), *sys.path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C in the front's terminal is for the front, which ends them in order.
        start_new_session=True,
    )


def of_one(settings: Settings, home: Path, server: OwnServer | None = None) -> Settings:
    """The settings of one person's app, from those of all; its code runs on `server`, if there is one."""
    place = {} if server is None else {"server": server.url, "token": server.token, "token_file": None}
    return settings.model_copy(
        update={
            **place,
            "data_dir": home,
            "max_kernels": settings.max_kernels_each or settings.max_kernels,
            # What it answers to; it listens on its socket only.
            "host": public_name(settings),
            # The front has asked for everything that a login would ask for.
            "login": False,
            "open_browser": "no",
            # Whoever chooses this machine in the form, too, gets no kernel without one.
            "sandbox": "on",
            "user_header": "",
            "hub": False,
            # Keys of other hosts and of the proxy are no business of a person's process.
            "api_key": Secret(),
            "scoped_key": Secret(),
            "metrics_key": Secret(),
            "proxy_secret": Secret(),
            "proxy_secret_file": None,
            "socket": None,
        }
    )


def public_name(settings: Settings) -> str:
    """The host of the address that people's browsers know."""
    return httpx.URL(settings.public_url).host


def _make_home(home: Path, person: Person) -> None:
    make_private(home / CACHE)
    said = json.dumps({"name": person.name}, ensure_ascii=False)
    (home / WHOSE).write_text(f"{said}\n", encoding="utf-8")
