"""Many conversations on one machine, whose people stop, restart and leave, and whose kernels die by chance.

`make soak ARGS="--local --conversations 100"` prints a table of what it costs. Kernels are forked and in a
sandbox, where the machine can. Each conversation waits as people do between two blocks, and checks each
result: whether its status is true, the block ran once, and variables are there when they have to be.
"""

import asyncio
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from coderunner.kernel.sessions.registry import Capacity, Local, Session, Sessions
from coderunner.outputs import Aftermath, Result, Status, Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox

PRELOAD = ("numpy", "pandas", "matplotlib.pyplot")
LINES = 200
COUNT = f"runs = globals().get('runs', 0) + 1\nprint(*range({LINES}), sep='\\n')\nprint('runs', runs)"
PLOT = "import matplotlib.pyplot as plt, pandas as pd\npd.DataFrame({'a': range(9)}).plot()\nplt.show()"
ROWS = 30
"""Samples of what is taken."""
STEADY = "fds", "processes", "ended", "files"
"""What has to stay as it was."""


@dataclass
class Tally:
    """What was done, and what was not as it has to be."""

    turns: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    """Seconds of the block that took longest."""
    renewed: int = 0
    """Blocks of which the result says that variables are gone: kernels that died, or did not stop in time."""


class Person:
    """One conversation after the other, each with a kernel of its own."""

    def __init__(self, sessions: Sessions, chance: random.Random, tally: Tally) -> None:
        self._sessions, self._chance, self._tally = sessions, chance, tally
        self._begin()

    def _begin(self) -> None:
        self._name, self._runs = uuid.uuid4().hex, 0
        self._did: deque[str] = deque(maxlen=6)
        self._session: Session = self._sessions.get(self._name, Local())

    async def turn(self) -> None:
        """Do one thing of those that people do, mostly run a block."""
        ways: dict[Callable[[], Awaitable[None]], int] = {
            self._count: 70,
            self._plot: 10,
            self._err: 4,
            self._stop: 4,
            self._die: 4,
            self._restart: 4,
            self._leave: 4,
        }
        (way,) = self._chance.choices(list(ways), list(ways.values()))
        self._tally.turns[way.__name__.strip("_")] += 1
        self._did.append(way.__name__.strip("_"))
        await way()

    async def close(self) -> None:
        """Leave for good."""
        await self._sessions.close(self._name)

    async def _count(self) -> None:
        result = await self._run(COUNT, Status.OK)
        if result.status is not Status.OK:
            return
        self._runs += 1
        text = "".join(one.text for one in result.outputs if isinstance(one, Stream))
        if text.split("\n") != [*map(str, range(LINES)), f"runs {self._runs}", ""]:
            self._complain(f"block {self._runs} printed {text[-60:]!r}")

    async def _plot(self) -> None:
        if not (await self._run(PLOT, Status.OK)).outputs:
            self._complain("a plot is missing")

    async def _err(self) -> None:
        await self._run("1 / 0", Status.ERROR)

    async def _stop(self) -> None:
        running = asyncio.ensure_future(self._run("import time\ntime.sleep(50)", Status.INTERRUPTED))
        patience = self._chance.uniform(0, 0.5)
        while not (await asyncio.wait([running], timeout=patience))[0]:
            patience = 60.0 if await self._session.interrupt() else 0.01
        await running

    async def _die(self) -> None:
        await self._run("import os\nos.kill(os.getpid(), 9)", Status.DIED)

    async def _restart(self) -> None:
        await self._session.restart()
        self._runs = 0

    async def _leave(self) -> None:
        await self.close()
        self._begin()

    async def _run(self, source: str, expected: Status) -> Result:
        result = await self._session.execute(source, deadline=60)
        self._tally.slowest = max(self._tally.slowest, result.duration)
        if result.status is not expected:
            self._complain(f"{source!r} is {result.status} ({result.detail}), not {expected}")
        self._did.append(f"{result.status}, {result.aftermath}")
        if result.aftermath is Aftermath.FRESH:
            self._runs = 0
            self._tally.renewed += 1
        return result

    def _complain(self, sentence: str) -> None:
        print(sentence, list(self._did), file=sys.stderr, flush=True)
        self._tally.wrong.append(sentence)


def sample(folder: Path) -> dict[str, int]:
    """What we take, the processes that we have started, and temporary files."""
    here = psutil.Process()
    family = here.children(recursive=True)
    ended = sum(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in family)
    return {
        "fds": here.num_fds(),
        "MB": here.memory_full_info().uss // 2**20,
        "threads": threading.active_count(),
        "processes": len(family) - ended,
        "ended": ended,
        "files": sum(1 for _ in folder.iterdir()),
    }


async def soak(folder: Path, *, minutes: float, conversations: int, pause: float, seed: int) -> bool:
    """Run for so long, print the table; tell whether all was as it has to be, and nothing leaked.

    `pause`: seconds that a person waits at most between two blocks. Samples are taken of all at rest, with a
    kernel for each.
    """
    sandbox = KernelSandbox() if available() else None
    capacity = Capacity(conversations)
    sessions = Sessions(folder / "kernels", preload=PRELOAD, sandbox=sandbox, capacity=capacity)
    chance, tally = random.Random(seed), Tally()
    people = [Person(sessions, random.Random(chance.random()), tally) for _ in range(conversations)]
    rows: list[dict[str, int]] = []

    async def stay(person: Person, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, chance.uniform(0, pause)))
            await person.turn()
        await person._count()

    began = time.monotonic()
    print(f"seed {seed}\n{'s':>6} {'turns':>7} fds, MB, threads, processes, ended, files")
    for number in range(ROWS):
        until = began + (number + 1) * minutes * 60 / ROWS
        await asyncio.gather(*(stay(person, until) for person in people))
        rows.append(await asyncio.to_thread(sample, folder))
        turns = sum(tally.turns.values())
        print(
            f"{time.monotonic() - began:6.0f} {turns:7} {', '.join(map(str, rows[-1].values()))}", flush=True
        )
    for person in people:
        await person.close()
    await sessions.close_all(keep=False)
    left = await asyncio.to_thread(sample, folder)
    print(
        f"{dict(tally.turns)}, renewed: {tally.renewed}, slowest {tally.slowest:.1f} s, "
        f"wrong: {len(tally.wrong)}\nat the end {left}"
    )
    third = len(rows) // 3
    early, late = rows[third : 2 * third], rows[2 * third :]
    growth = {name: min(row[name] for row in late) - min(row[name] for row in early) for name in rows[0]}
    print(f"growth of the last third beyond the second: {growth}")
    return not tally.wrong and growth["threads"] <= 2 and all(growth[name] <= 0 for name in STEADY)


def run(*, minutes: float, conversations: int, pause: float, seed: int) -> bool:
    """Run it in a temporary folder of its own."""
    with tempfile.TemporaryDirectory() as directory:
        tempfile.tempdir = directory
        return asyncio.run(
            soak(Path(directory), minutes=minutes, conversations=conversations, pause=pause, seed=seed)
        )
