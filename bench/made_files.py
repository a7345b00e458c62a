"""What it costs to know which files a cell made: in an empty folder, and in one of ten thousand files.

    python -m bench.made_files [--files 10000] [--rounds 30]

First the comparison alone, as it is done after a cell: where nothing was written, where one file was, and
where all of them have to be read, as on systems that tell of no changes. Then a cell's round trip without it
and with it, in turns, in the same kernel: here, and with `--server` on a Jupyter server, whose kernel looks.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.kernel.servers import jupyter_server

from coderunner.files.changes import local_stamps
from coderunner.files.changes.local_changes import LocalChanges
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret

WARM = 5
EACH = 500
"""Files in a folder of the large one."""


def fill(folder: Path, count: int) -> None:
    """Make so many files, in folders."""
    for number in range(count):
        place = folder / f"part-{number // EACH}"
        if number % EACH == 0:
            place.mkdir()
        (place / f"{number}.csv").write_text("a,b\n")


def told(times: list[float]) -> str:
    """The median and the best, in milliseconds."""
    return f"{statistics.median(times) * 1e3:8.3f} ms, {min(times) * 1e3:.3f} ms at best"


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(folder: Path, rounds: int) -> None:
    """The comparison alone."""
    changes = LocalChanges(folder)
    changes.settle()
    print("  nothing was written:   ", told([timed(lambda: changes.still) for _ in range(rounds)]))
    wrote = []
    for number in range(rounds):
        (folder / "out.csv").write_text(str(number))
        wrote.append(timed(changes.take))
    print("  one file was written:  ", told(wrote))
    print(
        "  every file is read:    ", told([timed(lambda: local_stamps.read(folder)) for _ in range(rounds)])
    )
    changes.close()


def cells(where: KernelLocation, rounds: int) -> None:
    """A cell's round trip without a comparison and with it, in turns."""
    with tempfile.TemporaryDirectory() as home:
        sessions = Sessions(Path(home))
        session = sessions.get("bench", where)

        def block(source: str) -> None:
            result = session.begin(source).wait(60)
            assert result is not None
            assert result.status is Status.OK

        ways: dict[str, Callable[[], None]] = {
            "a cell, not compared: ": lambda: void(io_thread().call(session.execute("1"), 60)),
            "a cell, compared:     ": lambda: block("1"),
            "one that writes a file:": lambda: block("open('out.csv', 'w').write('x')"),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(WARM + rounds):
            for name, way in ways.items():
                took = timed(way)
                if number >= WARM:
                    times[name].append(took)
        for name, each in times.items():
            print(f"  {name}", told(each))
        io_thread().call(sessions.close_all(keep=False), 30)


def void(_result: object) -> None:
    """Nobody wants it."""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--server", action="store_true")
    options = parser.parse_args()
    for count in (0, options.files):
        with tempfile.TemporaryDirectory() as folder:
            fill(Path(folder), count)
            print(f"{count:,} files")
            compare(Path(folder), options.rounds)
            cells(Local(directory=folder), options.rounds)
    if options.server:
        with tempfile.TemporaryDirectory() as folder, jupyter_server(Path(folder), token="bench") as jupyter:
            print("on a Jupyter server")
            cells(Server(jupyter.url, Secret("bench")), options.rounds)


if __name__ == "__main__":
    main()
