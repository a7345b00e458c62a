"""Rows that no database takes: they hold up nothing else, and a person is told of them."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, text

from coderunner.errors import NotRecordable
from coderunner.outputs import (
    DisplayData,
    Error,
    ExecuteResult,
    Output,
    Result,
    Status,
    Stream,
    in_nbformat,
)
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.database.conversation_queries import NOT_KEPT as UNSAID
from coderunner.records.database.conversation_queries import StoredMessage
from coderunner.records.database.run_queries import NOT_KEPT, Key
from coderunner.records.notebook_format import notebook
from coderunner.records.run_registry import Records
from coderunner.text.json_reader import DEPTH, too_deep
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, known, sent

BOUND = 20.0
DEEP: Any = 0
for _ in range(5_000):
    DEEP = [DEEP]

FINE: list[Output] = [Stream("stdout", "fine\n"), ExecuteResult({"text/plain": "1"}, execution_count=1)]
HOSTILE: dict[str, Output] = {
    "a set, which JSON has not": DisplayData({"application/json": {1, 2}}),
    "bytes": DisplayData({"image/png": b"\x89PNG"}),
    "a number of our own kind": DisplayData({"application/json": 1j}),
    "a key that is none": DisplayData({"application/json": {("a", "b"): 1}}),
}
"""What no text can be made of: the kernel room lets nothing such through, a bug of ours might."""
STRANGE: dict[str, Output] = {
    "NUL": Stream("stdout", "a\0b"),
    "half a character": Stream("stdout", "\ud83d"),
    "NUL in a MIME type": DisplayData({"text/\0": "\0"}),
    "no number": DisplayData({"application/json": [float("nan"), float("inf")]}),
    "a long number": DisplayData({"application/json": 10**4_000}),
    "an error with all of it": Error("\0", "\ud83d", ("\udea2\0",)),
}
"""What is kept as it is."""


def kept(records: Records, key: Key) -> Result:
    result = known(records.recall(key, CODE)).result
    assert result is not None
    return result


@behaviour("records:unfit:alone")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE.values(), *STRANGE.values(), *FINE]), min_size=1, max_size=6))
def test_among_outputs_that_cannot_be_kept_all_that_can_are_kept(shown: list[Output]) -> None:
    records = Records(Database(MEMORY))
    bad, good = Key("hostile", "m", 0), Key("good", "m", 0)
    entry = sent(records.claim(bad, CODE))
    sent(records.claim(good, CODE)).finish(FIFTEEN)
    for index, output in enumerate(shown):
        entry.show(index, output)
    entry.finish(Result(tuple(shown), Status.ERROR, execution_count=10**25, duration=float("inf")))
    assert records.settle(BOUND)
    assert kept(records, good) == FIFTEEN
    result = kept(records, bad)
    hostile = list(HOSTILE.values())
    assert repr(result.outputs) == repr(tuple(NOT_KEPT if each in hostile else each for each in shown))
    assert (result.status, result.execution_count, result.duration) == (Status.ERROR, None, 0.0)
    told = "Something could not be saved" in records.trouble("hostile")
    assert told == any(each in hostile for each in shown)
    assert records.trouble("good") == ""
    records.close()


@behaviour("records:unfit:alone")
@pytest.mark.parametrize("count", [10**25, 2**63, 2**31, -(10**25), True, 1.5, "1"])
def test_a_count_that_no_database_takes_is_none(records: Records, count: Any) -> None:
    key = Key("c", "m", 0)
    sent(records.claim(key, CODE)).finish(Result(execution_count=count))
    assert records.settle(BOUND)
    assert kept(records, key).execution_count is None


@behaviour("records:unfit:alone")
@pytest.mark.parametrize("output", STRANGE.values(), ids=STRANGE)
def test_what_a_program_may_show_is_kept_as_it_is(records: Records, output: Output) -> None:
    key = Key("c", "m", 0)
    sent(records.claim(key, CODE)).finish(Result((output,)))
    assert records.settle(BOUND)
    assert repr(kept(records, key).outputs) == repr((output,))


@behaviour("records:unfit:alone")
def test_of_what_is_nested_too_deep_the_levels_above_are_kept_and_exported(records: Records) -> None:
    key = Key("c", "m", 0)
    deep = DisplayData({"application/json": DEEP, "text/plain": "deep"}, {"application/json": DEEP})
    sent(records.claim(key, CODE)).finish(Result((deep,)))
    records.conversations.keep("c", "c", (StoredMessage("user", "deep"),))
    assert records.settle(BOUND)
    (output,) = kept(records, key).outputs
    assert isinstance(output, DisplayData)
    assert output.data["text/plain"] == "deep"
    assert not too_deep(output.data["application/json"], DEPTH)
    assert in_nbformat(output)["output_type"] == "display_data"
    chat = records.conversations.find("c")
    assert chat is not None
    assert not too_deep(notebook(chat), DEPTH + 20)


@behaviour("records:unfit:alone")
@pytest.mark.parametrize("tokens", [10**30, -(10**30)])
def test_a_conversation_is_kept_with_a_count_of_tokens_of_any_length(records: Records, tokens: int) -> None:
    said = (StoredMessage("user", "a\0\ud83d"), StoredMessage("assistant", "b", reply="r", tokens=tokens))
    records.conversations.keep("one", "one", said)
    records.conversations.keep("other", "other", (StoredMessage("user", "fine"),))
    assert records.settle(BOUND)
    assert {summary.id for summary in records.conversations.cards()} == {"one", "other"}
    chat = records.conversations.find("one")
    assert chat is not None
    assert [each.text for each in chat.sayings] == ["a\0\ud83d", "b"]


@behaviour("records:unfit:alone")
def test_what_was_said_and_cannot_be_kept_is_replaced_by_words(records: Records) -> None:
    bad: Any = {"not": "a text"}, object()
    said = (
        StoredMessage("user", "before"),
        StoredMessage("user", "x", reply=bad),
        StoredMessage("assistant", "after", reply="r"),
    )
    records.conversations.keep("one", "one", said)
    assert records.settle(BOUND)
    chat = records.conversations.find("one")
    assert chat is not None
    assert [each.text for each in chat.sayings] == ["before", UNSAID, "after"]
    assert "could not be saved" in records.trouble("one")


@behaviour("records:unfit:alone")
def test_a_text_beyond_what_the_database_takes_holds_up_no_other(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")
    records = Records(store)

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        """Have SQLite's bound for all texts, a billion characters, small here."""
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 50_000)

    event.listen(store._engine, "checkout", limit)
    big, small = Key("c", "m", 0), Key("c", "m", 1)
    sent(records.claim(big, CODE)).finish(Result((Stream("stdout", "x" * 60_000), FINE[0]), Status.ERROR))
    sent(records.claim(small, CODE)).finish(FIFTEEN)
    assert records.settle(BOUND)
    assert kept(records, small) == FIFTEEN
    assert (kept(records, big).outputs, kept(records, big).status) == ((NOT_KEPT, FINE[0]), Status.ERROR)
    records.close()


@behaviour("records:unfit:said")
def test_a_row_that_no_database_takes_is_told_apart_from_a_database_that_is_away(tmp_path: Path) -> None:
    store = Database(f"sqlite:///{tmp_path / 'records.sqlite'}")

    def take(connection: Connection, value: object) -> None:
        connection.execute(text("SELECT :a"), {"a": value})

    for value in (10**25, "\ud83d"):
        with pytest.raises(NotRecordable, match="cannot save this"):
            store.write(take, value)
    store.close()


NAMES = ["a" * 199 + "\0", "\0", "\ud83d", "x" * 5_000, "ä" * 201, "Ä", "ä", "a ", "a", " a", "%", "a_"]


@behaviour("records:unfit:names")
def test_names_of_any_letters_and_length_are_told_apart(records: Records) -> None:
    keys = [Key(name, name, 0) for name in NAMES]
    for number, key in enumerate(keys):
        sent(records.claim(key, CODE)).finish(Result(execution_count=number))
    assert records.settle(BOUND)
    assert [kept(records, key).execution_count for key in keys] == list(range(len(NAMES)))
    assert [len(records.of(name)) for name in NAMES] == [1] * len(NAMES)
