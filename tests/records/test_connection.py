"""The database: private, brought up to date, and silent about its password."""

import logging
import os
import re
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from coderunner.errors import RecordsUnavailable
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.schema import VERSION
from coderunner.records.open_records import open_records
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, known, sent

CANARY = "s3cr3t/canary?1"


@behaviour("records:database:private")
@pytest.mark.skipif(sys.platform == "win32", reason="has other rights")
def test_the_file_and_its_companions_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        records = open_records("", tmp_path)
        sent(records.claim(KEY, CODE)).finish(FIFTEEN)
        records.settle()
    finally:
        os.umask(before)
    folder = tmp_path / "records"
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [folder, *folder.iterdir()]}
    records.close()
    assert modes == {
        "records": 0o700,
        "records.sqlite": 0o600,
        "records.sqlite-wal": 0o600,
        "records.sqlite-shm": 0o600,
    }


@behaviour("records:database:newer")
def test_tables_of_a_later_version_are_left_alone(address: str) -> None:
    store = Database(address)
    store.write(lambda connection: connection.execute(update(VERSION).values(version=99)))
    store.close()
    said = rf"^the records in {re.escape(store.place)} are from a newer CodeRunner \(version 99\); update"
    for waits in (False, True):
        with pytest.raises(RecordsUnavailable, match=said):
            Database(address, wait=waits)


@behaviour("records:database:sentence")
@pytest.mark.parametrize(
    "address",
    [
        CANARY,
        f"postgresql+nodriver://me:{CANARY}@127.0.0.1:1/db",
        f"postgresql://me:a@{CANARY}@127.0.0.1:1/db",
        f"postgresql://me:a@b/{CANARY}@127.0.0.1:1/db",
        f"postgresql://me:a@b:c{CANARY}@127.0.0.1:1/db",
        "nodialect://me:s3cr3t@127.0.0.1:1/db",
        "mysql+pymysql://me:s3cr3t@127.0.0.1:1/db",
        "sqlite:////proc/nowhere/s3cr3t.sqlite",
        "sqlite:////dev/null/records.sqlite",
        "",
    ],
)
def test_what_is_wrong_is_one_sentence_without_the_password(address: str) -> None:
    with pytest.raises(RecordsUnavailable) as caught:
        Database(address)
    sentence = str(caught.value)
    assert "canary" not in sentence
    assert ":s3cr3t" not in sentence
    assert "\n" not in sentence
    assert caught.value.__cause__ is None


@behaviour("records:database:memory")
def test_without_a_database_runs_are_kept_in_memory_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        records = open_records("sqlite:////dev/null/records.sqlite", Path("/nowhere"))
        sent(records.claim(KEY, CODE)).finish(FIFTEEN)
        records.settle()
        assert known(records.claim(KEY, CODE)).result == FIFTEEN
        records.close()
    assert ["kept in memory only" in each for each in caplog.messages] == [True]


@behaviour("records:database:memory")
def test_a_database_that_others_use_too_is_not_done_without() -> None:
    address = "nodialect://me:s3cr3t@127.0.0.1/db"
    with pytest.raises(
        RecordsUnavailable, match="records are kept in SQLite or PostgreSQL, not in nodialect; "
    ):
        open_records(address, Path("/nowhere"))
    records = open_records(address, Path("/nowhere"), fallback="any")
    assert "kept in memory only" in records.trouble()
    records.close()


@behaviour("records:database:away")
def test_what_the_database_cannot_take_now_is_written_when_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "records.sqlite"
    records = Records(Database(f"sqlite:///{path}"))
    entry = sent(records.claim(KEY, CODE))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("ALTER TABLE coderunner_runs RENAME TO elsewhere")
    entry.finish(FIFTEEN)
    assert not records.settle(1.0)
    with pytest.raises(RecordsUnavailable):
        records.claim(KEY, CODE)
    blocker.execute("ALTER TABLE elsewhere RENAME TO coderunner_runs")
    blocker.close()
    assert records.settle(20.0)
    assert known(records.claim(KEY, CODE)).result == FIFTEEN
    assert not isinstance(records.claim(KEY, CODE), ActiveRun)
    records.close()
    away, back = caplog.messages
    assert away.endswith("trying again")
    assert back == "the records can be saved again"
