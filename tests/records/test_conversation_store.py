"""Conversations: written down as they grow, listed, found, renamed, deleted, forgotten."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from coderunner.outputs import Result, Status, Stream
from coderunner.records.database.conversation_queries import ConversationSummary, StoredMessage
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Key
from coderunner.records.run_registry import Records, _forget
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, Open, crash, sent

ASKED = StoredMessage("user", "What is 10 + 5? \x00 \ud800")
BLOCK = MessagePart(Kind.BLOCK, f"```python\n{CODE}```\n", "Result: 15\n", 0)
ANSWER = StoredMessage(
    "assistant",
    f"```python\n{CODE}```\nResult: 15\nIt is 15.",
    (BLOCK, MessagePart(Kind.PROSE, "It is 15.")),
    reply="r",
    tokens=7,
)
TALK = (ASKED, ANSWER)


def talk(*words: str) -> list[StoredMessage]:
    return [StoredMessage("user", each) for each in words]


def titles(records: Records, search: str = "") -> list[str]:
    records.settle()
    return [summary.title for summary in records.conversations.cards(search)]


def put(records: Records, identity: str, *words: str) -> None:
    """Write a conversation down, after those that are there already."""
    records.conversations.keep(identity, f"label of {identity}", talk(*words))
    records.settle()


@behaviour("records:chats:exact")
def test_a_conversation_is_read_as_it_was_written_with_what_its_blocks_came_to(replica: Open) -> None:
    here, there = replica(), replica()
    sent(here.claim(Key("label", "r", 0), CODE)).finish(FIFTEEN)
    here.conversations.keep("id", "label", TALK)
    here.settle()
    chat = there.conversations.find("id")
    assert chat is not None
    assert (chat.id, chat.label, chat.sayings) == ("id", "label", TALK)
    assert [run.result for run in chat.runs(ANSWER, BLOCK)] == [FIFTEEN]
    assert chat.runs(ANSWER, replace(BLOCK, ordinal=1)) == []
    assert there.conversations.find("another") is None


@behaviour("records:chats:exact")
def test_what_was_being_written_when_its_process_was_killed_says_so(replica: Open) -> None:
    here, there = replica(), replica()
    entry = sent(here.claim(Key("label", "r", 0), CODE))
    entry.show(0, Stream("stdout", "begun\n"))
    here.conversations.keep("id", "label", (ASKED, replace(ANSWER, text=BLOCK.text, finished=False)))
    here.settle()
    crash(here)
    there.sweep()
    chat = there.conversations.find("id")
    assert chat is not None
    (run,) = chat.runs(chat.sayings[1], BLOCK)
    assert not chat.sayings[1].finished
    assert run.result is not None
    assert (run.result.status, run.result.outputs) == (Status.LOST, (Stream("stdout", "begun\n"),))


@behaviour("records:chats:grows")
def test_only_what_differs_is_written(records: Records) -> None:
    put(records, "id", "one", "two", "three")
    rows: list[int] = []
    event.listen(
        records._store._engine,
        "before_cursor_execute",
        lambda _c, _u, statement, values, _x, many: (
            rows.append(len(values) if many else 1)
            if statement.startswith("INSERT INTO coderunner_sayings")
            else None
        ),
    )
    put(records, "id", "one", "two", "three")
    put(records, "id", "one", "two", "3", "four")
    put(records, "id", "one")
    assert rows == [2]
    chat = records.conversations.find("id")
    assert chat is not None
    assert chat.sayings == tuple(talk("one"))


@behaviour("records:chats:pinned")
def test_a_pinned_conversation_comes_first_until_it_is_pinned_no_more(replica: Open) -> None:
    here, there = replica(), replica()
    put(here, "a", "old")
    put(here, "b", "new")
    assert here.conversations.pin("a", pinned=True)
    assert [(card.title, card.pinned) for card in there.conversations.cards()] == [
        ("old", True),
        ("new", False),
    ]
    assert here.conversations.pin("a", pinned=False)
    assert titles(there) == ["new", "old"]
    assert not here.conversations.pin("nobody's", pinned=True)
    assert not replica("somebody else").conversations.pin("a", pinned=True)


FORKED = [
    StoredMessage("user", "apples", shown=False),
    StoredMessage("assistant", "Red.", reply="r"),
    StoredMessage("user", "pears", previous=-1),
    StoredMessage("assistant", "Green.", reply="s"),
]
"""The first message was edited."""


@behaviour("records:chats:versions")
def test_one_path_is_shown_and_the_other_versions_are_kept_and_found(replica: Open) -> None:
    here, there = replica(), replica()
    here.conversations.keep("id", "label", FORKED)
    here.settle()
    chat = there.conversations.find("id")
    assert chat is not None
    assert (chat.title, chat.sayings, chat.versions) == ("pears", tuple(FORKED[2:]), tuple(FORKED))
    assert (titles(there, "apples"), titles(there, "green")) == (["pears"], ["pears"])


@behaviour("records:chats:versions")
def test_showing_another_version_writes_two_rows_and_leaves_the_conversation_where_it_is_in_the_list(
    records: Records,
) -> None:
    records.conversations.keep("id", "label", FORKED)
    records.settle()
    put(records, "newer", "a newer one")
    statements, switched = [], [*FORKED]
    event.listen(
        records._store._engine,
        "before_cursor_execute",
        lambda _c, _u, statement, values, _x, many: (
            statements.append(len(values)) if statement.startswith("INSERT") and many else None
        ),
    )
    switched[0], switched[2] = replace(FORKED[0], shown=True), replace(FORKED[2], shown=False)
    records.conversations.keep("id", "label", switched)
    assert titles(records) == ["a newer one", "apples"]
    assert statements == [2]
    switched.append(StoredMessage("user", "more", previous=1))
    records.conversations.keep("id", "label", switched)
    assert titles(records) == ["apples", "a newer one"]
    chat = records.conversations.find("id")
    assert chat is not None
    assert [each.text for each in chat.sayings] == ["apples", "Red.", "more"]


@behaviour("records:chats:grows")
def test_a_conversation_goes_on_in_the_next_process(replica: Open) -> None:
    here, there = replica(), replica()
    put(here, "id", "one", "two")
    assert there.conversations.find("id") is not None
    put(there, "id", "one", "2")
    chat = here.conversations.find("id")
    assert chat is not None
    assert chat.sayings == tuple(talk("one", "2"))


@behaviour("records:chats:replicas")
def test_two_processes_in_one_conversation_hold_up_nothing(replica: Open) -> None:
    here, there = replica(), replica()
    put(here, "id", "one")
    assert there.conversations.find("id") is not None
    put(here, "id", "one", "here", "and more")
    put(there, "id", "one", "there")
    run = sent(there.claim(Key("label", "r", 0), CODE))
    run.finish(FIFTEEN)
    assert there.settle()
    chat, (ended,) = here.conversations.find("id"), here.of("label")
    assert chat is not None
    assert (chat.sayings, ended.result) == (tuple(talk("one", "there")), FIFTEEN)


@behaviour("records:chats:replicas")
def test_of_many_conversations_the_text_of_few_is_kept_in_memory(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.records.conversation_store.KNOWN", 2)
    for name in ("a", "b", "c"):
        put(records, name, "one")
    put(records, "a", "one", "two")
    assert len(records.conversations._known) == 2
    chat = records.conversations.find("a")
    assert chat is not None
    assert chat.sayings == tuple(talk("one", "two"))
    records.conversations.delete("b")
    put(records, "b", "one", "two")
    assert records.conversations.find("b") is None


@behaviour("records:chats:listed")
def test_conversations_are_listed_the_newest_first(records: Records) -> None:
    for name in ("a", "b", "c"):
        put(records, name, f"Talk\nof {name}")
    put(records, "a", "Talk\nof a", "more")
    assert titles(records) == ["Talk of a", "Talk of c", "Talk of b"]
    put(records, "long", "word " * 100)
    assert titles(records)[0] == f"{'word ' * 15}word…"


@behaviour("records:chats:listed")
def test_a_name_that_somebody_gave_stays_and_one_that_nobody_gave_follows(records: Records) -> None:
    put(records, "id", "first words")
    put(records, "id", "other words")
    assert titles(records) == ["other words"]
    assert records.conversations.rename("id", " My \n name ")
    put(records, "id", "third words")
    assert titles(records) == ["My name"]
    assert not records.conversations.rename("id", " ")
    assert not records.conversations.rename("nowhere", "x")
    assert titles(records) == ["My name"]


@behaviour("records:chats:search")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["Ёжик", "A walk", 'Über "Äpfel"']),
        ("über", ['Über "Äpfel"']),
        ("ÄPFEL", ['Über "Äpfel"']),
        ('"', ['Über "Äpfel"']),
        ("ёЖИК", ["Ёжик"]),
        ("walk PARK", ["A walk"]),
        ("walk  moon", []),
        ("100%", ["A walk"]),
        ("n", ["A walk"]),
        ("a_walk", []),
        ("КОСА", ["Ёжик"]),
        ("роса", []),
        ("ΟΔΟΣ", ["Ёжик"]),
        ("strasse", []),
        ("straße", ["Ёжик"]),
        ("\u4e2d", ["Ёжик"]),
        ("\U0001f600", ["Ёжик"]),
        # In JSON's spelling these are there.
        ("4e2d", []),
        ("ty", []),
        ("tn", []),
        ("u04", []),
        ("back\\slash", ["A walk"]),
        ("%sure", []),
    ],
)
def test_a_search_finds_all_its_words_wherever_they_were_said(
    records: Records, search: str, found: list[str]
) -> None:
    put(records, "1", 'Über "Äpfel"', "x\ty")
    put(records, "2", "A walk", "in the park, 100% sure", "back\\Slash\n")
    put(records, "3", "Ёжик", "\u4e2d", "Коса, οδος, Straße, \U0001f600")
    assert titles(records, search) == found


@behaviour("records:chats:many")
def test_a_list_holds_the_first_of_many_their_number_and_the_one_that_is_shown(records: Records) -> None:
    for number in range(7):
        put(records, f"id{number}", f"talk {number}", "every one" if number % 2 else "")
    assert records.conversations.pin("id1", pinned=True)
    known = records.conversations.listing(3, "id2")
    assert [card.id for card in known.first] == ["id1", "id6", "id5"]
    assert (known.count, known.here and known.here.title) == (7, "talk 2")
    assert records.conversations.listing(3, "nowhere").here is None
    assert [card.id for card in records.conversations.cards("every", most=2)] == ["id1", "id5"]
    assert [card.id for card in records.conversations.cards("one talk every")] == ["id1", "id5", "id3"]


@behaviour("records:chats:persons")
def test_nobody_reaches_another_persons_conversation(replica: Open) -> None:
    ann, bob = replica("ann"), replica("bob")
    put(ann, "hers", "a secret")
    put(bob, "his", "a secret")
    assert [summary.id for summary in bob.conversations.cards("secret")] == ["his"]
    assert bob.conversations.find("hers") is None
    assert not bob.conversations.rename("hers", "mine")
    assert not bob.conversations.delete("hers")
    assert titles(ann) == ["a secret"]


@behaviour("records:chats:deleted")
def test_what_is_deleted_is_gone_with_all_it_showed_and_stays_gone(replica: Open, address: str) -> None:
    here, there = replica(), replica()
    picture = Result((Stream("stdout", "picture" * 20_000),))
    for label in ("label of id", "label of other"):
        sent(here.claim(Key(label, "r", 0), "secret code")).finish(picture)
    for each in (here, there):
        each.settle()
    put(here, "id", "secret words")
    put(here, "other", "words")
    assert there.conversations.find("id") is not None
    assert here.conversations.delete("id")
    assert not here.conversations.delete("id")
    for each in (here, there):
        put(each, "id", "secret words")
    assert [summary.id for summary in here.conversations.cards()] == ["other"]
    assert here.of("label of id") == []
    assert [run.result for run in here.of("label of other")] == [picture]
    assert here.conversations.delete("other")
    here.close()
    there.close()
    if address.startswith("sqlite"):
        left = Path(address.removeprefix("sqlite:///")).read_bytes()
        assert [word in left for word in (b"secret", b"picture")] == [False, False]


@behaviour("records:retention")
def test_a_conversation_is_forgotten_as_a_whole_and_keeps_its_runs_until_then(records: Records) -> None:
    put(records, "id", "words")
    for label in ("label of id", "elsewhere"):
        sent(records.claim(Key(label, "r", 0), CODE)).finish(FIFTEEN)
    records.settle()
    put(records, "id", "words", "more")
    (summary,) = records.conversations.cards()
    assert summary == ConversationSummary("id", "words", summary.changed)
    records._store.write(_forget, summary.changed)
    assert [len(records.of(label)) for label in ("label of id", "elsewhere")] == [1, 0]
    records._store.write(_forget, time.time() + 1)
    assert records.of("label of id") == []
    assert records.conversations.cards() == []
