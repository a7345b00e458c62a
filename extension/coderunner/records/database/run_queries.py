"""What is read and written in one transaction: functions of a connection, without a decision of their own."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, exists, insert, select, update

from coderunner.outputs import Aftermath, Output, Result, Status, Stream, count_of
from coderunner.records.database.connection import unfit
from coderunner.records.database.output_json import (
    LARGE,
    decode,
    decode_files,
    decode_refusals,
    digest,
    encode,
    encode_files,
    encode_refusals,
)
from coderunner.records.database.run_states import OVER, State, before
from coderunner.records.database.schema import BLOBS, CHATS, MODULES, OUTPUTS, RUNS, WIDGETS

T = TypeVar("T")

# Built once: to build a statement takes the library longer than the database needs to do it.
_KEY = ("conversation", "message", "ordinal", "code_hash")
_LATEST = (
    select(RUNS).where(*(RUNS.c[name] == bindparam(name) for name in _KEY)).order_by(RUNS.c.attempt.desc())
)
# SQLite, where one transaction at a time writes, does without.
_LATEST_ALONE = _LATEST.with_for_update()
_FIND = select(RUNS).where(RUNS.c.id == bindparam("its_id"))
_UNTOLD = (
    select(RUNS)
    .where(
        RUNS.c.conversation == bindparam("its_conversation"),
        RUNS.c.state != State.UNSENT,
        RUNS.c.delivered == 0,
    )
    .order_by(RUNS.c.created)
)
_DELIVER = update(RUNS).where(RUNS.c.id == bindparam("its_id"), RUNS.c.delivered == 0).values(delivered=1)
_ADD = insert(RUNS)
_OUTPUTS = (
    select(OUTPUTS.c.text, BLOBS.c.text)
    .select_from(OUTPUTS.outerjoin(BLOBS, OUTPUTS.c.blob == BLOBS.c.hash))
    .where(OUTPUTS.c.run == bindparam("its_id"))
    .order_by(OUTPUTS.c.position)
)
_SHOW = insert(OUTPUTS)
_LATER = update(RUNS).where(RUNS.c.id == bindparam("its_id")).values(later=bindparam("count"))
_MOVED = update(WIDGETS).where(WIDGETS.c.run == bindparam("its_id")).values(text=bindparam("state"))
_WIDGETS = select(WIDGETS.c.text).where(WIDGETS.c.run == bindparam("its_id"))
_MODULES = (
    select(MODULES.c.name, BLOBS.c.text).join_from(MODULES, BLOBS).where(MODULES.c.run == bindparam("its_id"))
)
NOT_KEPT = Stream("stderr", "[an output could not be saved]\n")
GONE = Stream("stderr", "[an output is not in the records any more]\n")
_USED = exists().where(OUTPUTS.c.blob == BLOBS.c.hash) | exists().where(MODULES.c.blob == BLOBS.c.hash)
_ADVANCE = {
    state: update(RUNS).where(
        RUNS.c.id == bindparam("its_id"),
        RUNS.c.owner == bindparam("its_owner"),
        RUNS.c.state.in_(before(state) if state in OVER else before(state) | {state}),
    )
    for state in State
}
_WITHDRAW = update(RUNS).where(
    RUNS.c.id == bindparam("its_id"),
    RUNS.c.owner == bindparam("its_owner"),
    RUNS.c.state.in_((State.QUEUED, State.SENT)),
)


@dataclass(frozen=True, slots=True)
class Key:
    """One block of one reply."""

    conversation: str
    message: str
    """Names the reply: it stays the same when the reply is continued, and is another when it is made anew."""
    ordinal: int
    """How many blocks stand before it in the reply."""


@dataclass(frozen=True, slots=True)
class Record:
    """A run as it is saved."""

    id: str
    key: Key
    attempt: int
    code: str
    owner: str
    state: State
    started: float | None
    """When it was sent, in seconds since 1970 (UTC); None: never."""
    result: Result | None
    """The outcome; None while it is not over. Of a detached run: what the model was told."""
    place: str = ""
    """Where it was to run, in words."""
    delivered: bool = False
    """The model knows how it ended."""
    request: str = ""
    """The id of the Jupyter message that asked for it; empty where none was sent."""
    later: tuple[Output, ...] = ()
    """What it showed after its end."""
    widgets: str = ""
    """The last state of the widgets that it showed, as nbformat keeps it; empty where it showed none."""


def latest(connection: Connection, key: Key, code: str, *, alone: bool = False) -> Record | None:
    """The last attempt at a block; `alone`: nobody else changes it until the end of the transaction."""
    row = connection.execute(_LATEST_ALONE if alone else _LATEST, _columns(key, code)).first()
    return None if row is None else _record(connection, row)


def find(connection: Connection, identity: str) -> Record | None:
    """The run of that id."""
    row = connection.execute(_FIND, {"its_id": identity}).first()
    return None if row is None else _record(connection, row)


def of_conversation(connection: Connection, conversation: str) -> list[Record]:
    """All runs of a conversation, in the order in which they were asked for."""
    query = select(RUNS).where(RUNS.c.conversation == conversation).order_by(RUNS.c.created, RUNS.c.attempt)
    return [_record(connection, row) for row in connection.execute(query).all()]


def of_reply(connection: Connection, message: str) -> list[Record]:
    """All runs of a reply, in the order in which they were asked for."""
    query = select(RUNS).where(RUNS.c.message == message).order_by(RUNS.c.created, RUNS.c.attempt)
    return [_record(connection, row) for row in connection.execute(query).all()]


def last_count(connection: Connection, conversation: str) -> int | None:
    """The latest execution count of a conversation's kernel, 0 if none is known; None where nothing ran."""
    its = RUNS.c
    runs = select(its.execution_count).where(its.conversation == conversation, its.sent.is_not(None))
    row = connection.execute(
        runs.order_by(its.execution_count.is_(None), its.created.desc()).limit(1)
    ).one_or_none()
    return None if row is None else row.execution_count or 0


def of_latest_reply(connection: Connection, prefix: str, *, since: float) -> list[Record]:
    """All runs of the latest reply whose name begins with `prefix`, if one was asked for since then."""
    its = RUNS.c.message.startswith(prefix, autoescape=True)
    latest = select(RUNS.c.message).where(its, RUNS.c.created >= since).order_by(RUNS.c.created.desc())
    message = connection.execute(latest.limit(1)).scalar()
    return of_reply(connection, message) if message else []


def unfinished(connection: Connection, *, but: str) -> list[Record]:
    """The runs that are not over, those of one owner left out."""
    # By name: an index finds some states, and not all but some.
    query = select(RUNS).where(RUNS.c.state.in_(set(State) - OVER), RUNS.c.owner != but)
    return [_record(connection, row) for row in connection.execute(query).all()]


def untold(connection: Connection, conversation: str) -> list[Record]:
    """The runs of a conversation that have ended and the model does not know it, or that are not over."""
    found = connection.execute(_UNTOLD, {"its_conversation": conversation}).all()
    return [_record(connection, row) for row in found]


def deliver(connection: Connection, identity: str) -> bool:
    """Note that the model is told how a run ended; False where it was told before."""
    return connection.execute(_DELIVER, {"its_id": identity}).rowcount == 1


def add(
    connection: Connection, key: Key, code: str, *, attempt: int, owner: str, place: str, identity: str
) -> None:
    """Write down a run that is to be sent. Raises IntegrityError where another was quicker."""
    state = {"attempt": attempt, "owner": owner, "state": State.QUEUED, "created": time.time()}
    what = {"code": code, "place": place, "delivered": 0, **_columns(key, code)}
    connection.execute(_ADD, {"id": identity, **what, **state})


def advance(
    connection: Connection, identity: str, owner: str, state: State, values: Mapping[str, object]
) -> bool:
    """Bring a run of `owner` to `state`; False, and nothing is changed, where that may not follow."""
    its = {"its_id": identity, "its_owner": owner}
    return connection.execute(_ADVANCE[state], {**its, "state": state, **values}).rowcount == 1


def withdraw(
    connection: Connection, identity: str, owner: str, state: State, values: Mapping[str, object]
) -> bool:
    """Bring a run of `owner`, who knows that it was not sent, to `state`; False where it is over.

    It may be written that it was: where the answer to that was lost, nothing was sent.
    """
    its = {"its_id": identity, "its_owner": owner}
    return connection.execute(_WITHDRAW, {**its, "state": state, **values}).rowcount == 1


def ending(result: Result) -> dict[str, object]:
    """The columns that hold a result, its outputs aside."""
    return {
        "status": result.status,
        "aftermath": result.aftermath,
        "execution_count": count_of(result.execution_count),
        "duration": result.duration if math.isfinite(result.duration) else 0.0,
        "detail": result.detail,
        "refusals": encode_refusals(result.refusals),
        "files": encode_files(result.files, result.more_files),
    }


def show(
    connection: Connection,
    identity: str,
    outputs: Sequence[Output],
    *,
    known: Sequence[Output],
    after: int = 0,
    singly: bool = False,
) -> None:
    """Write what a run showed `after` so many others where it differs from what is `known` to stand there.

    `singly`: each for itself, and in place of one that cannot be kept a sentence that says so.
    """
    each = enumerate(outputs)
    new = {after + at: shown for at, shown in each if at >= len(known) or known[at] != shown}
    gone = [*new, *range(after + len(outputs), after + len(known))]
    if gone and known:
        there = (OUTPUTS.c.run == identity, OUTPUTS.c.position.in_(gone))
        blobs = connection.scalars(select(OUTPUTS.c.blob).where(*there, OUTPUTS.c.blob.is_not(None))).all()
        connection.execute(delete(OUTPUTS).where(*there))
        forget_blobs(connection, blobs)
    if new and not singly:
        rows = [{"run": identity, "position": at, **_kept(connection, shown)} for at, shown in new.items()]
        connection.execute(_SHOW, rows)
    for at, shown in new.items() if singly else ():
        its = {"run": identity, "position": at}
        if not possible(connection, lambda: connection.execute(_SHOW, its | _kept(connection, shown))):  # noqa: B023
            connection.execute(_SHOW, its | _kept(connection, NOT_KEPT))


def possible(connection: Connection, work: Callable[[], object]) -> bool:
    """Do `work` in a part of the transaction; False, and nothing is changed, where it cannot ever be done."""
    try:
        with connection.begin_nested():
            work()
    except Exception as failure:
        if unfit(failure):
            return False
        raise
    return True


def show_later(
    connection: Connection,
    identity: str,
    outputs: Sequence[Output],
    *,
    known: Sequence[Output],
    after: int,
    singly: bool = False,
) -> bool:
    """Write what a run showed after its end; False where it is forgotten by now."""
    found = connection.execute(_LATER, {"its_id": identity, "count": len(outputs)}).rowcount == 1
    if found:
        show(connection, identity, outputs, known=known, after=after, singly=singly)
    return found


def keep_widgets(connection: Connection, identity: str, widgets: str) -> None:
    """Write the state of the widgets of a run, in place of what it was; not where the run is forgotten."""
    if connection.execute(_MOVED, {"its_id": identity, "state": widgets}).rowcount:
        return
    if connection.execute(_FIND, {"its_id": identity}).first() is not None:
        connection.execute(insert(WIDGETS).values(run=identity, text=widgets))


def keep_modules(connection: Connection, identity: str, modules: Mapping[str, str]) -> None:
    """Write programs of the widgets of a run beside those that it has; not where the run is forgotten."""
    if connection.execute(_FIND, {"its_id": identity}).first() is None:
        return
    for name, content in modules.items():
        its = (MODULES.c.run == identity, MODULES.c.name == name)
        connection.execute(delete(MODULES).where(*its))
        # JSON's spelling, as that of the other blobs: some databases keep no NUL.
        blob = _blob(connection, json.dumps(content))
        connection.execute(insert(MODULES).values(run=identity, name=name, blob=blob))


def modules(connection: Connection, identity: str) -> dict[str, str]:
    """The programs of the widgets of a run, by their names."""
    return {name: json.loads(text) for name, text in connection.execute(_MODULES, {"its_id": identity})}


def forget(connection: Connection, before: float) -> int:
    """Delete the runs that ended before a moment, with all that only they showed; gives how many.

    Those of a conversation that is kept stay with it.
    """
    kept = RUNS.c.conversation.in_(select(CHATS.c.label))
    return remove(connection, RUNS.c.state.in_(OVER), RUNS.c.ended < before, ~kept)


def remove(connection: Connection, *which: ColumnElement[bool]) -> int:
    """Delete runs, with all that only they showed; gives how many."""
    for table in (OUTPUTS, WIDGETS, MODULES):
        connection.execute(delete(table).where(table.c.run.in_(select(RUNS.c.id).where(*which))))
    count = connection.execute(delete(RUNS).where(*which)).rowcount
    connection.execute(delete(BLOBS).where(~_USED))
    return count


def forget_blobs(connection: Connection, hashes: Sequence[str | None]) -> None:
    """Delete those that nothing shows any more."""
    if hashes:
        connection.execute(delete(BLOBS).where(BLOBS.c.hash.in_(hashes), ~_USED))


def _kept(connection: Connection, output: Output) -> dict[str, str | None]:
    text = encode(output)
    if len(text) <= LARGE:
        return {"text": text, "blob": None}
    return {"text": None, "blob": _blob(connection, text)}


def _blob(connection: Connection, text: str) -> str:
    """Have a text among the large ones; returns its hash."""
    name = digest(text)
    if connection.scalar(select(BLOBS.c.hash).where(BLOBS.c.hash == name)) is None:
        connection.execute(insert(BLOBS).values(hash=name, text=text))
    return name


def _columns(key: Key, code: str) -> dict[str, object]:
    return dict(zip(_KEY, (key.conversation, key.message, key.ordinal, digest(code)), strict=True))


def _record(connection: Connection, row: Row[Any]) -> Record:
    result: Result | None = None
    later: tuple[Output, ...] = ()
    widgets = ""
    if row.status is not None:
        outputs = tuple(_outputs(connection, row.id))
        outputs, later = outputs[: len(outputs) - row.later], outputs[len(outputs) - row.later :]
        status, aftermath = Status(row.status), Aftermath(row.aftermath)
        # SQLite keeps NaN, which an earlier version wrote, as NULL.
        took = row.duration or 0.0
        refused = _readable(decode_refusals, row.refusals)
        files, more = _readable(decode_files, row.files)
        end = (status, aftermath, row.execution_count, took, row.detail, refused, files, more)
        result = Result(outputs, *end)
        widgets = connection.scalar(_WIDGETS, {"its_id": row.id}) or ""
    key = Key(row.conversation, row.message, row.ordinal)
    what = (row.id, key, row.attempt, row.code, row.owner, State(row.state), row.sent, result)
    return Record(*what, row.place, bool(row.delivered), row.request, later, widgets)


def _readable(read: Callable[[str | None], T], text: str | None) -> T:
    try:
        return read(text)
    except (LookupError, TypeError, ValueError):  # somebody else has written there
        return read(None)


def _outputs(connection: Connection, identity: str) -> Iterator[Output]:
    for text, blob in connection.execute(_OUTPUTS, {"its_id": identity}):
        kept = blob if text is None else text
        try:
            yield GONE if kept is None else decode(kept)
        except (LookupError, TypeError, ValueError):  # somebody else has written there
            yield GONE


def outputs(connection: Connection, identity: str) -> tuple[Output, ...]:
    """What a run has shown so far."""
    return tuple(_outputs(connection, identity))
