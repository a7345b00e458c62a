"""A database that is full, locked, read-only or removed while runs go on."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from coderunner.errors import RecordsUnavailable
from coderunner.outputs import Cell, Result, Status, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.conversation_queries import StoredMessage
from coderunner.records.database.run_queries import Key
from coderunner.records.open_records import open_records
from coderunner.records.run_once import RecordedRuns
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, known, sent

BOUND = 20.0
BIG = Result((Stream("stdout", "x" * 2_000_000),), execution_count=2)
OTHER = Key("conversation", "message", 1)


@contextmanager
def while_it_holds(store: Database, pragma: str, then: str) -> Iterator[None]:
    """Have a pragma for each connection, and another one afterwards."""
    holds = threading.Event()
    holds.set()
    # It stays: a listener that is removed while another thread calls it is an error of its own.
    event.listen(
        store._engine,
        "checkout",
        lambda connection, *_: connection.execute(f"PRAGMA {pragma if holds.is_set() else then}"),
    )
    yield
    holds.clear()


def full(_path: Path, store: Database) -> AbstractContextManager[None]:
    """Nothing more fits, as on a disk that is full: SQLite says the same of both."""
    # Which SQLite raises to what there is.
    return while_it_holds(store, "max_page_count = 1", "max_page_count = 4294967294")


@contextmanager
def locked(path: Path, _store: Database) -> Iterator[None]:
    """Another process writes, and does not end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def read_only(_path: Path, store: Database) -> AbstractContextManager[None]:
    """It may be read and not written, as where the disk was mounted anew after a fault."""
    return while_it_holds(store, "query_only = ON", "query_only = OFF")


WAYS = {
    "full": (full, "database or disk is full"),
    "locked": (locked, "database is locked"),
    "read-only": (read_only, "readonly database"),
}


def trouble(records: Records) -> str:
    """What a person is told, once they are: the heartbeat may be what first waits for the database."""
    until = time.monotonic() + BOUND
    while not (told := records.trouble("conversation")) and time.monotonic() < until:
        assert not records.settle(0.05)
    return told


@behaviour("records:database:full")
@pytest.mark.parametrize("way", WAYS)
def test_while_it_cannot_be_written_nothing_runs_and_afterwards_nothing_is_missing(
    tmp_path: Path, way: str
) -> None:
    path = tmp_path / "records.sqlite"
    store = Database(f"sqlite:///{path}", patience=0.2)
    records = Records(store)
    running = sent(records.claim(KEY, CODE))
    begin, reason = WAYS[way]
    runs = RecordedRuns(records, "conversation", "another")
    with begin(path, store):
        running.finish(BIG)
        records.conversations.keep("talk", "conversation", (StoredMessage("user", "y" * 100_000),))
        told = trouble(records)
        assert told.startswith("Not everything can be saved right now: ")
        assert reason in told
        assert not records.settle(0)
        refused = [runs.claim(Cell("x" * 100_000), ordinal) for ordinal in range(1)]
        assert not any(isinstance(each, ActiveRun) for each in refused)
    assert records.settle(BOUND)
    assert records.trouble("conversation") == ""
    assert known(records.recall(KEY, CODE)).result == BIG
    assert records.conversations.find("talk") is not None
    assert isinstance(runs.claim(Cell(CODE), 0), ActiveRun)
    records.close()


@behaviour("records:database:closes")
def test_a_database_that_takes_nothing_is_waited_for_once_however_much_is_left(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    store = Database(f"sqlite:///{path}")
    records = Records(store)
    running = [sent(records.claim(Key("conversation", "message", ordinal), CODE)) for ordinal in range(6)]
    tries: list[int] = []
    event.listen(store._engine, "checkout", lambda *_: tries.append(threading.get_ident()))
    with read_only(path, store):
        for each in running:
            each.finish(FIFTEEN)
        records.close()
    assert tries.count(threading.get_ident()) == 1


@behaviour("records:database:full")
def test_a_block_that_cannot_be_recorded_ends_in_words_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    store = Database(f"sqlite:///{path}")
    records = Records(store)
    with full(path, store):
        runs = RecordedRuns(records, "conversation", "message")
        found = runs.claim(Cell("x" * 100_000), 0)
        assert not isinstance(found, ActiveRun)
        result = found.result(0)  # type: ignore[union-attr]
    assert result.status is Status.UNRECORDED
    assert result.detail == f"{path} cannot save records: database or disk is full"
    records.close()


def whole_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def file_alone(folder: Path) -> None:
    (folder / "records" / "records.sqlite").unlink()


def file_and_companions(folder: Path) -> None:
    for each in (folder / "records").iterdir():
        each.unlink()


def replaced(folder: Path) -> None:
    shutil.rmtree(folder / "records")
    (folder / "records").mkdir(mode=0o700)
    (folder / "records" / "records.sqlite").write_bytes(b"")


REMOVALS: list[Callable[[Path], None]] = [whole_folder, file_alone, file_and_companions, replaced]


@behaviour("records:database:removed")
@pytest.mark.parametrize("remove", REMOVALS)
def test_where_the_file_is_removed_what_goes_on_is_kept_in_a_new_one(
    tmp_path: Path, remove: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data"
    records = open_records("", folder)
    said = (StoredMessage("user", "before"),)
    records.conversations.keep("talk", "conversation", said)
    running = sent(records.claim(KEY, CODE))
    running.show(0, Stream("stdout", "begun\n"))
    assert records.settle(BOUND)
    remove(folder)
    sent(records.claim(OTHER, CODE)).finish(FIFTEEN)
    done = Result((Stream("stdout", "begun\n"), Stream("stderr", "done\n")), execution_count=1)
    running.finish(done)
    records.conversations.keep(
        "talk", "conversation", (*said, StoredMessage("assistant", "after", reply="message"))
    )
    assert records.settle(BOUND)
    assert "were deleted while CodeRunner was running" in records.trouble("conversation")
    records.close()
    again = open_records("", folder)
    assert [known(again.recall(key, CODE)).result for key in (KEY, OTHER)] == [done, FIFTEEN]
    chat = again.conversations.find("talk")
    assert chat is not None
    assert [each.text for each in chat.sayings] == ["before", "after"]
    assert again.trouble() == ""
    again.close()


@behaviour("records:database:removed")
def test_a_conversation_that_somebody_deleted_stays_deleted_in_the_new_file(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    records = open_records("", folder)
    records.conversations.keep("talk", "conversation", (StoredMessage("user", "before"),))
    assert records.settle(BOUND)
    whole_folder(folder)
    records.conversations.keep("other", "other", (StoredMessage("user", "new"),))
    assert records.settle(BOUND)
    assert records.conversations.delete("other")
    records.conversations.keep("other", "other", (StoredMessage("user", "new"),))
    assert records.settle(BOUND)
    assert records.conversations.cards() == []
    records.close()


@behaviour("records:database:removed")
def test_where_no_new_file_can_be_made_nothing_runs_and_that_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    records = open_records("", folder)
    sent(records.claim(KEY, CODE)).finish(FIFTEEN)
    assert records.settle(BOUND)
    whole_folder(folder)
    folder.write_text("a file in its place")
    with pytest.raises(RecordsUnavailable, match=r"cannot save records: (Not a directory|File exists)"):
        records.claim(OTHER, CODE)
    folder.unlink()
    sent(records.claim(OTHER, CODE)).finish(FIFTEEN)
    assert records.settle(BOUND)
    assert known(records.recall(OTHER, CODE)).result == FIFTEEN
    records.close()


@behaviour("records:database:memory")
def test_that_records_are_in_memory_only_is_told_for_as_long_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")
    records = open_records("", tmp_path / "data")
    assert "kept in memory only" in records.trouble("conversation")
    records.close()
