"""Conversations as they are read and written in one transaction: functions of a connection."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, String, and_, delete, func, insert, select, update

from coderunner.outputs import LARGEST_COUNT
from coderunner.records.database import message_json, run_queries
from coderunner.records.database.message_json import MessagePart
from coderunner.records.database.run_queries import Record
from coderunner.records.database.schema import CHATS, RUNS, SAYINGS

LONGEST_TITLE = 80
"""Characters of a title: more than a list has space for."""


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


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What a list shows of a conversation."""

    id: str
    title: str
    changed: float
    """When something was last said in it, in seconds since 1970 (UTC)."""


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation as it is saved, with what its blocks came to."""

    id: str
    title: str
    label: str
    """What its runs and its kernel bear."""
    sayings: tuple[StoredMessage, ...]
    records: tuple[Record, ...]
    """All its runs, in the order in which they were asked for."""

    def runs(self, stored: StoredMessage, block: MessagePart) -> list[Record]:
        """The runs of one of its blocks, the first one first; none where it never began to run."""
        its = (stored.reply, block.ordinal)
        return [each for each in self.records if (each.key.message, each.key.ordinal) == its]


Columns = Mapping[str, object]


def cards(connection: Connection, person: str) -> list[ConversationSummary]:
    """All conversations of a person, the newest first."""
    query = select(CHATS.c.id, CHATS.c.title, CHATS.c.changed).where(CHATS.c.person == person)
    return [
        ConversationSummary(*row) for row in connection.execute(query.order_by(CHATS.c.changed.desc())).all()
    ]


def mentioning(connection: Connection, person: str, word: str) -> set[str]:
    """The conversations in which something was said with `word`, which is in small letters, in it."""
    query = select(SAYINGS.c.chat, SAYINGS.c.text).join(CHATS).where(CHATS.c.person == person)
    # Texts are spelt in ASCII, so the database can look for these letters only; the rest is looked at here.
    if plain := max(re.findall("[a-z0-9]+", word), key=len, default=""):
        query = query.where(func.lower(SAYINGS.c.text, type_=String).contains(plain))
    return {row.chat for row in connection.execute(query) if word in row.text.lower()}


def find(connection: Connection, person: str, identity: str) -> StoredConversation | None:
    """A conversation with all that was said and shown in it."""
    chat = connection.execute(select(CHATS).where(_its(person, identity))).first()
    if chat is None:
        return None
    said = select(SAYINGS).where(SAYINGS.c.chat == identity).order_by(SAYINGS.c.position)
    sayings = tuple(_stored(row) for row in connection.execute(said).all())
    records = tuple(run_queries.of_conversation(connection, chat.label))
    return StoredConversation(chat.id, chat.title, chat.label, sayings, records)


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
            connection.execute(insert(SAYINGS), {**each, **columns(StoredMessage(_role(each), NOT_KEPT))})


def _role(said: Columns) -> Literal["user", "assistant"]:
    return "user" if said["role"] == "user" else "assistant"


def rename(connection: Connection, person: str, identity: str, name: str) -> bool:
    """Give a conversation the title that a person chose; False where it is not there."""
    change = update(CHATS).where(_its(person, identity)).values(title=name, named=1)
    return connection.execute(change).rowcount == 1


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


def columns(stored: StoredMessage) -> Columns:
    """The columns that hold what was said."""
    return {
        "reply": stored.reply,
        "role": stored.role,
        "text": stored.text,
        "late": stored.late,
        "pieces": message_json.encode(stored.pieces, stored.text),
        "tokens": min(max(stored.tokens, 0), LARGEST_COUNT),
        "finished": int(stored.finished),
    }


def title(sayings: Sequence[StoredMessage]) -> str:
    """What a conversation is called until somebody gives it a name: its first words."""
    first = next((said.text for said in sayings if said.role == "user"), "")
    return shortened(first)


def shortened(words: str) -> str:
    """Words as a title: one line, and not a long one."""
    line = " ".join(words[: 20 * LONGEST_TITLE].split())
    return line if len(line) <= LONGEST_TITLE else line[: LONGEST_TITLE - 1].rstrip() + "…"


def _its(person: str, identity: str) -> ColumnElement[bool]:
    return and_(CHATS.c.id == identity, CHATS.c.person == person)


def _stored(row: Row[Any]) -> StoredMessage:
    kept = message_json.decode(row.pieces, row.text)
    return StoredMessage(row.role, row.text, kept, row.reply, bool(row.finished), row.late, row.tokens)
