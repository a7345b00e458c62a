"""Replies that are kept: functions of a connection.

Those that were cut short because their process ended, and those that clients may refer to later.
"""

from sqlalchemy import Connection, delete, insert, select

from coderunner.records.database.schema import CUT_REPLIES, RESPONSES


def note_cut(connection: Connection, request: str, content: str, now: float, within: float) -> None:
    """Keep what a reply to a request is continued from, the latest one only; forget what is older."""
    its = CUT_REPLIES.c
    connection.execute(delete(CUT_REPLIES).where((its.id == request) | (its.created < now - within)))
    connection.execute(insert(CUT_REPLIES).values(id=request, content=content, created=now))


def find_cut(connection: Connection, request: str, *, since: float) -> str:
    """What was kept of the reply to a request since a moment; empty where nothing was."""
    its = CUT_REPLIES.c
    found = connection.execute(select(its.content).where(its.id == request, its.created >= since))
    return str(found.scalar() or "")


def take_cut(connection: Connection, request: str) -> bool:
    """Forget it; False where somebody else did so before."""
    return connection.execute(delete(CUT_REPLIES).where(CUT_REPLIES.c.id == request)).rowcount > 0


def note_response(connection: Connection, identity: str, owner: str, content: str, now: float) -> None:
    """Keep a response; the latest of its id."""
    connection.execute(delete(RESPONSES).where(RESPONSES.c.id == identity, RESPONSES.c.owner == owner))
    connection.execute(insert(RESPONSES).values(id=identity, owner=owner, content=content, created=now))


def find_response(connection: Connection, identity: str, owner: str) -> str:
    """What is kept of somebody's response; empty where nothing is."""
    its = RESPONSES.c
    return str(connection.scalar(select(its.content).where(its.id == identity, its.owner == owner)) or "")


def find_responses(connection: Connection, beginning: str, owner: str, most: int) -> list[str]:
    """What is kept of somebody's responses whose ids begin so, the latest of them."""
    its = RESPONSES.c
    wanted = its.id.startswith(beginning, autoescape=True), its.owner == owner
    found = select(its.content).where(*wanted).order_by(its.created.desc(), its.id).limit(most)
    return [str(content) for content in connection.scalars(found)]


def delete_response(connection: Connection, identity: str, owner: str) -> bool:
    """Forget somebody's response; False where there is none."""
    gone = delete(RESPONSES).where(RESPONSES.c.id == identity, RESPONSES.c.owner == owner)
    return connection.execute(gone).rowcount > 0


def forget(connection: Connection, before: float) -> None:
    """Delete those that were kept before a moment."""
    for table in (CUT_REPLIES, RESPONSES):
        connection.execute(delete(table).where(table.c.created < before))
