"""Which conversation a history belongs to, of clients that name none: functions of a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from coderunner.records.database.schema import HISTORIES


def name_of(connection: Connection, keys: Sequence[str]) -> str:
    """The conversation of the first of these histories that is known; empty where none is."""
    rows = connection.execute(select(HISTORIES.c.id, HISTORIES.c.name).where(HISTORIES.c.id.in_(keys))).all()
    names = {row.id: str(row.name) for row in rows}
    return next((names[key] for key in keys if key in names), "")


def note(connection: Connection, key: str, name: str, now: float) -> None:
    """Take that a history is that of a conversation; of two the latest counts."""
    its = {"name": name, "created": now}
    if not connection.execute(update(HISTORIES).where(HISTORIES.c.id == key).values(its)).rowcount:
        connection.execute(insert(HISTORIES).values(id=key, **its))


def forget(connection: Connection, before: float) -> None:
    """Delete those that were noted before a moment."""
    connection.execute(delete(HISTORIES).where(HISTORIES.c.created < before))
