"""What a sandbox costs: a kernel's start and its cells in one, beside those of a kernel without, as ratios.

    python -m bench.sandbox [--starts 15] [--cells 200]

Both take turns, in another order each time. `files` is a cell that looks at 2,000 files, `imports` one that
imports what has many of them for the first time.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from coderunner.kernel.connections import local_kernel
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.io_thread import io_thread
from coderunner.outputs import Status
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox

PLAIN, BOXED = "plain", "sandboxed"
CELLS = {
    "cell": "print(10 + 5)",
    "files": "import os\nfor _ in range(2000): os.stat('/usr/lib')",
}
IMPORTS = "import ipykernel.comm, IPython.core.completer, email.mime.text, http.server, unittest.mock"
RATIO, MILLISECONDS = 1.05, 30
"""The bars: of a cell, and of a start."""
OF_IMPORTS = {"landlock": 1.1}
"""What imports may take, where that is more: for each file that is opened, Landlock looks at the rules of all
the folders on the way to it. In namespaces there is nothing of the kind."""
WARM = 20
"""Cells before the measurement."""

Times = dict[str, dict[str, list[float]]]


class Bench:
    """Two kernels and what was measured on both."""

    def __init__(self, folder: Path) -> None:
        self._sandboxes = {PLAIN: None, BOXED: KernelSandbox()}
        self._folder = folder
        self._kernels: dict[str, tuple[local_kernel.LocalKernel, KernelClient]] = {}
        self.times: Times = {}

    def start(self, name: str) -> None:
        """Start a kernel."""

        async def run() -> None:
            kernel = await local_kernel.start("python3", self._folder, sandbox=self._sandboxes[name])
            self._kernels[name] = kernel, KernelClient(kernel)

        io_thread().call(run())

    def end(self, name: str) -> None:
        """End a kernel, if there is one."""
        if name in self._kernels:
            io_thread().call(self._kernels.pop(name)[0].close())

    def cell(self, name: str, source: str) -> None:
        """Run a cell."""

        async def run() -> None:
            result = await self._kernels[name][1].execute(source, deadline=60)
            assert result.status is Status.OK, result

        io_thread().call(run())

    def measure(self, what: str, times: int, act: Callable[[str], None]) -> None:
        """Do something with both, in turns."""
        taken = self.times.setdefault(what, {PLAIN: [], BOXED: []})
        turns, chance = [PLAIN, BOXED], random.Random(times)
        for _ in range(times):
            chance.shuffle(turns)
            for name in turns:
                started = time.perf_counter()
                act(name)
                taken[name].append(time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=15, help="kernels of each kind")
    parser.add_argument("--cells", type=int, default=200, help="cells of each kind")
    arguments = parser.parse_args()
    if not available():
        print(f"no sandbox here: {available().why}")
        return
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        for _ in range(arguments.starts):
            for name in (PLAIN, BOXED):
                bench.end(name)
            bench.measure("start", 1, bench.start)
            bench.measure("imports", 1, lambda name: bench.cell(name, IMPORTS))
        for name in (PLAIN, BOXED):
            for _ in range(WARM):
                bench.cell(name, CELLS["cell"])
        for what, source in CELLS.items():
            bench.measure(what, arguments.cells, partial(bench.cell, source=source))
        for name in (PLAIN, BOXED):
            bench.end(name)
    report(bench.times)


def report(times: Times) -> None:
    """Print the table, and whether the bars hold."""
    print(f"{available().backend:12}{'plain ms':>10}{'sandboxed ms':>14}{'ratio':>8}{'more ms':>9}  bar")
    for what, taken in times.items():
        plain, boxed = (statistics.median(taken[name]) * 1000 for name in (PLAIN, BOXED))
        ratio, more = boxed / plain, boxed - plain
        most = OF_IMPORTS.get(available().backend, RATIO) if what == "imports" else RATIO
        held = more <= MILLISECONDS if what == "start" else ratio <= most
        bar = f"{MILLISECONDS} ms more" if what == "start" else f"{most:.2f}"
        verdict = "held" if held else "MISSED"
        print(f"{what:12}{plain:10.2f}{boxed:14.2f}{ratio:8.2f}{more:9.2f}  {bar} {verdict}")


if __name__ == "__main__":
    main()
