"""Which conversation a history belongs to, of clients that name none: functions of a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from coderunner.records.database.schema import HISTORIES


def names_of(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """What was noted under each of these keys, as far as anything was."""
    rows = connection.execute(select(HISTORIES.c.id, HISTORIES.c.name).where(HISTORIES.c.id.in_(keys))).all()
    return {row.id: str(row.name) for row in rows}


def note(connection: Connection, key: str, name: str, now: float) -> None:
    """Take that a history is that of a conversation; of two the latest counts."""
    its = {"name": name, "created": now}
    if not connection.execute(update(HISTORIES).where(HISTORIES.c.id == key).values(its)).rowcount:
        connection.execute(insert(HISTORIES).values(id=key, **its))


def forget(connection: Connection, before: float) -> None:
    """Delete those that were noted before a moment."""
    connection.execute(delete(HISTORIES).where(HISTORIES.c.created < before))
