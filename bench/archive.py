"""What many conversations cost: the list of them, a search in them, a long one that goes on.

Run with `python -m bench.archive`. The places hold 100 conversations and 10,000, of ten messages each, and
100,000 runs; a conversation of 1,000 turns is opened and written on. Beside the file of SQLite a PostgreSQL
server of this machine. The bars: the list of 10,000 at most 1.5 times that of 100; a search at most 100 ms.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median

from sqlalchemy import Connection, insert
from tests.postgresql import Server, why_not

from coderunner.records.database.connection import Database
from coderunner.records.database.conversation_queries import StoredMessage, columns
from coderunner.records.database.schema import CHATS, RUNS, SAYINGS
from coderunner.records.open_records import open_records
from coderunner.records.run_registry import Records

FEW, MANY, RUNS_OF_ALL, TURNS, SHOWN = 100, 10_000, 100_000, 1_000, 200
LETTERS = "etaoinshrdlucmfwygpbvk"
NOW = time.time()


def words(random: Random, count: int = 4000) -> list[str]:
    """Words of a language: few of them are frequent."""
    return ["".join(random.choices(LETTERS, k=random.randint(2, 10))) for _ in range(count)]


def said(random: Random, language: list[str], characters: int) -> str:
    """A message of some length."""
    return " ".join(
        random.choices(language[:400], k=characters // 9) + random.choices(language, k=characters // 18)
    )


def fill(connection: Connection, person: str, count: int, runs: int) -> tuple[str, str]:
    """Write conversations and runs; gives a frequent word and a rare one."""
    random = Random(1)
    language = words(random)
    for first in range(0, count, 500):
        numbers = range(first, min(first + 500, count))
        chats = [
            {
                "id": f"c{number}",
                "person": person,
                "label": f"l{number}",
                "title": said(random, language, 60),
                "named": 0,
                "created": NOW - number,
                "changed": NOW - number,
                "pinned": 0,
            }
            for number in numbers
        ]
        connection.execute(insert(CHATS), chats)
        rows = [
            {"chat": f"c{number}", "position": at, **columns(at, message(random, language, at))}
            for number in numbers
            for at in range(10)
        ]
        connection.execute(insert(SAYINGS), rows)
    for first in range(0, runs, 1000):
        connection.execute(insert(RUNS), [run(number, count) for number in range(first, first + 1000)])
    return language[0], language[-1]


def message(random: Random, language: list[str], at: int) -> StoredMessage:
    """A question, or a reply of some length."""
    if at % 2:
        return StoredMessage("assistant", said(random, language, 900), reply=f"r{at}")
    return StoredMessage("user", said(random, language, 100))


def run(number: int, chats: int) -> dict[str, object]:
    """A run that has ended."""
    at = {"conversation": f"l{number % chats}", "message": f"r{number // chats}", "ordinal": number % 7}
    how = {
        "code_hash": f"{number:064}",
        "attempt": 0,
        "code": "print(10 + 5)\n",
        "owner": "x",
        "state": "ended",
    }
    ended = {"status": "ok", "aftermath": "ready", "duration": 0.1, "created": NOW, "sent": NOW, "ended": NOW}
    return {"id": f"{number:032}", **at, **how, **ended}


def timed(work: Callable[[], object], rounds: int = 9) -> float:
    """The median of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return median(times)


@contextmanager
def place(url: str, folder: Path) -> Iterator[Records]:
    """Records that are closed at the end."""
    records = open_records(url, folder)
    try:
        yield records
    finally:
        records.close()


def measure(url: str, folder: Path, count: int, runs: int) -> dict[str, float]:
    """What the steps take there, in milliseconds."""
    with place(url, folder) as records:
        store: Database = records.conversations._store
        often, rare = store.write(fill, records.conversations._person, count, runs)
        chats = records.conversations
        steps = {
            "the list": timed(lambda: chats.listing(SHOWN, "c7")),
            "a search for a frequent word": timed(lambda: chats.cards(often, SHOWN + 1)),
            "a search for a rare word": timed(lambda: chats.cards(rare, SHOWN + 1)),
            "a search for what is nowhere": timed(lambda: chats.cards("xylophone", SHOWN + 1)),
            "a search for three words": timed(lambda: chats.cards(f"{often} {rare} e", SHOWN + 1)),
            "a search for two letters": timed(lambda: chats.cards("zz", SHOWN + 1)),
            "a search in Cyrillic": timed(lambda: chats.cards("\u0451\u0436\u0438\u043a", SHOWN + 1)),
            "opening one": timed(lambda: chats.find("c7")),
        }
        language = words(Random(2))
        talk = [message(Random(at), language, at) for at in range(2 * TURNS)]
        chats.keep("long", "long", talk)
        records.settle()

        def write_on() -> None:
            talk.append(message(Random(0), language, len(talk)))
            chats.keep("long", "long", list(talk))
            records.settle()

        steps[f"one more message of {TURNS:,} turns"] = timed(write_on)
        steps[f"opening {TURNS:,} turns"] = timed(lambda: chats.find("long"))
        return steps


def table(where: str, few: dict[str, float], many: dict[str, float]) -> None:
    """Print both side by side."""
    print(f"{where + ', ms':36} {FEW:>8,} {MANY:>8,}    ratio")
    for step, took in few.items():
        print(f"{step:36} {took:8.2f} {many[step]:8.2f} {many[step] / took:8.2f}")
    print()


def main() -> None:
    """Print a table for each place where records are kept."""
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        few = measure("", Path(small), FEW, RUNS_OF_ALL // MANY * FEW)
        many = measure("", Path(large), MANY, RUNS_OF_ALL)
        table("SQLite", few, many)
        size = sum(path.stat().st_size for path in Path(large).rglob("*") if path.is_file())
        print(f"the file of {MANY:,} conversations and {RUNS_OF_ALL:,} runs: {size / 1e6:.0f} MB\n")
    if reason := why_not():
        print(f"no PostgreSQL: {reason}")
        return
    postgresql = Server()
    try:
        postgresql.start(fsync="on", autovacuum="on")
        few = measure(postgresql.url(), Path(), FEW, RUNS_OF_ALL // MANY * FEW)
        postgresql.remove()
        postgresql = Server()
        postgresql.start(fsync="on", autovacuum="on")
        table("PostgreSQL", few, measure(postgresql.url(), Path(), MANY, RUNS_OF_ALL))
    finally:
        postgresql.remove()


if __name__ == "__main__":
    main()
