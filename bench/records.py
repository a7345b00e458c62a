"""What it costs to write a run down: before it is sent, and when it has ended.

The bar: at most 1.5 ms for claiming and finishing on SQLite, and no wait at all for the kernel's thread.
Beside it a PostgreSQL server of this machine, on a Unix socket. There each step is on the disk; in
a file only what comes before the cell is sent.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from tests.postgresql import Server, why_not

from coderunner.outputs import DisplayData, Result, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.run_queries import Key
from coderunner.records.open_records import open_records
from coderunner.records.run_registry import Records

RUNS = 500
SMALL = Result((Stream("stdout", "15\n"),), execution_count=1, duration=0.004)
PICTURE = Result((DisplayData({"image/png": "a" * 200_000}),), execution_count=1, duration=0.2)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def one(records: Records, ordinal: int, result: Result) -> dict[str, float]:
    """One run, step by step, in milliseconds."""
    key, taken = Key("conversation", "message", ordinal), list[ActiveRun]()

    def claim() -> None:
        entry = records.claim(key, f"print({ordinal})")
        assert isinstance(entry, ActiveRun)
        taken.append(entry)

    steps = {"look": timed(lambda: records.recall(key, f"print({ordinal})")), "claim": timed(claim)}
    (entry,) = taken
    steps["send, on the disk"] = timed(entry.send)
    steps["show, in the kernel's thread"] = timed(lambda: entry.show(0, result.outputs[0]))
    finish = timed(lambda: entry.finish(result))
    steps["finish, in the kernel's thread"] = finish
    steps["until it is written, elsewhere"] = written = timed(records.settle)
    steps["claim and finish, all of it"] = both = steps["claim"] + finish + written
    steps[WHOLE] = both + steps["send, on the disk"]
    return steps


WHOLE = "claim, send and finish, all of it"


def table(records: Records, where: str) -> float:
    """Print what small and large outputs cost there; gives the median of a small run, in milliseconds."""
    small = 0.0
    for _ in range(20):
        one(records, -1 - _, SMALL)
    for name, result in (("a line of text", SMALL), ("a picture of 200 kB", PICTURE)):
        runs = [one(records, RUNS * len(name) + number, result) for number in range(RUNS)]
        print(f"{f'{where}, {name}, ms':46} {'median':>8} {'19 of 20':>9}")
        for step in runs[0]:
            every = [run[step] for run in runs]
            print(f"{step:46} {median(every):8.2f} {quantiles(every, n=20)[-1]:9.2f}")
        small = small or median([run[WHOLE] for run in runs])
        print()
    return small


def server(postgresql: Server, in_a_file: float) -> None:
    """The same on a PostgreSQL server of this machine, on its disk."""
    postgresql.start(fsync="on", autovacuum="on")
    records = open_records(postgresql.url(), Path())
    ratio = table(records, "PostgreSQL") / in_a_file
    records.close()
    print(f"a run takes {ratio:.2f} times as long to be saved on PostgreSQL as on SQLite\n")


def main() -> None:
    """Print a table for each place where records are kept."""
    with tempfile.TemporaryDirectory() as folder:
        records = open_records("", Path(folder))
        in_a_file = table(records, "SQLite")
        records.close()
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(f"{2 * RUNS} runs, half of them with the same picture: {size / 1e6:.1f} MB\n")
    if reason := why_not():
        print(f"no PostgreSQL: {reason}")
    else:
        postgresql = Server()
        try:
            server(postgresql, in_a_file)
        finally:
            postgresql.remove()
    load = "import time, coderunner.records.run_registry; print(time.process_time())"
    told = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True).stdout
    print(f"a process that has imported it took {float(told):.2f} s of a processor")


if __name__ == "__main__":
    main()
