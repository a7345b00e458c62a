"""Conversations as they are read and written in one transaction: functions of a connection."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from coderunner.outputs import LARGEST_COUNT
from coderunner.records.database import message_json, message_tree, run_queries, sqlite
from coderunner.records.database.message_json import Kind, MessagePart
from coderunner.records.database.run_queries import Record
from coderunner.records.database.schema import CHATS, RUNS, SAYINGS

LONGEST_TITLE = 80
"""Characters of a title: more than a list has space for."""


BY_MODEL = 2
"""In `named`: the model gave the title."""

NOT_KEPT = "(This message could not be saved.)"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What one side said: one message of a conversation."""

    role: Literal["user", "assistant"]
    text: str
    """What the model gets."""
    pieces: tuple[MessagePart, ...] = ()
    """Of a reply: what a reader sees."""
    reply: str = ""
    """Names a reply; its runs bear the same name."""
    finished: bool = True
    """Of a reply: it came to its end, whichever."""
    late: str = ""
    """Of a user's message: results that came late, which the model reads before the text."""
    tokens: int = 0
    """Of a reply: what the endpoint counted; 0 where it did not."""
    previous: int | None = None
    """The number of the message that it follows, as `message_tree` has it."""
    shown: bool = True
    """Whether it is the one that is shown among its versions."""

    @property
    def files(self) -> list[str]:
        """The names of the files that a person sent with it."""
        return [piece.text.rpartition("/")[2] for piece in self.pieces if piece.kind is Kind.FILE]


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What a list shows of a conversation."""

    id: str
    title: str
    changed: float
    """When something was last said in it, in seconds since 1970 (UTC)."""
    pinned: bool = False
    """It stays at the top of the list."""


@dataclass(frozen=True, slots=True)
class ConversationList:
    """The first of a person's conversations, and what else a list of them says."""

    first: tuple[ConversationSummary, ...]
    """Those at its top, pinned ones first, then the newest."""
    count: int
    """How many there are in all."""
    here: ConversationSummary | None = None
    """The one that a page shows, wherever it stands."""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation as it is saved, with what its blocks came to."""

    id: str
    title: str
    label: str
    """What its runs and its kernel bear."""
    sayings: tuple[StoredMessage, ...]
    """What is shown of it."""
    records: tuple[Record, ...]
    """All its runs, in the order in which they were asked for."""
    versions: tuple[StoredMessage, ...] = ()
    """All that was said, also what an edit or a retry has replaced, in the order in which it began."""

    def runs(self, stored: StoredMessage, block: MessagePart) -> list[Record]:
        """The runs of one of its blocks, the first one first; none where it never began to run."""
        its = (stored.reply, block.ordinal)
        return [each for each in self.records if (each.key.message, each.key.ordinal) == its]


Columns = Mapping[str, object]


def cards(
    connection: Connection, person: str, words: Sequence[str] = (), most: int | None = None
) -> list[ConversationSummary]:
    """The conversations of a person, the pinned ones first, then the newest: `most` of them at most.

    Those with every one of `words`, which are in small letters, in their titles or in what was said.
    """
    may = [_may_have(connection, word) for word in words]
    query = select(*_SHOWN).where(CHATS.c.person == person, *may)
    rows = connection.execute(query.order_by(CHATS.c.pinned.desc(), CHATS.c.changed.desc()))
    its = (row for row in rows if all(_has(connection, row.id, row.title, word) for word in words))
    return [_summary(row) for row in itertools.islice(its, most)]


def listing(connection: Connection, person: str, most: int, here: str) -> ConversationList:
    """The first `most` conversations of a person, how many there are, and the one whose id is `here`."""
    first = tuple(cards(connection, person, most=most))
    count = len(first)
    if count == most:
        count = connection.scalar(select(func.count()).where(CHATS.c.person == person)) or 0
    row = connection.execute(select(*_SHOWN).where(_its(person, here))).first()
    return ConversationList(first, count, _summary(row) if row else None)


_SHOWN = CHATS.c.id, CHATS.c.title, CHATS.c.changed, CHATS.c.pinned


def _summary(row: Row[*tuple[Any, ...]]) -> ConversationSummary:
    return ConversationSummary(row.id, row.title, row.changed, bool(row.pinned))


def _may_have(connection: Connection, word: str) -> ColumnElement[bool]:
    """What the database can tell: it reads texts as they are spelt."""
    # From the newest conversation on, so that a frequent word is found soon. There is no index of
    # words: in SQLite it would double the file, and keep parts of what was deleted.
    its = SAYINGS.c.chat == CHATS.c.id
    said = exists().where(its, _spelt(connection, SAYINGS.c.text, word))
    return or_(_spelt(connection, CHATS.c.title, word), said)


def _has(connection: Connection, identity: str, title: str, word: str) -> bool:
    """Whether a conversation that may have a word has it."""
    if word in title.lower():
        return True
    its = select(SAYINGS.c.text).where(SAYINGS.c.chat == identity, _spelt(connection, SAYINGS.c.text, word))
    return any(word in text.lower() for text in connection.scalars(its))


def _spelt(connection: Connection, column: ColumnElement[str], word: str) -> ColumnElement[bool]:
    spelt, pattern = type_coerce(column, Text()), f"%{''.join(map(_spelling, word))}%"
    # Either takes capital letters of ASCII for small ones, and no character for an escape.
    if connection.dialect.name == sqlite.DIALECT:
        return spelt.like(pattern)
    return spelt.ilike(pattern, escape="")


def _spelling(letter: str) -> str:
    """A small letter as JSON spells it; where its capital one is spelt otherwise, anything may stand."""
    small = json.dumps(letter)[1:-1]
    capitals = {json.dumps(other)[1:-1] for other in (letter.upper(), letter.title()) if len(other) == 1}
    same = [each for each in capitals if len(each) == len(small) > 1]
    return "".join("_" if any(each[at] != one for each in same) else one for at, one in enumerate(small))


def find(connection: Connection, person: str, identity: str) -> StoredConversation | None:
    """A conversation with all that was said and shown in it."""
    chat = connection.execute(select(CHATS).where(_its(person, identity))).first()
    if chat is None:
        return None
    said = select(SAYINGS).where(SAYINGS.c.chat == identity).order_by(SAYINGS.c.position)
    sayings = tuple(_stored(row) for row in connection.execute(said).all())
    records = tuple(run_queries.of_conversation(connection, chat.label))
    return StoredConversation(chat.id, chat.title, chat.label, shown(sayings), records, sayings)


def shown(sayings: Sequence[StoredMessage]) -> tuple[StoredMessage, ...]:
    """What is shown of all that was said."""
    return tuple(sayings[number] for number in message_tree.path(sayings))


def changed(connection: Connection, person: str, identity: str) -> float | None:
    """When something was last said in a conversation; None where it is not there.

    Until the end of the transaction nobody else says anything in it.
    """
    query = select(CHATS.c.changed).where(_its(person, identity)).with_for_update()
    moment: float | None = connection.scalar(query)
    return moment


def written(connection: Connection, identity: str) -> list[Columns]:
    """What stands there of what was said in a conversation, as `columns` gives it."""
    said = select(SAYINGS).where(SAYINGS.c.chat == identity).order_by(SAYINGS.c.position)
    return [
        {name: value for name, value in row.items() if name not in ("chat", "position")}
        for row in connection.execute(said).mappings()
    ]


def add(
    connection: Connection,
    person: str,
    identity: str,
    label: str,
    sayings: Sequence[StoredMessage],
    now: float,
) -> None:
    """Record that a conversation has begun."""
    what = {"id": identity, "person": person, "label": label, "title": title(sayings), "named": 0}
    connection.execute(insert(CHATS).values(**what, created=now, changed=now))


def touch(
    connection: Connection, person: str, identity: str, sayings: Sequence[StoredMessage], now: float
) -> None:
    """Note that something was said."""
    its = _its(person, identity)
    connection.execute(update(CHATS).where(its, CHATS.c.named == 0).values(title=title(sayings)))
    connection.execute(update(CHATS).where(its).values(changed=now))


SLIGHTLY = 0.001
"""Seconds by which a conversation is later when nothing new was said in it: it keeps its place in the list,
and others who write in it see that something is different."""


def moment(now: float, before: float, sayings: Sequence[Columns], known: Sequence[Columns]) -> float:
    """When something was last said: `now`, unless only other versions are shown than those `known`."""
    same = len(sayings) == len(known) and all(
        {**one, "shown": None} == {**other, "shown": None} for one, other in zip(sayings, known, strict=True)
    )
    return before + SLIGHTLY if same else now


def say(
    connection: Connection,
    identity: str,
    sayings: Sequence[Columns],
    known: Sequence[Columns],
    *,
    singly: bool = False,
) -> None:
    """Write what was said where it differs from what is `known` to stand there.

    `singly`: each for itself, and in place of what cannot be kept a sentence that says so.
    """
    new = {at: said for at, said in enumerate(sayings) if at >= len(known) or known[at] != said}
    gone = [at for at in (*new, *range(len(sayings), len(known))) if at < len(known)]
    if gone:
        there = and_(SAYINGS.c.chat == identity, SAYINGS.c.position.in_(gone))
        connection.execute(delete(SAYINGS).where(there))
    written = [{"chat": identity, "position": at, **said} for at, said in new.items()]
    if written and not singly:
        connection.execute(insert(SAYINGS), written)
    for each in written if singly else ():
        if not run_queries.possible(connection, lambda: connection.execute(insert(SAYINGS), each)):  # noqa: B023
            connection.execute(insert(SAYINGS), {**each, **_NOT_KEPT})


_NOT_KEPT: Columns = {
    "reply": "",
    "text": NOT_KEPT,
    "late": "",
    "pieces": message_json.encode((), NOT_KEPT),
    "tokens": 0,
    "finished": 1,
}


def rename(connection: Connection, person: str, identity: str, name: str) -> bool:
    """Give a conversation the title that a person chose; False where it is not there."""
    change = update(CHATS).where(_its(person, identity)).values(title=name, named=1)
    return connection.execute(change).rowcount == 1


def pin(connection: Connection, person: str, identity: str, *, pinned: bool) -> bool:
    """Have a conversation stay at the top of the list, or no more; False where it is not there."""
    change = update(CHATS).where(_its(person, identity)).values(pinned=int(pinned))
    return connection.execute(change).rowcount == 1


def untitled(connection: Connection, person: str, identity: str) -> bool:
    """Whether a conversation bears its first words as its title; False where it is not there."""
    query = select(CHATS.c.id).where(_its(person, identity), CHATS.c.named == 0)
    return connection.scalar(query) is not None


def entitle(connection: Connection, person: str, identity: str, name: str) -> bool:
    """Give a conversation that has its first words as its title the model's; False where there is none."""
    its = and_(_its(person, identity), CHATS.c.named == 0)
    return connection.execute(update(CHATS).where(its).values(title=name, named=BY_MODEL)).rowcount == 1


def remove(connection: Connection, person: str, identity: str) -> bool:
    """Delete a conversation and its runs, with all that only they showed; False where it is not there."""
    label = connection.scalar(select(CHATS.c.label).where(_its(person, identity)).with_for_update())
    if label is None:
        return False
    connection.execute(delete(SAYINGS).where(SAYINGS.c.chat == identity))
    connection.execute(delete(CHATS).where(CHATS.c.id == identity))
    run_queries.remove(connection, RUNS.c.conversation == label)
    return True


def forget(connection: Connection, before: float) -> None:
    """Delete the conversations in which nothing was said since a moment; their runs are forgotten alike."""
    old = select(CHATS.c.id).where(CHATS.c.changed < before)
    connection.execute(delete(SAYINGS).where(SAYINGS.c.chat.in_(old)))
    connection.execute(delete(CHATS).where(CHATS.c.changed < before))


def columns(number: int, stored: StoredMessage) -> Columns:
    """The columns that hold what was said as the message of a number."""
    return {
        "reply": stored.reply,
        "role": stored.role,
        "text": stored.text,
        "late": stored.late,
        "pieces": message_json.encode(stored.pieces, stored.text),
        "tokens": min(max(stored.tokens, 0), LARGEST_COUNT),
        "finished": int(stored.finished),
        "previous": message_tree.previous(number, stored),
        "shown": int(stored.shown),
    }


def title(sayings: Sequence[StoredMessage]) -> str:
    """What a conversation is called until somebody gives it a name: its first words."""
    first = next((said for said in shown(sayings) if said.role == "user"), None)
    return shortened(first.text or ", ".join(first.files)) if first else ""


def shortened(words: str) -> str:
    """Words as a title: one line, and not a long one."""
    line = " ".join(words[: 20 * LONGEST_TITLE].split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _its(person: str, identity: str) -> ColumnElement[bool]:
    return and_(CHATS.c.id == identity, CHATS.c.person == person)


def _stored(row: Row[Any]) -> StoredMessage:
    kept = message_json.decode(row.pieces, row.text)
    who = row.role, row.text, kept, row.reply, bool(row.finished), row.late, row.tokens
    previous = None if row.previous == row.position - 1 else row.previous
    return StoredMessage(*who, previous, bool(row.shown))
