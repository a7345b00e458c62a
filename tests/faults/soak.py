"""Conversations over a network that is hurt again and again: is every line shown or marked as missing?

`make soak` runs it for minutes or hours and prints a table of what it costs; a test runs it for seconds.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from coderunner.kernel.connections.servers import websocket
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.outputs import Result, Status, Stream
from coderunner.secret_value import Secret
from tests.faults import local_soak
from tests.faults.proxy import Chaos, chaos
from tests.kernel.servers import Jupyter, jupyter_server

MODES = ("cut", "reset", "cut after", "half open")
BLOCK = """
import time
runs = globals().get('runs', 0) + 1
for number in range({lines}):
    print(number)
    if number % {pause} == 0: time.sleep(0.02)
"""
WARM_UP = 0.25
"""The part of the time after which what is taken should grow no more."""


@dataclass
class Tally:
    """What became of the lines and of the blocks."""

    blocks: int = 0
    faults: int = 0
    produced: int = 0
    shown: int = 0
    counted: int = 0
    """Lines that were left out of a long output, by their count."""
    marked: int = 0
    """Lines of which the result says that they may be missing."""
    silent: int = 0
    """Lines that are missing, and nothing says so."""
    slowest: float = 0.0
    """Seconds of the block that took longest."""
    twice: int = 0
    """Blocks that ran more than once."""
    refused: int = 0
    """Times that a conversation found no way to its kernel, and had to ask again."""

    def add(self, result: Result, lines: int) -> None:
        """Count a block's result."""
        streams = [one for one in result.outputs if isinstance(one, Stream) and one.name == "stdout"]
        shown = sum(one.text.count("\n") for one in streams)
        counted = sum(one.omitted.lines for one in streams)
        missing = lines - shown - counted
        told = result.detail or result.status is not Status.OK
        self.blocks += 1
        self.slowest = max(self.slowest, result.duration)
        self.produced += lines
        self.shown += shown
        self.counted += counted
        self.marked += missing if told else 0
        self.silent += 0 if told else missing


async def converse(
    session: Session, network: Chaos, chance: random.Random, tally: Tally, *, lines: int, faults: float
) -> None:
    """Run one block, hurt by chance while it runs."""
    source = BLOCK.format(lines=lines, pause=max(1, lines // 20))
    before = await _runs(session, tally)
    running = asyncio.ensure_future(session.execute(source, deadline=60))
    if chance.random() < faults:
        await asyncio.wait({running}, timeout=chance.uniform(0, 0.5))
        network.hurt(chance, MODES)
        tally.faults += 1
    result = await running
    tally.add(result, lines)
    if result.status is Status.OK:
        tally.twice += await _runs(session, tally) - before != 1


async def _runs(session: Session, tally: Tally) -> int:
    """How many blocks the kernel says that it has run."""
    while True:
        result = await session.execute("print(globals().get('runs', 0))")
        if result.status is Status.OK and result.outputs:
            return int(str(getattr(result.outputs[0], "text", "0")))
        tally.refused += result.status is Status.REFUSED


def sample(jupyter: Jupyter) -> tuple[int, int, int, int, int]:
    """File descriptors, resident megabytes and threads of ours; the server's kernels; temporary files."""
    here = psutil.Process()
    files = len(os.listdir(tempfile.gettempdir()))  # noqa: PTH208 - only their number
    resident = here.memory_info().rss // 2**20
    return here.num_fds(), resident, threading.active_count(), len(jupyter.kernels()), files


async def soak(jupyter: Jupyter, *, minutes: float, conversations: int, faults: float, seed: int) -> bool:
    """Run for so long, print the table; tell whether nothing was silently missing, run twice or leaked."""
    chance, tally, sessions = random.Random(seed), Tally(), Sessions()
    rows: list[tuple[int, int, int, int, int]] = []
    began = time.monotonic()
    print(
        f"seed {seed}\n{'s':>6} {'blocks':>7} {'faults':>7} {'fds':>5} {'MB':>5} {'threads':>7} kernels files"
    )
    async with chaos(jupyter.url) as network:
        where = Server(network.url, Secret(jupyter.token))
        open_ones = [sessions.get(f"soak-{number}", where) for number in range(conversations)]
        while (elapsed := time.monotonic() - began) < minutes * 60:
            rounds = (converse(one, network, chance, tally, lines=2_000, faults=faults) for one in open_ones)
            await asyncio.gather(*rounds)
            if elapsed >= len(rows) * max(minutes, 0.1) * 60 / 20:
                rows.append(await asyncio.to_thread(sample, jupyter))
                fds, resident, threads, kernels, files = rows[-1]
                print(
                    f"{elapsed:6.0f} {tally.blocks:7} {tally.faults:7} {fds:5} {resident:5} {threads:7} "
                    f"{kernels:7} {files:5}",
                    flush=True,
                )
        await sessions.close_all(keep=False)
    print(tally)
    # The least of each: right after a fault the old connection is still there.
    quarter = max(1, int(len(rows) * WARM_UP))
    warm, last = rows[quarter:-quarter] or rows, rows[-quarter:]
    growth = [
        min(late) - min(early)
        for early, late in zip(zip(*warm, strict=True), zip(*last, strict=True), strict=True)
    ]
    print("growth after warm-up: fds {}, MB {}, threads {}, kernels {}, files {}".format(*growth))
    kept = tally.silent == tally.twice == 0 and tally.refused <= tally.faults
    return kept and growth[0] <= 10 and growth[2] <= 2 and growth[3] <= 0


def main() -> int:
    """Read the options, and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--conversations", type=int, default=4)
    parser.add_argument("--faults", type=float, default=0.05, help="the part of the blocks that is hurt")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    parser.add_argument("--local", action="store_true", help="forked kernels here, without a network")
    parser.add_argument("--pause", type=float, default=10.0, help="seconds between blocks at most, if local")
    options = parser.parse_args()
    if options.local:
        good = local_soak.run(
            minutes=options.minutes,
            conversations=options.conversations,
            pause=options.pause,
            seed=options.seed,
        )
        return 0 if good else 1
    websocket.PING = 1.0  # what takes ten seconds otherwise is no better tested by waiting for it
    with tempfile.TemporaryDirectory() as directory, jupyter_server(Path(directory), token="soak") as jupyter:
        tempfile.tempdir = directory
        good = asyncio.run(
            soak(
                jupyter,
                minutes=options.minutes,
                conversations=options.conversations,
                faults=options.faults,
                seed=options.seed,
            )
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
