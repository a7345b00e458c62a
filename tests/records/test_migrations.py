"""Tables of earlier versions; each `version-N.sql` was written by that version, with a run in every state."""

from pathlib import Path

import pytest

from coderunner.outputs import Aftermath, DisplayData, Error, Result, Status, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.claims import GONE
from coderunner.records.database import schema
from coderunner.records.database.connection import Database
from coderunner.records.database.conversation_queries import StoredMessage
from coderunner.records.database.run_queries import Key
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import write_tables

EARLIER = sorted(Path(__file__).parent.glob("version-*.sql"))

RUNS = [
    ("print(10 + 5)\n", Result((Stream("stdout", "15\n"),), execution_count=1, duration=0.004)),
    (
        "1 / 0  # Null: \x00\n",
        Result(
            (Error("ZeroDivisionError", "division by zero", ("frame",)),), Status.ERROR, execution_count=2
        ),
    ),
    ("figure\n", Result((DisplayData({"image/png": "0123456789abcdef" * 4200}),))),
    ("refused\n", Result(status=Status.REFUSED, detail="no kernel")),
    ("running\n", Result((Stream("stdout", "begun\n"),), Status.LOST, detail=GONE)),
    ("detached\n", Result((Stream("stdout", "so far\n"),), Status.LOST, Aftermath.READY, detail=GONE)),
    ("queued\n", Result(status=Status.ABORTED, detail="CodeRunner stopped before it was sent")),
]
"""What each version wrote, as it is once its process is known to be gone."""


@behaviour("records:database:migrated")
def test_there_is_a_file_for_each_earlier_version() -> None:
    assert len(EARLIER) == len(schema.MIGRATIONS)


@behaviour("records:database:migrated")
@pytest.mark.parametrize("file", EARLIER, ids=[path.stem for path in EARLIER])
def test_every_row_of_an_earlier_version_is_there(file: Path, address: str) -> None:
    write_tables(address, file)
    for _ in range(2):  # the second finds them up to date
        records = Records(Database(address))
        assert [(each.code, each.result) for each in records.of("conversation")] == RUNS
        records.close()


@behaviour("records:database:migrated")
@pytest.mark.parametrize("file", EARLIER, ids=[path.stem for path in EARLIER])
def test_migrated_tables_take_new_runs(file: Path, address: str) -> None:
    write_tables(address, file)
    records = Records(Database(address))
    entry = records.claim(Key("conversation", "message", 6), "queued\n")
    assert isinstance(entry, ActiveRun)
    assert entry.send()
    entry.finish(Result())
    records.settle()
    assert [each.result for each in records.of("conversation")][-1] == Result()
    records.close()


@behaviour("records:database:migrated")
@pytest.mark.parametrize("file", EARLIER, ids=[path.stem for path in EARLIER])
def test_migrated_tables_take_conversations(file: Path, address: str) -> None:
    write_tables(address, file)
    records = Records(Database(address))
    records.conversations.keep("id", "conversation", [StoredMessage("user", "hello")])
    assert records.settle()
    chat = records.conversations.find("id")
    assert chat is not None
    assert [each.code for each in chat.records] == [code for code, _ in RUNS]
    assert {(each.request, each.later) for each in chat.records} == {("", ())}
    assert records.conversations.delete("id")
    assert records.of("conversation") == []
    records.close()


@behaviour("records:chats:versions")
def test_what_was_said_before_there_were_versions_is_one_path(address: str) -> None:
    write_tables(address, EARLIER[0].with_name("version-9.sql"))
    records = Records(Database(address))
    chat = records.conversations.find("talk")
    assert chat is not None
    assert chat.sayings == chat.versions
    assert [(each.text, each.previous, each.shown) for each in chat.sayings] == [
        ("What is 10 + 5?", None, True),
        ("It is 15.", None, True),
        ("And 20?", None, True),
        ("25.", None, True),
    ]
    records.close()
