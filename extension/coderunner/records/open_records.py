"""How records are opened: in a database that is named, in a file of ours, or else in memory."""

import getpass
import logging
from pathlib import Path

from sqlalchemy import URL

from coderunner.errors import RecordsUnavailable
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.run_registry import Records

log = logging.getLogger(__name__)


def open_records(address: str, folder: Path, *, keep_days: float = 0, in_memory: bool = True) -> Records:
    """The records at a database's `address`, or in a file of ours in `folder`.

    Where that cannot be opened, in memory: the log says so, and for as long as this process lives nothing is
    lost and nothing runs twice. Without `in_memory`, RecordsUnavailable is raised then. In a database that
    was named, users of the system have conversations of their own each.
    """
    place = address or URL.create("sqlite", database=str(folder / "records" / "records.sqlite"))
    try:
        return Records(Database(place), keep_days=keep_days, person=_user() if address else "")
    except RecordsUnavailable as failure:
        if not in_memory:
            raise
        sentence = f"{failure}; until CodeRunner stops, runs are kept in memory only"
        log.warning("%s", sentence)
        return Records(Database(MEMORY), trouble=f"{sentence}.")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in some containers nobody has a name
        return ""
