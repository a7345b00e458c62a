"""Records in a file, and on a PostgreSQL server: all that is promised of them holds for both."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine, make_url

from coderunner.outputs import Result, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Key, Record
from coderunner.records.run_registry import Records
from tests.postgresql import Server, own_postgresql, postgresql

__all__ = ["own_postgresql", "postgresql"]

PLACES = ("sqlite", "postgresql")

KEY = Key("conversation", "message", 0)
CODE = "print(10 + 5)\n"
FIFTEEN = Result((Stream("stdout", "15\n"),), execution_count=1, duration=0.01)


class Open(Protocol):
    """Opens the records once more, as another process does; `person` looks at them."""

    def __call__(self, person: str = "") -> Records:
        """Open them."""


@pytest.fixture(params=PLACES)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where records are kept in this test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'records.sqlite'}"
    server: Server = request.getfixturevalue("postgresql")
    return server.schema()


def write_tables(address: str, script: Path) -> None:
    """Have the tables there that an earlier version wrote, from what SQLite says of them."""
    statements = script.read_text(encoding="utf-8").removesuffix("COMMIT;\n").split(";\n")[1:-1]
    # A server wants a table to be there when another one refers to it.
    statements.sort(key=lambda each: (_rank(each), each.startswith("INSERT")))
    drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
    url = make_url(address)
    engine = create_engine(url.set(drivername=drivers[url.drivername]))
    with engine.begin() as connection:
        for statement in statements:
            connection.connection.cursor().execute(statement)
    engine.dispose()


def _rank(statement: str) -> int:
    first = ("coderunner_blobs", "coderunner_chats", "coderunner_runs")
    if statement.startswith("CREATE INDEX"):
        return 2
    return int(re.findall(r"coderunner_\w+", statement)[0] not in first)


@pytest.fixture
def replica(address: str) -> Iterator[Open]:
    """Opens the records once more, as another process does."""
    opened: list[Records] = []

    def another(person: str = "") -> Records:
        opened.append(Records(Database(address), person=person))
        return opened[-1]

    yield another
    for each in opened:
        each.close()


@pytest.fixture
def records(replica: Open) -> Records:
    return replica()


def claimed(found: ActiveRun | Record) -> ActiveRun:
    assert isinstance(found, ActiveRun)
    return found


def known(found: ActiveRun | Record | None) -> Record:
    assert isinstance(found, Record)
    return found


def crash(records: Records) -> None:
    """Its process is gone: it writes no more, and nobody answers to its name."""
    records._writer.close()
    records._store.write(records._leases.leave)


def sent(found: ActiveRun | Record) -> ActiveRun:
    entry = claimed(found)
    assert entry.send()
    return entry
