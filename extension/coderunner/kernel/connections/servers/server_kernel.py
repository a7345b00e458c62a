"""A kernel on a Jupyter Server, Hub or Gateway: REST for its life, one WebSocket for its messages."""

import asyncio
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from coderunner.errors import KernelError, ServerRefused
from coderunner.kernel.background_tasks import begin, log
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.connections.servers.websocket import PING, KernelWebSocket
from coderunner.kernel.execution.pending_request import LOST, RESTARTED, Away, Back, Event, Gone
from coderunner.kernel.protocol.kernel_info import KernelInfo
from coderunner.kernel.protocol.messages import Json, Message, Stamp, kernel_info_request
from coderunner.outputs import Status

AWAY = 120.0
"""Seconds for which we try to reconnect: a server is up again by then, or somebody must help."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between two attempts, each pause twice the one before. A server needs the first to notice."""
ATTEMPT = 5.0
"""Seconds for one attempt."""
AWAKE = 2.0
"""Seconds for an answer over a link that was quiet for longer than it should have been: the machine slept."""
DELETE_PAUSES = (0.2, 0.4, 0.8, 1.6, 0.0)
"""Seconds after each attempt to delete a kernel: a server fails (HTTP 500) while it starts the process."""
SILENT = 3.0
"""Seconds without a word after which it is asked whether the server still reaches its kernels."""

DIED = Gone(Status.DIED, "The kernel's process ended on the server.")
RESTARTS = replace(DIED, heir=True)
REPLACED = Gone(Status.REPLACED, "The kernel was restarted or shut down on the server.")
DELETED = Gone(Status.REPLACED, "The server deleted the kernel.")
VANISHED = Gone(Status.LOST, "The server no longer has the kernel.", keep=False)


class ServerKernel:
    """The transport to a kernel on a server."""

    def __init__(self, rest: RestApi, kernel: str, session: str, *, found: bool) -> None:
        self.found = found
        self.borrowed = False
        self.alone = False
        self.uncertain = False
        self.language = ""
        self.about = KernelInfo()
        self.process = ""
        self.kernel = kernel
        """The kernel's id on the server."""
        self.session = session
        """The id of its session there; empty where the server has none for it."""
        self.remembered = False
        """This process finds it again, though the server does not list it."""
        self.ready = False
        """It has answered: from now on a message that it ends is its own."""
        self._rest = rest
        self._receive: Callable[[Event], None] = lambda _event: None
        self._gone: Gone | None = None
        self._websocket: KernelWebSocket | None = None
        self._identity = ""
        self._asked: deque[str] = deque(maxlen=8)
        """The last requests that asked which process there is."""
        self._outages = 0
        """How often in a row the server said that it does not reach its kernels."""
        self._told = asyncio.Event()
        """One of them was answered."""
        self._cut = False
        """The connection was lost at least once."""
        self._returning: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- messages

    async def connect(self, identity: str) -> None:
        """Open the WebSocket; a server keeps what is missed for the same `identity` only.

        Until the kernel is ready, that takes as long as it takes to start.
        """
        self._identity, self._gone = identity, None
        if self._websocket is not None:
            self._websocket.close()
        websocket = KernelWebSocket(self._on_message, self._broken)
        self._websocket = websocket
        await websocket.open(self._rest, self._path("channels"), identity, starts=not self.ready)

    def attach(self, receive: Callable[[Event], None]) -> None:
        """Have every event from now on given to `receive`, in the loop."""
        self._receive = receive
        if self._gone is not None or self._away:
            receive(self._gone or Away())

    def go_on(self) -> None:
        """Stay of use: the server gives the requests in its queue to the process that it starts now."""
        self._gone = None

    async def send(self, message: Message) -> None:
        """Send one message."""
        if self._websocket is not None and self._gone is None:
            self._websocket.send(message)

    def _on_message(self, message: Message) -> None:
        self._receive(message)
        # After a cut nobody knows what was said meanwhile: that the kernel died, or was restarted.
        unsaid = RESTARTED if self._cut else RESTARTS
        gone = verdict(message) or (unsaid if self._replaced(message) else None)
        # Before it is ready, the server may replay what we missed: the end of the program before this one.
        if gone is not None and (self.ready or message.content.get("execution_state") == "dead"):
            self._end(gone)

    def _replaced(self, message: Message) -> bool:
        """Whether a message shows that another process has taken the kernel's place."""
        begins = message.type == "status" and message.content.get("execution_state") == "starting"
        if not message.session or not (begins or message.parent in self._asked):
            return False
        self._told.set()
        before, self.process = self.process, message.session
        return self.ready and before not in ("", message.session)

    def _end(self, gone: Gone) -> None:
        if self._gone is None:
            self._gone = gone
            self._receive(gone)

    # --- a lost connection

    def _broken(self, websocket: KernelWebSocket) -> None:
        if websocket is not self._websocket or self._gone is not None:
            return
        if not self.ready:
            self._end(LOST)
            return
        self._cut = True
        self._receive(Away())
        if self._gone is None and not self._away:
            self._returning = begin("searching for the kernel failed", self._return(), self._tasks)

    @property
    def _away(self) -> bool:
        return self._returning is not None and not self._returning.done()

    async def _return(self) -> None:
        """Try to reconnect until it works, or the kernel is known to be gone."""
        loop = asyncio.get_running_loop()
        # By a clock that stands still while the machine sleeps: after that the network takes its time.
        pause, until = FIRST_PAUSE, loop.time() + AWAY
        while loop.time() < until:
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                async with asyncio.timeout(ATTEMPT):
                    gone = await self._look_again()
            except ServerRefused:
                break
            except (KernelError, TimeoutError):
                continue
            except Exception:
                # It may answer anything: the next attempt is as good as the one before.
                log.exception("the server could not be asked about its kernel")
                continue
            if gone is not None:
                self._end(gone)
            elif self._websocket is None or not self._websocket.alive:
                continue
            else:
                self._receive(Back())
            return
        self._end(LOST)

    async def _look_again(self) -> Gone | None:
        model = await self._rest.kernel(self.kernel)
        if model is None:
            return VANISHED
        if model.get("execution_state") == "dead":
            return DIED
        await self.connect(self._identity)
        return None

    # --- the kernel's life

    def _path(self, action: str = "") -> str:
        return f"api/kernels/{quote(self.kernel, safe='')}" + (f"/{action}" if action else "")

    def usage(self) -> Json | None:
        """Tell nothing: the kernel knows."""
        return None

    async def interrupt(self) -> None:
        """Interrupt the program that runs."""
        await self._rest.ask("POST", self._path("interrupt"))

    async def restart(self) -> None:
        """End the program: the same kernel, empty; or none, where the server cannot restart it.

        A person's own is left as it is then.
        """
        reply = await self._rest.ask("POST", self._path("restart"))
        if reply.status >= 300 and not self.borrowed:
            await self.delete()

    async def check(self) -> Gone | None:
        """Look whether the server still has the kernel."""
        try:
            model = await self._rest.kernel(self.kernel)
        except KernelError:
            return None  # no answer is no verdict: the WebSocket tells when the connection is lost
        if model is None:
            # One that died too often is released as well: why it went was said just now, on the WebSocket.
            # Where that is slow it is asked again; where it is broken it says so itself.
            heard = self._websocket is None or await self._websocket.answers(AWAKE)
            return self._gone or (VANISHED if self._away else DELETED if heard else None)
        if self._websocket is not None and self._websocket.quiet_for > 2 * PING:
            await self.answers()
        if self.ready and model.get("connections") == 0:
            self.uncertain = True
        heard = not self.uncertain or await self._is_heard()
        if outage := await self._outage(heard=heard):
            return outage
        if not heard and self._websocket is not None and model.get("execution_state") == "idle":
            self._websocket.give_up()
        return DIED if model.get("execution_state") == "dead" else None

    async def _outage(self, *, heard: bool) -> Gone | None:
        """Return that the server does not reach its kernels, if it says so; it is asked in silence only."""
        if heard and (self._websocket is None or self._websocket.quiet_for <= SILENT):
            return None
        outage, before = await self._rest.outage(), self._outages
        self._outages = before + 1 if outage else 0
        return Gone(Status.LOST, f"{outage}.", detail=outage) if outage and (before or not heard) else None

    async def _is_heard(self) -> bool:
        """Have the kernel's process say which it is, and tell whether it does.

        A server that does not count our connection (jupyter-server-documents) tells of no death over it, and
        opens several in one name, of which the kernel may hear the last one only.
        """
        if self._websocket is None or self._gone is not None or self._away:
            return True
        stamp = Stamp(uuid.uuid4().hex, "coderunner", datetime.now(UTC).isoformat())
        self._asked.append(stamp.id)
        self._told.clear()
        await self.send(kernel_info_request(stamp, "control"))
        with suppress(TimeoutError):
            async with asyncio.timeout(AWAKE):
                await self._told.wait()
        return self._told.is_set()

    async def answers(self) -> bool:
        """Return whether the connection still works; one that does not is replaced."""
        if self._websocket is None or self._away:
            return False
        if await self._websocket.answers(AWAKE):
            return True
        self._websocket.give_up()
        return False

    async def close(self, *, keep: bool = False) -> None:
        """Let go; without `keep` the kernel is deleted."""
        self._gone = self._gone or LOST
        if self._returning is not None:
            self._returning.cancel()
        if self._websocket is not None:
            self._websocket.close()
        try:
            # Without a session nobody would find it again.
            if not self.borrowed and not (keep and (self.session or self.remembered)):
                await self.delete()
        finally:
            self._rest.close()

    async def delete(self) -> None:
        """Delete the kernel, and its session where it has one; takes some seconds where that fails."""
        path = f"api/sessions/{quote(self.session, safe='')}" if self.session else self._path()
        with suppress(KernelError):
            for pause in DELETE_PAUSES:
                if (await self._rest.ask("DELETE", path)).status != 500:
                    return
                await asyncio.sleep(pause)


def verdict(message: Message) -> Gone | None:
    """Return, from a message, whether the kernel no longer exists."""
    if message.type == "shutdown_reply":
        return REPLACED
    if message.type == "status" and not message.parent:
        return _DEATHS.get(str(message.content.get("execution_state")))
    return None


_DEATHS = {"restarting": RESTARTS, "dead": DIED}
