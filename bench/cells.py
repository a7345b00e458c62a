"""What a cell's round trip costs: `print(10 + 5)` from the call to its result, side by side, as ratios.

    python -m bench.cells [--cells 200] [--rounds 3]

All contenders take turns, cell by cell and in another order each time, each with a kernel of its own of the
same kind, so that none hears the others' messages; every round has new kernels. The floor is the plainest
loop there is over jupyter_client's own client. It runs twice: on a kernel as CodeRunner starts it, and on one
that the Jupyter server started (with IPython's history, and no WebSocket between), to which those on the
server are compared; the plainest loop over the server's WebSocket is one of them.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_kernel_client import JupyterKernelClient
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from tests.kernel.servers import Jupyter, jupyter_server

from coderunner.kernel.connections import local_kernel
from coderunner.kernel.connections.readiness import wait_until_ready
from coderunner.kernel.connections.servers import find_or_start
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.connections.servers.server_kernel import ServerKernel
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.messages import Message, Stamp, execute_request
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret

CELL = "print(10 + 5)"
WARM = 20
"""Cells of each contender before the measurement: imports, caches, the first seconds of a connection."""
NEW_KERNELS = 5
"""Cells of the way that takes a new kernel for each, which takes seconds, in each round."""

FLOOR_HERE = "bare jupyter_client loop, local"
FLOOR_THERE = "bare jupyter_client loop, server's kernel"
BARE_THERE = "bare WebSocket loop, Jupyter server"
BARE_FROM_THREAD = "the same loop, called from a thread"
OURS_HERE = "CodeRunner, local"
OURS_THERE = "CodeRunner, Jupyter server"
AWAITED_THERE = "CodeRunner, Jupyter server, awaited"
BARS = {OURS_HERE: (FLOOR_HERE, 1.15), OURS_THERE: (BARE_THERE, 1.05), AWAITED_THERE: (BARE_THERE, 1.05)}
"""To what each of ours is compared, and how much more it may take."""

Run = Callable[[], float | None]
"""Run one cell; gives its seconds where they are taken inside of the loop that awaits it."""


@dataclass
class Contender:
    """One way to run a cell, and the seconds it took each time."""

    name: str
    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.times) * 1000

    @property
    def p95(self) -> float:
        """Milliseconds that one cell in twenty takes longer than."""
        return statistics.quantiles(self.times, n=20)[-1] * 1000 if len(self.times) > 1 else self.median


async def timed(work: Awaitable[None]) -> float:
    """The seconds that it takes in the loop in which it is awaited."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


def bare(client: BlockingKernelClient) -> None:
    """Send, read iopub until idle, read the reply: nothing else."""
    request = client.execute(CELL)
    idle = False
    while not idle:
        message = client.get_iopub_msg(timeout=30)
        idle = (
            message["parent_header"].get("msg_id") == request
            and message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
        )
    while client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") != request:
        pass


# --- contenders on this machine


@contextmanager
def connection_file() -> Iterator[str]:
    """Start a kernel as CodeRunner starts it, and give the file that others can connect with."""
    with tempfile.TemporaryDirectory() as directory:
        kernel = io_thread().call(local_kernel.start("python3", Path(directory)))
        try:
            yield kernel._manager.connection_file
        finally:
            io_thread().call(kernel.close())


@contextmanager
def floor(file: AbstractContextManager[str]) -> Iterator[Run]:
    with file as path:
        client = BlockingKernelClient(connection_file=path)
        client.load_connection_file()
        client.start_channels(hb=False, stdin=False)
        client.wait_for_ready(timeout=30)
        yield lambda: bare(client)
        client.stop_channels()


@contextmanager
def with_nbclient() -> Iterator[Run]:
    """Nbclient on a kernel that is there already; it has a loop of its own."""
    with connection_file() as path:
        loop = asyncio.new_event_loop()
        cell = new_code_cell(CELL)
        notebook = NotebookClient(new_notebook(cells=[cell]))
        client = AsyncKernelClient(connection_file=path)
        client.load_connection_file()

        async def connect() -> None:
            client.start_channels()
            await client.wait_for_ready(timeout=30)

        loop.run_until_complete(connect())
        notebook.kc = client

        def run() -> None:
            loop.run_until_complete(notebook.async_execute_cell(cell, 0))

        yield run
        client.stop_channels()
        loop.close()


@contextmanager
def ours(where: KernelLocation, *, awaited: bool = False) -> Iterator[Run]:
    """A session, as a host without an event loop uses it: through the I/O thread and back.

    `awaited`: as a host uses it whose own loop has the kernel I/O in it, as the proxy's does: nothing goes
    from one thread to the other, as nothing does in the bare loop.
    """
    with tempfile.TemporaryDirectory() as directory:
        sessions = Sessions(Path(directory))
        # On a server a conversation finds its kernel again: one of another's name would be shared with it.
        session = sessions.get(uuid.uuid4().hex, where)

        def run() -> None:
            result = session.begin(CELL).wait(60)
            assert result is not None
            assert result.status is Status.OK

        async def execute() -> None:
            result = await session.execute(CELL)
            assert result.status is Status.OK

        try:
            yield (lambda: io_thread().call(timed(execute()))) if awaited else run
        finally:
            io_thread().call(sessions.close_all(keep=False))


# --- contenders on a Jupyter server


@contextmanager
def servers_connection_file(jupyter: Jupyter, runtime: Path) -> Iterator[str]:
    """Have the server start a kernel, and give the file that others can connect with."""
    kernel = jupyter.ask("api/kernels", "POST", {"name": "python3"})["id"]
    try:
        yield str(runtime / f"kernel-{kernel}.json")
    finally:
        jupyter.ask(f"api/kernels/{kernel}", "DELETE")


@contextmanager
def bare_websocket(where: Server, *, awaited: bool = True) -> Iterator[Run]:
    """The floor's loop over the server's WebSocket: it codes messages, and does nothing else.

    It has our WebSocket and our reading of messages, and ends with the same two of them as ours does. Unless
    `awaited`, the way from the caller's thread to the loop and back counts, as for `ours`.
    """
    loop = io_thread()

    async def connect() -> tuple[ServerKernel, asyncio.Queue[Message]]:
        rest = RestApi(where)
        kernel = await find_or_start.create_without_session(rest, "python3")
        heard: asyncio.Queue[Message] = asyncio.Queue()
        kernel.attach(lambda event: heard.put_nowait(event) if isinstance(event, Message) else None)
        await kernel.connect("bench")
        await wait_until_ready(kernel)
        kernel.attach(lambda event: heard.put_nowait(event) if isinstance(event, Message) else None)
        return kernel, heard

    async def execute() -> None:
        stamp = Stamp(uuid.uuid4().hex, "bench", datetime.now(UTC).isoformat())
        await kernel.send(execute_request(CELL, stamp))
        missing = {"idle", "reply"}
        while missing:
            message = await heard.get()
            if message.parent == stamp.id:
                state = message.content.get("execution_state", "")
                missing -= {"reply" if message.type == "execute_reply" else state}

    kernel, heard = loop.call(connect())
    try:
        yield (lambda: loop.call(timed(execute()))) if awaited else (lambda: loop.call(execute()))
    finally:
        loop.call(kernel.close())


@contextmanager
def with_jupyter_kernel_client(where: Server) -> Iterator[Run]:
    client = JupyterKernelClient(server_url=where.url, token=where.token.reveal())
    client.start()
    try:
        yield lambda: client.execute(CELL) and None
    finally:
        client.stop()


@contextmanager
def new_kernel_each(where: Server) -> Iterator[Run]:
    """Start a kernel, connect, run, delete: for each block."""

    async def run() -> None:
        async with AsyncExitStack() as stack:
            rest = RestApi(where)
            stack.callback(rest.close)
            kernel = await find_or_start.create_without_session(rest, "python3")
            stack.push_async_callback(kernel.close)
            await kernel.connect("")
            result = await KernelClient(kernel).execute(CELL, deadline=60)
            assert result.status is Status.OK

    yield lambda: io_thread().call(run())


# --- the measurement


def measure(contenders: list[tuple[Contender, Run]], cells: int) -> None:
    for _, run in contenders:
        for _ in range(WARM):
            run()
    turns, chance = list(contenders), random.Random(cells)
    for _ in range(cells):
        # Who comes after a slow one finds a cold machine: that is each in turn.
        chance.shuffle(turns)
        for contender, run in turns:
            started = time.perf_counter()
            inside = run()
            contender.times.append(inside or time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=200, help="cells of each contender in a round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each with new kernels")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        table = race(Path(directory), arguments.cells, arguments.rounds)
    report(table)


def race(directory: Path, cells: int, rounds: int) -> list[Contender]:
    """Let all run, each round with new kernels, the slow one a few times at the end of each."""
    table = {name: Contender(name) for name in NAMES}
    slow = Contender("a new kernel for each block, Jupyter server")
    os.environ["JUPYTER_RUNTIME_DIR"] = str(directory / "run")
    with jupyter_server(directory, token="bench") as jupyter:
        where = Server(jupyter.url, Secret(jupyter.token))
        for _ in range(rounds):
            with ExitStack() as stack:
                ways = (
                    floor(connection_file()),
                    ours(Local()),
                    with_nbclient(),
                    floor(servers_connection_file(jupyter, directory / "run")),
                    bare_websocket(where),
                    bare_websocket(where, awaited=False),
                    ours(where),
                    ours(where, awaited=True),
                    with_jupyter_kernel_client(where),
                )
                runs = [stack.enter_context(way) for way in ways]
                measure(list(zip(table.values(), runs, strict=True)), cells)
            with new_kernel_each(where) as run:
                measure_slow(slow, run)
    return [*table.values(), slow]


NAMES = (
    FLOOR_HERE,
    OURS_HERE,
    "nbclient, local",
    FLOOR_THERE,
    BARE_THERE,
    BARE_FROM_THREAD,
    OURS_THERE,
    AWAITED_THERE,
    "jupyter-kernel-client, Jupyter server",
)


def measure_slow(contender: Contender, run: Run) -> None:
    for _ in range(NEW_KERNELS):
        started = time.perf_counter()
        run()
        contender.times.append(time.perf_counter() - started)


def report(table: list[Contender]) -> None:
    """Print the table, and whether the bars hold."""
    print(f"{'':44}{'cells':>6}{'median ms':>11}{'ratio':>8}{'p95 ms':>9}{'ratio':>8}{'bar':>7}")
    medians = {contender.name: contender.median for contender in table}
    for contender in table:
        if contender.name in (FLOOR_HERE, FLOOR_THERE):
            base = contender
        ratio, tail = contender.median / base.median, contender.p95 / base.p95
        verdict = ""
        if contender.name in BARS:
            to, bar = BARS[contender.name]
            compared = contender.median / medians[to]
            verdict = f"{bar:.2f} {'held' if compared <= bar else 'MISSED'}: {compared:.2f} x {to}"
        print(
            f"{contender.name:44}{len(contender.times):6}{contender.median:11.2f}{ratio:8.2f}"
            f"{contender.p95:9.2f}{tail:8.2f}  {verdict}"
        )


if __name__ == "__main__":
    main()
