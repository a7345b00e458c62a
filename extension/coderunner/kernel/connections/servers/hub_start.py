"""Starts a person's server on a JupyterHub, with the person's consent, and follows how it starts.

It stops nothing: a server that starts goes on doing so, whoever stops waiting for it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from coderunner.errors import (
    KernelError,
    NotAJupyterServer,
    ServerRefused,
    ServerStopped,
    ServerUnreachable,
)
from coderunner.kernel.connections.servers.hub import (
    NOT_ALLOWED,
    HubServer,
    explain,
    may_be_server,
    server_of,
)
from coderunner.kernel.connections.servers.refusals import because, no_service, parsed
from coderunner.kernel.connections.servers.rest_connection import RestConnection
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Server
from coderunner.text.json_reader import loads

LONGEST = 1800.0
"""Seconds for which a Hub may say that a server is starting: a cluster may have to get a machine first."""
ANSWER = 60.0
"""Seconds for a Hub to answer that it starts a server: as it comes, it waits up to ten for the server."""
LOOK = 1.0
"""Seconds after which it is asked whether a server runs, while its progress is read."""
STREAM = 30.0
"""Seconds after which progress is asked for anew: a Hub sends a sign of life every eight."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two questions, each pause twice the one before."""
LINE = 65_536
"""Bytes of a line that a Hub sends; one of progress has a few hundred."""
MESSAGE = 300
"""Characters of what a Hub says."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a server starts, in the Hub's words."""

    message: str
    percent: int | None = None

    def __str__(self) -> str:
        """One line for a person."""
        return self.message if self.percent is None else f"{self.message} ({self.percent}%)"


Tell = Callable[[Progress], None]


async def stopped_server(where: KernelLocation) -> ServerStopped | None:
    """Return why nothing runs at an address where a Hub could start a server; None in every other case.

    May be awaited in any loop. What else is wrong there, whoever uses the address is told.
    """
    if isinstance(where, Server):
        with suppress(KernelError):
            return await io_thread().run(_stopped(where))
    return None


async def _stopped(where: Server) -> ServerStopped | None:
    rest = RestConnection(where)
    try:
        return await _Start(rest, lambda _: None).look() if may_be_server(rest.url) else None
    finally:
        rest.close()


async def start_server(where: Server, tell: Tell) -> None:
    """Have a Hub start a server, and wait until it runs; one that is starting or runs is not asked for.

    Only with the person's consent. May be awaited in any loop; `tell` is called in the I/O thread. Raises
    KernelError, with the Hub's reason where it gives one. When this is cancelled, the Hub goes on.
    """
    await io_thread().run(_start_server(where, tell))


async def _start_server(where: Server, tell: Tell) -> None:
    rest = RestConnection(where)
    start = _Start(rest, tell)
    try:
        async with asyncio.timeout(LONGEST):
            await start.run()
    except TimeoutError:
        raise start.failed(f": it still was not ready after {LONGEST / 60:.0f} minutes") from None
    finally:
        rest.close()


class _Start:
    """The start of one server."""

    def __init__(self, rest: RestConnection, tell: Tell) -> None:
        self._rest = rest
        self._tell = tell
        self._server = HubServer(rest.url)
        self._refusal = ""
        """What the Hub answered when it was asked, as the end of a sentence."""

    async def look(self) -> ServerStopped | None:
        """Return how the server stands; None: it runs. Raises KernelError where that is not known."""
        response = await self._rest.fetch("GET", "api")
        if response.code == 200:
            return None
        self._server = server_of(self._rest.url, response) or self._server
        trouble = await explain(self._rest, response)
        if isinstance(trouble, ServerStopped):
            return trouble
        if response.code >= 500:
            raise ServerUnreachable(no_service(self._rest.url, response))
        raise trouble or NotAJupyterServer(f"{self._rest.url} is no server of a JupyterHub")

    async def run(self) -> None:
        here = await self.look()
        while here is not None and here.standing == "stopping":
            self._tell(Progress("The server is stopping"))
            await asyncio.sleep(LONGEST_PAUSE)
            here = await self._look_patiently()
        if here is None:
            return
        if here.standing == "stopped" and not here.startable:
            raise ServerRefused(
                f"{self._server} does not run, and {NOT_ALLOWED}; start it at {self._server.home}"
            )
        asked = asyncio.ensure_future(self._ask(starts=here.standing == "stopped"))
        try:
            await self._follow(asked)
        finally:
            asked.cancel()

    async def _ask(self, *, starts: bool) -> bool:
        """Have it started; returns whether it runs already. Raises what the Hub refuses."""
        if not starts:
            return False
        try:
            response = await self._rest.fetch_at(self._server.control, "POST", within=ANSWER)
        except ServerUnreachable:
            return False  # perhaps it was heard: how the server stands tells
        if response.code in (201, 202):
            return response.code == 201
        if response.code == 400 and await self._look_patiently() is None:
            return True  # somebody else had it started
        if response.code >= 500:
            # The start failed, of which its progress tells the reason; or the Hub is away.
            self._refusal = because(parsed(response)) or f" (HTTP {response.code})"
            return False
        raise self.failed(because(parsed(response)) or f" (HTTP {response.code})")

    async def _follow(self, asked: "asyncio.Future[bool]") -> None:
        """Tell how it starts, until it runs."""
        pause = FIRST_PAUSE
        while True:
            settled = asked.done()
            progress = _ProgressReader(self._tell)
            with suppress(ServerUnreachable):
                if await self._listen(progress):
                    return
            if progress.failure is not None and not settled:
                await asked  # until it is answered, the failure may be that of an earlier start
                continue
            if progress.failure is not None:
                raise self.failed(progress.failure)
            if asked.done() and asked.result():
                return
            if settled:
                here = await self._look_patiently()
                if here is None:
                    return
                if here.standing != "starting":
                    raise self.failed(self._refusal)
            if asked.done():
                await asyncio.sleep(pause)
            await asyncio.wait({asked}, timeout=pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self, progress: "_ProgressReader") -> bool:
        """Read how it starts, until there is no more to read; returns whether it runs.

        That is asked beside it: a proxy may hold the stream back, and of a cut one tornado says nothing.
        """
        url = f"{self._server.control}/progress"
        stream = asyncio.ensure_future(self._rest.stream_from(url, progress.receive, within=STREAM))
        try:
            while not (stream.done() or progress.ready):
                await asyncio.wait({stream}, timeout=LOOK)
                if not stream.done() and (await self._rest.fetch("GET", "api")).code == 200:
                    return True
        finally:
            stream.cancel()
            await asyncio.gather(stream, return_exceptions=True)
        return progress.ready

    async def _look_patiently(self) -> ServerStopped | None:
        """Look how it stands, if need be until a Hub that is away is back."""
        end = time.monotonic() + self._rest.patience.away
        while True:
            try:
                return await self.look()
            except ServerUnreachable as error:
                if time.monotonic() > end:
                    told = f"the JupyterHub at {self._server.hub} stopped responding while {self._server}"
                    raise ServerUnreachable(f"{told} started; try again when it responds") from error
            await asyncio.sleep(LONGEST_PAUSE)

    def failed(self, reason: str) -> ServerUnreachable:
        """Return the error for a server that did not start."""
        return ServerUnreachable(
            f"{self._server} did not start on {self._server.hub}{reason}; see {self._server.home}"
        )


class _ProgressReader:
    """Reads the events in which a Hub tells how a server starts: a line of JSON each."""

    def __init__(self, tell: Tell) -> None:
        self.ready = False
        self.failure: str | None = None
        """Why it did not start, as the end of a sentence."""
        self._tell = tell
        self._last: Progress | None = None
        self._rest = b""

    def receive(self, data: bytes) -> None:
        """Take a piece of the stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE:
            self._rest = b""
        for line in lines:
            if line.startswith(b"data:"):
                with suppress(ValueError):
                    self._event(loads(line.removeprefix(b"data:")))

    def _event(self, event: object) -> None:
        if not isinstance(event, dict):
            return
        said, percent = event.get("message"), event.get("progress")
        message = " ".join(said.split())[:MESSAGE] if isinstance(said, str) else ""
        if event.get("failed"):
            self.failure = because({"message": message.removeprefix("Spawn failed: ")})
            return
        self.ready = self.ready or bool(event.get("ready"))
        known = isinstance(percent, int | float) and 0 <= percent <= 100
        progress = Progress(message, round(float(percent or 0)) if known else None)
        if message and progress != self._last:
            self._last = progress
            self._tell(progress)
