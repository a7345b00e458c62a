"""What a new conversation costs: its first cell and its memory, forked, started by us, and by jupyter_client.

    python -m bench.scale [--starts 7] [--kernels 50] [--live 200] [--at-once 100] [--rounds 5]

The cell draws a plot of pandas' with matplotlib. No kernel is there before it is asked for; the template of
the forked ones is, with both libraries. They take turns, in another order each time. Memory is the share of
all processes of a kernel (PSS), of that many forked kernels that live at once with their template, and of a
few that were started. Beside both stands the floor: the same plot without a kernel, in as many processes
that are forked of one which has drawn it, and once more in a process that has. Then what many conversations
cost at once, as bench.crowd has it.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from bench import crowd
from jupyter_client.manager import AsyncKernelManager

from coderunner.kernel.connections.forking.templates import can_fork
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Capacity, Local, Sessions
from coderunner.outputs import Status
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox

PRELOAD = ("numpy", "pandas", "matplotlib.pyplot")
CELL = """import pandas
import matplotlib.pyplot as plt
pandas.Series([1, 2, 3]).plot()
plt.show()"""
FORKED, STARTED, JUPYTER = "forked", "started", "jupyter_client"
FLOOR = """
import gc, io, os, sys, time
import numpy, pandas
import matplotlib.pyplot as plt
def draw():
    began = time.process_time()
    pandas.Series([1, 2, 3]).plot()
    plt.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")
    return time.process_time() - began
again = sorted(draw() for _ in range(6))[2]
gc.collect()
gc.freeze()
for _ in range(int(sys.argv[1])):
    done, tell = os.pipe()
    if not os.fork():
        draw()
        os.write(tell, b"d")
        os.read(0, 1)
        os._exit(0)
    os.read(done, 1)
print(again, flush=True)
os.read(0, 1)
"""
"""Draws as the cell does, and in so many forked processes, which live until the standard input ends."""
BOUND = 120.0
SECONDS, TIMES, MEGABYTES = 0.12, 10.0, 20.0
"""The bars: of the first cell, how many times sooner it is, and of a kernel's memory."""
FEW = 5
"""Kernels that were started whose memory is measured."""


def sessions_of(folder: Path, preload: tuple[str, ...] | None) -> Sessions:
    """A registry of the usual kind, in a sandbox where there is one."""
    sandbox = KernelSandbox() if available() else None
    return Sessions(folder, preload=preload, sandbox=sandbox, capacity=Capacity(1000))


def first_cell(sessions: Sessions) -> str:
    """Run the first cell of a new conversation; returns its name."""
    name = uuid.uuid4().hex
    result = sessions.get(name, Local()).begin(CELL).wait(BOUND)
    assert result is not None
    assert result.status is Status.OK, result
    return name


def computed(process: int) -> float:
    """Seconds of computing of a process and all that comes from it."""
    first = psutil.Process(process)
    return float(sum(sum(each.cpu_times()[:2]) for each in (first, *first.children(recursive=True))))


async def by_jupyter_client() -> tuple[float, float]:
    """The same cell in a kernel that jupyter_client starts; its seconds and computing, without the end."""
    began, here = time.perf_counter(), time.process_time()
    manager = AsyncKernelManager(kernel_name="python3")
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=BOUND)
        await client.execute_interactive(CELL, timeout=BOUND, output_hook=lambda _message: None)
        took, here = time.perf_counter() - began, time.process_time() - here
        process: Any = getattr(manager.provisioner, "process", None)
        return took, here + computed(process.pid)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


def share(process: int) -> float:
    """Megabytes of a process and all that come from it."""
    first = psutil.Process(process)
    return float(sum(each.memory_full_info().pss for each in (first, *first.children(recursive=True)))) / 1e6


def memory(sessions: Sessions, count: int) -> float:
    """Megabytes of one of `count` kernels that have run the cell, with its part of what they come from."""
    names = [first_cell(sessions) for _ in range(count)]
    total = sum(share(sessions._confined[name]._process.pid) for name in names)
    template = sessions._templates._template if sessions._templates is not None else None
    if template is not None:
        total += share(template._process.pid)
    for name in names:
        io_thread().call(sessions.close(name), BOUND)
    return total / count


def floor(count: int) -> tuple[float, float]:
    """Seconds of computing of a plot where all is loaded and warm; megabytes of one of `count` processes."""
    with subprocess.Popen(
        [sys.executable, "-c", FLOOR, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        again = float(process.stdout.readline())
        return again, share(process.pid) / count


def measure(starts: int, kernels: int, folder: Path) -> list[tuple[str, bool]]:
    """Print the rows of one conversation; returns which bars hold."""
    forked, started = sessions_of(folder / "forked", PRELOAD), sessions_of(folder / "started", None)
    forked.prepare(Local())
    while forked._templates is None or not forked._templates.ready:
        time.sleep(0.05)
    ends: list[Callable[[], object]] = []

    def ours(sessions: Sessions) -> tuple[float, float]:
        began, here = time.perf_counter(), time.process_time()
        name = first_cell(sessions)
        took, here = time.perf_counter() - began, time.process_time() - here
        ends.append(lambda: io_thread().call(sessions.close(name), BOUND))
        return took, here + computed(sessions._confined[name]._process.pid)

    ways: dict[str, Callable[[], tuple[float, float]]] = {
        FORKED: lambda: ours(forked),
        STARTED: lambda: ours(started),
        JUPYTER: lambda: asyncio.run(by_jupyter_client()),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(starts):
        for name in random.sample(list(ways), len(ways)):
            times[name].append(ways[name]())
            while ends:
                ends.pop()()
    median = {name: statistics.median(took for took, _ in each) for name, each in times.items()}
    spent = {name: statistics.median(cpu for _, cpu in each) for name, each in times.items()}
    for name, each in median.items():
        print(
            f"first cell, {name:15} {each:6.3f} s   {each / median[FORKED]:5.1f} x   "
            f"computing {spent[name]:6.3f} s   {spent[name] / spent[FORKED]:5.1f} x"
        )
    shared, alone = memory(forked, kernels), memory(started, FEW)
    again, least = floor(kernels)
    print(f"the plot alone, warm     computing {again:6.3f} s, of {spent[FORKED]:.3f} s of a first cell")
    print(f"memory of one of {kernels} forked {shared:6.1f} MB")
    print(f"memory of one without a kernel {least:6.1f} MB")
    print(f"memory of one started    {alone:6.1f} MB   {alone / shared:5.1f} x")
    for sessions in (forked, started):
        io_thread().call(sessions.close_all(), BOUND)
    return [
        (f"first cell within {SECONDS} s", median[FORKED] <= SECONDS),
        (f"{TIMES:g} x sooner than jupyter_client", median[JUPYTER] / median[FORKED] >= TIMES),
        (f"memory within {MEGABYTES:g} MB", shared <= MEGABYTES),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--kernels", type=int, default=50)
    parser.add_argument("--live", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if not can_fork():
        print("kernels cannot be forked here")
        return
    with tempfile.TemporaryDirectory() as folder:
        held = measure(options.starts, options.kernels, Path(folder))
    held += crowd.measure(options.live, options.at_once, options.rounds)
    for what, true in held:
        print(f"{'held  ' if true else 'missed'} {what}")


if __name__ == "__main__":
    main()
