"""Replies that were cut short because their process ended: functions of a connection."""

from sqlalchemy import Connection, delete, insert, select

from coderunner.records.database.schema import CUT_REPLIES


def note(connection: Connection, request: str, content: str, now: float, within: float) -> None:
    """Keep what a reply to a request is continued from, the latest one only; forget what is older."""
    its = CUT_REPLIES.c
    connection.execute(delete(CUT_REPLIES).where((its.id == request) | (its.created < now - within)))
    connection.execute(insert(CUT_REPLIES).values(id=request, content=content, created=now))


def find(connection: Connection, request: str, *, since: float) -> str:
    """What was kept of the reply to a request since a moment; empty where nothing was."""
    its = CUT_REPLIES.c
    found = connection.execute(select(its.content).where(its.id == request, its.created >= since))
    return str(found.scalar() or "")


def take(connection: Connection, request: str) -> bool:
    """Forget it; False where somebody else did so before."""
    return connection.execute(delete(CUT_REPLIES).where(CUT_REPLIES.c.id == request)).rowcount > 0


def forget(connection: Connection, before: float) -> None:
    """Delete those that were kept before a moment."""
    connection.execute(delete(CUT_REPLIES).where(CUT_REPLIES.c.created < before))
