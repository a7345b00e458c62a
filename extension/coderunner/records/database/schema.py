"""The tables, and how older ones become these. A migration adds; it never takes a row away."""

import hashlib
import json
from collections.abc import Callable, Sequence

from sqlalchemy import (
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.engine import Dialect

from coderunner.records.database import postgresql


class Exact(TypeDecorator[str]):
    """A text in JSON's spelling: PostgreSQL keeps no NUL, and no database lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Spell it."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Read it."""
        return None if value is None else str(json.loads(value))


class Label(TypeDecorator[str]):
    """A name that others may have given: what the column does not take is cut, and told apart by a digest.

    SQLite takes any but lone surrogates, of any length; PostgreSQL neither NUL nor more than it was told.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Have it as the column takes it; the same for the same."""
        if not isinstance(value, str) or (value.isascii() and value.isprintable() and len(value) <= LABEL):
            return value
        known = value.encode("utf-8", "replace").decode()
        anything = dialect.name == "sqlite"
        if known == value and (anything or (len(value) <= LABEL and "\0" not in value)):
            return value
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return f"{known.replace(chr(0), '?')[: LABEL - 33]}~{digest}"


LABEL = 200
METADATA = MetaData()

VERSION = Table("coderunner_schema", METADATA, Column("version", Integer, primary_key=True))

OWNERS = Table(
    "coderunner_owners",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("machine", String(200), nullable=False),
    Column("process", String(60), nullable=False),
    Column("beat", Integer, nullable=False),
)
"""The processes that own runs; `beat` grows while they live."""

RUNS = Table(
    "coderunner_runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("conversation", Label(LABEL), nullable=False),
    Column("message", Label(LABEL), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("code_hash", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("code", Exact, nullable=False),
    Column("place", Exact, nullable=False, server_default='""'),
    Column("owner", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("status", String(16)),
    Column("aftermath", String(16)),
    Column("execution_count", Integer),
    Column("duration", Float),
    Column("detail", Exact),
    Column("created", Float, nullable=False),
    Column("sent", Float),
    Column("ended", Float),
    Column("delivered", Integer, nullable=False, server_default="1"),
    Column("request", Exact, nullable=False, server_default='""'),
    Column("later", Integer, nullable=False, server_default="0"),
    Column("refusals", Text),
    Column("files", Text),
    UniqueConstraint("conversation", "message", "ordinal", "code_hash", "attempt", name="coderunner_once"),
    Index("coderunner_runs_state", "state"),
)
"""One row a run. Times are seconds since 1970 in UTC; `duration` is by a monotonic clock. `delivered` is 1
where the model has read, or is reading, how the run ended; 0 before that. `request` is the id of the Jupyter
message that asked for it; `later` is how many of its outputs, the last ones, came after its end; `refusals`,
in JSON, is what the sandbox refused to it, and `files` what it made or changed in the kernel's folder."""

BLOBS = Table(
    "coderunner_blobs",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)
"""Large outputs by what they are. In a table and not in files: one transaction writes a run with all it
showed, a second replica reads it, and nothing lies about with rights of its own."""

OUTPUTS = Table(
    "coderunner_outputs",
    METADATA,
    Column("run", String(32), ForeignKey("coderunner_runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("text", Text),
    Column("blob", String(64), ForeignKey("coderunner_blobs.hash"), index=True),
)
"""What each run showed, in order: small ones here, large ones by their hash."""

WIDGETS = Table(
    "coderunner_widgets",
    METADATA,
    Column("run", String(32), ForeignKey("coderunner_runs.id"), primary_key=True),
    Column("text", Text, nullable=False),
)
"""The last state of the widgets that a run showed, as nbformat keeps it (JSON, in ASCII)."""

MODULES = Table(
    "coderunner_modules",
    METADATA,
    Column("run", String(32), ForeignKey("coderunner_runs.id"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("blob", String(64), ForeignKey("coderunner_blobs.hash"), nullable=False, index=True),
)
"""The programs of those widgets that the environment of their kernel had: one text for all runs."""

CHATS = Table(
    "coderunner_chats",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("person", Label(LABEL), nullable=False),
    Column("label", Label(LABEL), nullable=False),
    Column("title", Exact, nullable=False),
    Column("named", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("changed", Float, nullable=False),
    Column("pinned", Integer, nullable=False, server_default="0"),
    Index("coderunner_chats_listed", "person", "pinned", "changed"),
    Index("coderunner_chats_label", "label"),
)
"""The conversations. `label` is what the runs bear, for others see that; `named` is 1 where a person gave the
title, 2 where the model did; `changed` is when something was last said; `pinned` is 1 where it stays
at the top of the list."""

SAYINGS = Table(
    "coderunner_sayings",
    METADATA,
    Column("chat", String(64), ForeignKey("coderunner_chats.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("reply", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Exact, nullable=False),
    Column("late", Exact, nullable=False),
    Column("pieces", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("finished", Integer, nullable=False),
    Column("previous", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
)
"""What was said in each conversation, in the order in which it began. `reply` is the `message` of its runs;
`pieces` say where in `text` prose and blocks stand. `previous` is the position of the message that this one
follows, -1 for the first one; of those that follow the same one, `shown` is 1 for the one that is shown."""

HISTORIES = Table(
    "coderunner_histories",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", Label(LABEL), nullable=False),
    Column("created", Float, nullable=False),
)
"""The conversations of histories whose client names none, by a digest of owner and history."""

CUT_REPLIES = Table(
    "coderunner_cut_replies",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("content", Exact, nullable=False),
    Column("created", Float, nullable=False),
)
"""Replies that were cut short because their process ended, by a digest of the request."""

RESPONSES = Table(
    "coderunner_responses",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("content", Exact, nullable=False),
    Column("created", Float, nullable=False),
)
"""Responses that clients may refer to, with what was asked (JSON); `owner` is a digest of whose they are."""


def _deliver(connection: Connection) -> None:
    """Version 2 knows what the model has read; of what was there before we take it that it has."""
    connection.execute(text("ALTER TABLE coderunner_runs ADD COLUMN delivered INTEGER NOT NULL DEFAULT 1"))


def _converse(connection: Connection) -> None:
    """Version 3 knows conversations, too."""
    for statement in (
        """CREATE TABLE coderunner_chats (
            id VARCHAR(64) NOT NULL, person VARCHAR(200) NOT NULL, label VARCHAR(200) NOT NULL,
            title TEXT NOT NULL, named INTEGER NOT NULL, created FLOAT NOT NULL, changed FLOAT NOT NULL,
            PRIMARY KEY (id))""",
        "CREATE INDEX coderunner_chats_person ON coderunner_chats (person, changed)",
        "CREATE INDEX coderunner_chats_label ON coderunner_chats (label)",
        """CREATE TABLE coderunner_sayings (
            chat VARCHAR(64) NOT NULL, position INTEGER NOT NULL, reply VARCHAR(64) NOT NULL,
            role VARCHAR(16) NOT NULL, text TEXT NOT NULL, late TEXT NOT NULL, pieces TEXT NOT NULL,
            tokens INTEGER NOT NULL, finished INTEGER NOT NULL,
            PRIMARY KEY (chat, position), FOREIGN KEY(chat) REFERENCES coderunner_chats (id))""",
    ):
        connection.execute(text(statement))


def _follow(connection: Connection) -> None:
    """Version 4 knows each run's request, and what it showed after its end."""
    for column in ("request TEXT NOT NULL DEFAULT '\"\"'", "later INTEGER NOT NULL DEFAULT 0"):
        connection.execute(text(f"ALTER TABLE coderunner_runs ADD COLUMN {column}"))


def _move(connection: Connection) -> None:
    """Version 5 knows the state of widgets."""
    statement = """CREATE TABLE coderunner_widgets (
        run VARCHAR(32) NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (run), FOREIGN KEY(run) REFERENCES coderunner_runs (id))"""
    connection.execute(text(statement))


def _draw(connection: Connection) -> None:
    """Version 6 knows programs of widgets."""
    for statement in (
        """CREATE TABLE coderunner_modules (
            run VARCHAR(32) NOT NULL, name VARCHAR(100) NOT NULL, blob VARCHAR(64) NOT NULL,
            PRIMARY KEY (run, name), FOREIGN KEY(run) REFERENCES coderunner_runs (id),
            FOREIGN KEY(blob) REFERENCES coderunner_blobs (hash))""",
        "CREATE INDEX ix_coderunner_modules_blob ON coderunner_modules (blob)",
    ):
        connection.execute(text(statement))


def _refuse(connection: Connection) -> None:
    """Version 7 knows what the sandbox refused."""
    connection.execute(text("ALTER TABLE coderunner_runs ADD COLUMN refusals TEXT"))


def _recognise(connection: Connection) -> None:
    """Version 8 knows the conversations of histories."""
    statement = """CREATE TABLE coderunner_histories (
        id VARCHAR(64) NOT NULL, name VARCHAR(200) NOT NULL, created FLOAT NOT NULL, PRIMARY KEY (id))"""
    connection.execute(text(statement))


def _continue(connection: Connection) -> None:
    """Version 9 knows replies that were cut short."""
    statement = """CREATE TABLE coderunner_cut_replies (
        id VARCHAR(64) NOT NULL, content TEXT NOT NULL, created FLOAT NOT NULL, PRIMARY KEY (id))"""
    connection.execute(text(statement))


def _branch(connection: Connection) -> None:
    """Version 10 knows versions of messages; what was said before has one each."""
    for column in ("previous INTEGER NOT NULL DEFAULT -1", "shown INTEGER NOT NULL DEFAULT 1"):
        connection.execute(text(f"ALTER TABLE coderunner_sayings ADD COLUMN {column}"))
    connection.execute(text("UPDATE coderunner_sayings SET previous = position - 1"))


def _make(connection: Connection) -> None:
    """Version 11 knows the files that runs made."""
    connection.execute(text("ALTER TABLE coderunner_runs ADD COLUMN files TEXT"))


def _pin(connection: Connection) -> None:
    """Version 12 knows which conversations are pinned."""
    connection.execute(text("ALTER TABLE coderunner_chats ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0"))


def _respond(connection: Connection) -> None:
    """Version 13 knows responses."""
    statement = """CREATE TABLE coderunner_responses (
        id VARCHAR(64) NOT NULL, owner VARCHAR(64) NOT NULL, content TEXT NOT NULL, created FLOAT NOT NULL,
        PRIMARY KEY (id))"""
    connection.execute(text(statement))


def _list(connection: Connection) -> None:
    """Version 14 gives the first of many conversations without a look at the rest."""
    connection.execute(text("DROP INDEX coderunner_chats_person"))
    connection.execute(
        text("CREATE INDEX coderunner_chats_listed ON coderunner_chats (person, pinned, changed)")
    )


MIGRATIONS: Sequence[Callable[[Connection], None]] = (
    _deliver,
    _converse,
    _follow,
    _move,
    _draw,
    _refuse,
    _recognise,
    _continue,
    _branch,
    _make,
    _pin,
    _respond,
    _list,
)
"""What makes version 2 of version 1, 3 of 2, and so on."""

CURRENT = len(MIGRATIONS) + 1


def prepare(connection: Connection) -> int:
    """Make the tables, or bring them up to date. Gives the version found; 0: there were none."""
    if (found := _version(connection)) >= CURRENT:
        return found
    # Of many processes that start at once one does it, and the others find it done.
    postgresql.wait_for_turn(connection)
    if not (found := _version(connection)):
        METADATA.create_all(connection)
        connection.execute(insert(VERSION).values(version=CURRENT))
        return 0
    for migrate in MIGRATIONS[found - 1 :]:
        migrate(connection)
    if found < CURRENT:
        connection.execute(update(VERSION).values(version=CURRENT))
    return found


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table(VERSION.name):
        return 0
    return int(connection.scalars(select(VERSION.c.version)).one())
