"""Many conversations on one machine, for bench.scale: 200 with a kernel each, 100 that run a block at once.

All kernels are forked. The plain Jupyter server has as many kernels of its own, each with a WebSocket of the
plainest client; the rounds take turns. The block waits for 50 ms, so what is measured is all that is around
it: on few cores, computing for 50 ms takes as long everywhere. CPU is that of all that have a part in it.
"""

import asyncio
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from tests.kernel.servers import jupyter_server

from coderunner.kernel.connections.readiness import wait_until_ready
from coderunner.kernel.connections.servers import find_or_start
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.connections.servers.server_kernel import ServerKernel
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.messages import Message, Stamp, execute_request
from coderunner.kernel.sessions.registry import Capacity, Local, Server, Session, Sessions
from coderunner.outputs import Status
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.secret_value import Secret

SHORT, BLOCK = "print(10 + 5)", "import time; time.sleep(0.05)"
TOGETHER = 4
"""Kernels that start at once: on two cores, more would only wait for each other."""
ALONE = 100
"""Cells of one conversation."""
BOUND = 240.0
LIVE_TIMES, SOONER, SHARE, OURS = 3.0, 1.5, 0.5, 150.0
"""The bars: of the 95th percentile with all alive; of blocks a second, and of the 95th percentile, of many at
once; of our own memory, in megabytes."""


@dataclass
class Times:
    """What some cells took."""

    seconds: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    here: float = 0.0
    """Computing of this process."""
    cpu: float = 0.0
    """Computing of all."""

    @property
    def p95(self) -> float:
        """The time in which 95 of 100 ended."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]

    @property
    def throughput(self) -> float:
        """Cells a second."""
        return len(self.seconds) / sum(self.rounds)

    async def timed(self, work: Awaitable[None]) -> None:
        """Note how long something takes."""
        began = time.perf_counter()
        await work
        self.seconds.append(time.perf_counter() - began)


def others() -> float:
    """Seconds of computing of all that this process started."""
    return float(sum(sum(each.cpu_times()[:2]) for each in psutil.Process().children(recursive=True)))


async def ran(session: Session, source: str) -> None:
    """Run a cell in a conversation."""
    result = await session.execute(source)
    assert result.status is Status.OK, result


async def start(sessions: Sessions, count: int) -> list[Session]:
    """So many more conversations, each with a kernel."""
    found = [sessions.get(uuid.uuid4().hex, Local()) for _ in range(count)]
    turn = asyncio.Semaphore(TOGETHER)

    async def one(session: Session) -> None:
        async with turn:
            await ran(session, "x = 1")

    await asyncio.gather(*map(one, found))
    return found


async def connected(where: Server) -> Callable[[], Awaitable[None]]:
    """A kernel of a server's own; returns what runs the block in it."""
    kernel: ServerKernel = await find_or_start.create_without_session(RestApi(where), "python3")
    heard: asyncio.Queue[Message] = asyncio.Queue()
    kernel.attach(lambda event: heard.put_nowait(event) if isinstance(event, Message) else None)
    await kernel.connect("bench")
    await wait_until_ready(kernel)
    kernel.attach(lambda event: heard.put_nowait(event) if isinstance(event, Message) else None)

    async def run() -> None:
        stamp = Stamp(uuid.uuid4().hex, "bench", datetime.now(UTC).isoformat())
        await kernel.send(execute_request(BLOCK, stamp))
        missing = {"idle", "reply"}
        while missing:
            message = await heard.get()
            if message.parent == stamp.id:
                state = message.content.get("execution_state", "")
                missing -= {"reply" if message.type == "execute_reply" else state}

    return run


async def at_once(times: Times, runs: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """One round: all of them begin together."""
    spent = others()
    here, began = time.process_time(), time.perf_counter()
    await asyncio.gather(*(times.timed(run()) for run in runs))
    times.rounds.append(time.perf_counter() - began)
    here = time.process_time() - here
    times.here += here
    times.cpu += here + others() - spent


async def race(sessions: Sequence[Session], where: Server, rounds: int) -> tuple[Times, Times]:
    """Many conversations with a block at once, ours and a plain server's, by turns."""
    turn = asyncio.Semaphore(TOGETHER)

    async def one() -> Callable[[], Awaitable[None]]:
        async with turn:
            return await connected(where)

    theirs = await asyncio.gather(*(one() for _ in sessions))
    ours = [lambda session=session: ran(session, BLOCK) for session in sessions]
    mine, plain = Times(), Times()
    for number in range(2 * rounds):
        await (at_once(mine, ours) if number % 2 else at_once(plain, theirs))
    return mine, plain


async def live(sessions: Sessions, count: int) -> tuple[list[Session], Times, Times, float]:
    """Short cells of one conversation, and of all; the kernels, and megabytes that we take for them."""
    (first,) = await start(sessions, 1)
    before = psutil.Process().memory_full_info().uss
    alone, many = Times(), Times()
    for _ in range(ALONE):
        await alone.timed(ran(first, SHORT))
    every = [first, *await start(sessions, count - 1)]
    assert sum(each.live for each in every) == count
    for each in every:
        await many.timed(ran(each, SHORT))
    return every, alone, many, (psutil.Process().memory_full_info().uss - before) / 1e6


def measure(count: int, crowd: int, rounds: int) -> list[tuple[str, bool]]:
    """Print the rows; returns which bars hold."""
    loop = io_thread()
    with tempfile.TemporaryDirectory() as folder:
        sandbox = KernelSandbox() if available() else None
        sessions = Sessions(Path(folder) / "kernels", preload=(), sandbox=sandbox, capacity=Capacity(count))
        sessions.prepare(Local())
        while sessions._templates is None or not sessions._templates.ready:
            time.sleep(0.05)
        every, alone, many, ours = loop.call(live(sessions, count), BOUND)
        longer = many.p95 / alone.p95
        print(f"a short cell of one conversation, p95       {alone.p95 * 1e3:7.1f} ms")
        print(f"the same, each of {count:4} with a kernel, p95 {many.p95 * 1e3:7.1f} ms   {longer:5.2f} x")
        print(f"our own memory for these                    {ours:7.1f} MB")
        with jupyter_server(Path(folder), token="bench") as jupyter:
            where = Server(jupyter.url, Secret(jupyter.token))
            mine, plain = loop.call(race(every[:crowd], where, rounds), BOUND)
        for name, times in (("ours", mine), ("a plain server", plain)):
            each, here = (spent / len(times.seconds) * 1e3 for spent in (times.cpu, times.here))
            print(
                f"{crowd} blocks of 50 ms at once, {name:15}{times.throughput:7.0f} a second   "
                f"p95 {times.p95 * 1e3:6.0f} ms   CPU of each {each:5.1f} ms, here {here:.1f}"
            )
        loop.call(sessions.close_all(), BOUND)
    faster, share = mine.throughput / plain.throughput, mine.p95 / plain.p95
    print(
        f"throughput {faster:.2f} x, p95 {share:.2f} x, CPU {mine.cpu / plain.cpu:.2f} x the plain server's"
    )
    return [
        (f"p95 of {count} within {LIVE_TIMES:g} x that of one", longer <= LIVE_TIMES),
        (f"throughput {SOONER:g} x a plain server's", faster >= SOONER),
        (f"p95 {SHARE:g} x a plain server's", share <= SHARE),
        (f"our own memory within {OURS:g} MB", ours <= OURS),
    ]
