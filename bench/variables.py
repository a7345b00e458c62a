"""What it costs a cell that the variables are listed after each: `x += 1`, with and without the panel open.

    python -m bench.variables [--cells 200] [--rounds 3] [--variables 50]

The same kernel takes turns, a run of cells with the panel and one without, in another order each time; each
cell is sent as soon as the one before it has ended, which is the worst moment there is. With the panel the
variables are asked for at the end of each cell, as the page does. The kernel holds as many variables as said,
of the kinds that people have, a DataFrame of 16 MB among them. Exits with 1 where a cell takes 5 ms longer.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.kernel.servers import jupyter_server

from coderunner.hosts.app.variable_routes import at_rest
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.kernel.variables.asked import variables_in
from coderunner.outputs import Status
from coderunner.secret_value import Secret

CELL = "x += 1"
WARM = 20
RUN = 20
"""Cells one after the other."""
BAR = 0.005
"""Seconds that a cell may take longer."""
FILLS = """
import numpy as np, pandas as pd
frame, grid, x = pd.DataFrame(np.zeros((100_000, 20))), np.zeros((1000, 1000)), 0
kinds = (lambda n: n, lambda n: f"text {n}" * 20, lambda n: list(range(n)), lambda n: {n: [n] * 5})
for number in range(VARIABLES): globals()[f"v{number}"] = kinds[number % 4](number)
"""


class Panel:
    """Lists the variables when a cell has ended, unless it is at that already."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._task: asyncio.Task[None] | None = None
        self.times: list[float] = []
        """Seconds of each list, without the wait for a cell."""

    def cell_ended(self) -> None:
        """Ask for the list."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._list())

    async def _list(self) -> None:
        await at_rest(self._session)
        began = time.perf_counter()
        assert (await variables_in(self._session, patience=30)).variables
        self.times.append(time.perf_counter() - began)

    async def close(self) -> None:
        """Wait for the list that was asked for last."""
        if self._task is not None:
            await self._task


async def cells(session: Session, count: int, panel: Panel | None) -> list[float]:
    """Seconds of each of some cells."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        result = await session.execute(CELL)
        times.append(time.perf_counter() - began)
        assert result.status is Status.OK, result
        if panel is not None:
            panel.cell_ended()
    return times


async def measured(where: KernelLocation, name: str, arguments: argparse.Namespace) -> bool:
    """Measure one kind of kernel; whether it keeps to the bar."""
    sessions = Sessions(Path(tempfile.mkdtemp()))
    without: list[float] = []
    shown: list[float] = []
    lists: list[float] = []
    try:
        for number in range(arguments.rounds):
            session = sessions.get(f"bench {number}", where)
            await session.execute(FILLS.replace("VARIABLES", str(arguments.variables)))
            await cells(session, WARM, None)
            panel = Panel(session)
            for _ in range(arguments.cells // RUN):
                for opened in random.sample((False, True), 2):
                    (shown if opened else without).extend(
                        await cells(session, RUN, panel if opened else None)
                    )
                    await panel.close()
            lists += panel.times
    finally:
        await sessions.close_all(keep=False)
    more = [statistics.median(shown) - statistics.median(without)]
    more += [
        statistics.quantiles(shown, n=20)[at] - statistics.quantiles(without, n=20)[at] for at in (0, -1)
    ]
    print(
        f"{name:16} {statistics.median(without) * 1e3:6.2f} ms a cell without, "
        f"{statistics.median(shown) * 1e3:6.2f} ms with the panel ({more[0] * 1e3:+.2f} ms; "
        f"{more[1] * 1e3:+.2f} ms at the 5th of 100, {more[2] * 1e3:+.2f} ms at the 95th); "
        f"{len(lists)} lists, {statistics.median(lists) * 1e3:.2f} ms each"
    )
    return more[0] <= BAR


async def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variables", type=int, default=50)
    arguments = parser.parse_args()
    kept = [await measured(Local(), "local", arguments)]
    with jupyter_server(Path(tempfile.mkdtemp()), token="bench") as server:
        there = Server(server.url, Secret(server.token))
        kept.append(await measured(there, "Jupyter server", arguments))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
