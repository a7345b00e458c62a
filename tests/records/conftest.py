"""Records in a file; and in the database of `CODERUNNER_TEST_DATABASE`, which is emptied."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import create_engine

from coderunner.outputs import Result, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Key, Record
from coderunner.records.database.schema import METADATA
from coderunner.records.run_registry import Records

DATABASE = os.environ.get("CODERUNNER_TEST_DATABASE", "")
KEY = Key("conversation", "message", 0)
CODE = "print(10 + 5)\n"
FIFTEEN = Result((Stream("stdout", "15\n"),), execution_count=1, duration=0.01)


class Open(Protocol):
    """Opens the records once more, as another process does; `person` looks at them."""

    def __call__(self, person: str = "") -> Records:
        """Open them."""


@pytest.fixture(params=["a file", *(["a server"] if DATABASE else [])])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where records are kept in this test."""
    if request.param == "a file":
        yield f"sqlite:///{tmp_path / 'records.sqlite'}"
        return
    yield DATABASE
    engine = create_engine(DATABASE)
    METADATA.drop_all(engine)
    engine.dispose()


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
