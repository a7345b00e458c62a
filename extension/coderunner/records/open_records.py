"""How records are opened: in a database that is named, in a file of ours, or else in memory."""

import getpass
import logging
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, Connection

from coderunner.errors import RecordsUnavailable
from coderunner.records.database import postgresql
from coderunner.records.database.connection import MEMORY, POOL, Database
from coderunner.records.database.schema import CURRENT, prepare
from coderunner.records.database.sqlite import DIALECT
from coderunner.records.leases import LeaseHolder, Leases
from coderunner.records.run_registry import Records

log = logging.getLogger(__name__)


Fallback = Literal["none", "file", "any"]
"""What may be kept in memory instead where it cannot be opened: nothing, records in a file, or any."""


def open_records(
    address: str, folder: Path, *, keep_days: float = 0, pool: int = POOL, fallback: Fallback = "file"
) -> Records:
    """The records at a database's `address`, or in a file of ours in `folder`.

    Where a file cannot be opened, in memory: the log says so, and for as long as this process lives nothing
    is lost and nothing runs twice. A server that is away is waited for, unless there is no `fallback`: others
    share it, so until it is back nothing runs. Raises RecordsUnavailable where neither helps. In a database
    that was named, users of the system have conversations of their own each.
    """
    place = address or URL.create("sqlite", database=str(folder / "records" / "records.sqlite"))
    try:
        store = Database(place, pool=pool, wait=fallback != "none")
        return Records(store, keep_days=keep_days, person=_user() if address else "")
    except RecordsUnavailable as failure:
        ours = not address or address.startswith(DIALECT)
        if fallback == "none" or (fallback == "file" and not ours):
            raise
        sentence = f"{failure}; until CodeRunner stops, runs are kept in memory only"
        log.warning("%s", sentence)
        return Records(Database(MEMORY), trouble=f"{sentence}.")


def rehearse(address: str, pool: int) -> str:
    """Try a database at that address out and change nothing in it; gives a sentence.

    Raises RecordsUnavailable where runs could not be saved there.
    """
    told: list[str] = []

    def rehearsal(connection: Connection) -> int:
        found = prepare(connection)
        Leases(LeaseHolder.me()).beat(connection)
        if connection.dialect.name == postgresql.DIALECT:
            told.append(postgresql.about(connection, pool))
        if found not in (0, CURRENT):
            told.append(f"Its tables are of version {found}; the next start brings them up to {CURRENT}.")
        if (transaction := connection.get_transaction()) is not None:
            transaction.rollback()
        return found

    store = Database(address, pool=pool, prepare=rehearsal)
    store.close()
    return " ".join((f"Records can be saved in {store.place}.", *told))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # in some containers nobody has a name
        return ""
