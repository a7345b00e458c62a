"""The way to the database: opened privately, one transaction at a time, failures in words of ours."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import StaticPool

from coderunner.errors import NotRecordable, RecordsUnavailable
from coderunner.records.database import postgresql, sqlite
from coderunner.records.database.schema import CURRENT, prepare

log = logging.getLogger(__name__)

Value = TypeVar("Value")
More = ParamSpec("More")

BUSY = 5.0
"""Seconds to wait while another process writes; it writes for milliseconds."""
POOL = 5
"""Connections to a server that a process opens at most: each is used for milliseconds at a time."""
TRIES = 5
"""How often a transaction is tried that another process got in the way of."""
REASON = 300
"""Characters of what a database or its driver says."""
MEMORY = sqlite.MEMORY
PARTICULAR = {each.DIALECT: (each.set_up, each.begin) for each in (sqlite, postgresql)}
"""How a new connection is set up and a transaction begins, by the database."""

UNFIT = (
    DataError,
    IntegrityError,
    NotSupportedError,
    ArithmeticError,
    ValueError,
    TypeError,
    RecursionError,
    MemoryError,
)
"""What is raised for a row that no database takes, whenever it is tried: by the database (a number beyond its
integers, NUL in a text, more than a field holds), by its driver before that (an integer beyond 64 bits, half
a surrogate pair), or by us, where a value cannot be spelt."""
NOT_INSTALLED = f"psycopg is not installed; run: {sys.executable} -m pip install '{postgresql.PACKAGE}'"
NO_TYPE = ("binding parameter", "cannot adapt type", "but expression is of type")
"""What is said of a value whose type the driver does not know, or the column does not hold."""


def unfit(failure: BaseException) -> bool:
    """Whether it was raised for a row that no database takes."""
    if postgresql.code(failure) in postgresql.RACES:
        return False
    # sqlite3 says it by two classes, psycopg by another, PostgreSQL by a third.
    told = str(failure.orig) if isinstance(failure, InterfaceError | ProgrammingError) else ""
    return isinstance(failure, UNFIT) or any(words in told for words in NO_TYPE)


class Database:
    """A database with our tables; may be used from any thread.

    Whatever goes wrong raises RecordsUnavailable; NotRecordable, where the same would go wrong at any time.
    """

    def __init__(
        self,
        address: str | URL,
        *,
        patience: float = BUSY,
        pool: int = POOL,
        wait: bool = False,
        prepare: Callable[[Connection], int] = prepare,
    ) -> None:
        """Open it and bring its tables up to date. Raises RecordsUnavailable.

        `patience`: seconds to wait for another process that writes into the same file, or for a connection.
        `pool`: how many of these to a server. With `wait`, a server may be away: each transaction tries it
        anew, and what is wrong now is `away`. `prepare` brings the tables up to date, and gives the version
        found; 0 where there were none.
        """
        self._url = _parsed(address)
        self._patience = patience
        self._pool = pool
        self._prepare = prepare
        self._secrets = _secrets(self._url)
        # A database in memory is one connection, which threads take in turns.
        self._turn = threading.RLock() if self._in_memory else None
        with self._translated():
            self._engine = self._connect()
            self._reader = self._engine.execution_options(coderunner_writes=None)
            self._writer = self._engine.execution_options(coderunner_writes="NORMAL")
            self._safe = self._engine.execution_options(coderunner_writes="FULL")
        self._renewing = threading.Lock()
        self._ready = self._was_ready = self._made_anew = False
        self.away: RecordsUnavailable | None = None
        try:
            found = self._write(self._writer, prepare)
        except RecordsUnavailable as failure:
            self.away = failure
            if not (wait and self.shared):
                self.close()
                raise
        else:
            self._accept(found)
        self._file = self._identity()

    @property
    def shared(self) -> bool:
        """It is on a server, where processes of other machines may use it too."""
        return self._url.get_backend_name() != sqlite.DIALECT

    @property
    def place(self) -> str:
        """Where it is, in words, without user and password."""
        if self._in_memory:
            return "memory"
        return postgresql.place(self._url) if self.shared else str(self._url.database)

    def renew(self) -> bool:
        """See that the tables are there, and make new ones where somebody removed them; True where it was so.

        SQLite goes on to write into a file that was removed, and nobody would ever read it. Raises
        RecordsUnavailable where none can be made.
        """
        if self.shared:
            self._see_that_it_is_open()
        elif self._file is None or self._identity() == self._file:
            return False
        with self._renewing:
            if not self.shared and self._identity() != self._file:
                with self._translated():
                    self._engine.dispose()
                    sqlite.make_private(Path(str(self._url.database)))
                self._write(self._writer, self._prepare)
                self._file, self._made_anew = self._identity(), True
            made, self._made_anew = self._made_anew, False
        return made

    def read(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """Do `work` in a transaction that only reads. Raises RecordsUnavailable."""
        self._see_that_it_is_open()
        return self._write(self._reader, lambda connection: work(connection, *given, **named), "read")

    def write(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """Do `work` in a transaction, anew where another process was quicker. Raises RecordsUnavailable."""
        self._see_that_it_is_open()
        return self._write(self._writer, lambda connection: work(connection, *given, **named))

    def write_safely(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """The same for what has to outlive a power cut: it is on the disk, not only on its way there."""
        self._see_that_it_is_open()
        return self._write(self._safe, lambda connection: work(connection, *given, **named))

    def _see_that_it_is_open(self) -> None:
        """Open it where it was away until now, or its tables were removed."""
        if self._ready:
            return
        with self._renewing:
            if not self._ready:
                self._accept(self._write(self._writer, self._prepare))

    def _accept(self, found: int) -> None:
        """Take the tables of version `found`; 0: there were none."""
        if found > CURRENT:
            self.close()
            raise RecordsUnavailable(
                f"the records in {self.place} are from a newer CodeRunner (version {found}); update this one"
            )
        # There were some when it was opened for the first time, or made then.
        self._made_anew = self._was_ready and found == 0
        self._ready = self._was_ready = True
        self.away = None

    def _write(self, engine: Engine, work: Callable[[Connection], Value], deed: str = "save") -> Value:
        for attempt in range(TRIES):
            with self._translated(deed), self._alone():
                try:
                    with engine.begin() as connection:
                        return work(connection)
                except DBAPIError as failure:
                    if postgresql.code(failure) == postgresql.READ_ONLY:
                        self._engine.dispose()
                    if attempt == TRIES - 1 or not _may_work_now(failure, first=attempt == 0):
                        raise
        raise AssertionError

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _identity(self) -> tuple[int, int] | None:
        """What tells its file from another one at the same place; None where it has none."""
        return None if self.shared or self._in_memory else sqlite.identity(Path(str(self._url.database)))

    @property
    def _in_memory(self) -> bool:
        database = self._url.database
        return not self.shared and database in (None, "", ":memory:")

    def _connect(self) -> Engine:
        more = dict[str, Any]()
        if self.shared:
            # The one that was used last is used again: those beyond what is needed stay idle. Whether a
            # connection is still open shows when a transaction begins, without a ping before it.
            more |= {"pool_size": self._pool, "max_overflow": 0, "pool_timeout": self._patience}
            more |= {"pool_use_lifo": True, "use_native_hstore": False}
            more["connect_args"] = postgresql.arguments(self._url)
        else:
            more["connect_args"] = {"timeout": self._patience, "check_same_thread": False}
            if self._in_memory:
                more["poolclass"] = StaticPool
            else:
                sqlite.make_private(Path(str(self._url.database)))
        engine = create_engine(self._url, hide_parameters=True, **more)
        set_up, begin = PARTICULAR[self._url.get_backend_name()]
        event.listen(engine, "connect", set_up)
        event.listen(engine, "begin", lambda connection: begin(connection, _writes(connection)))
        return engine

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        with self._turn:
            yield

    @contextmanager
    def _translated(self, deed: str = "save") -> Iterator[None]:
        """The seam: whatever the library or its driver raises becomes one sentence without a secret."""
        try:
            yield
        except (SQLAlchemyError, OSError, ImportError) as failure:
            # Without `from`: a driver's error may carry the address, and ours is shown and logged.
            if postgresql.code(failure) == postgresql.NO_TABLE:
                self._ready = False
            away = (RecordsUnavailable, "save records")
            kind, what = (NotRecordable, f"{deed} this") if unfit(failure) else away
            raise kind(f"{self.place} cannot {what}: {self._reason(failure)}") from None
        except UNFIT as failure:
            log.debug("what could not be saved", exc_info=True)
            raise NotRecordable(f"{self.place} cannot {deed} this: {self._reason(failure)}") from None

    def _reason(self, failure: Exception) -> str:
        if isinstance(failure, ImportError):
            return NOT_INSTALLED
        if isinstance(failure, OSError) and failure.strerror:
            return failure.strerror
        told = str(failure.orig if isinstance(failure, DBAPIError) else failure).strip()
        said = postgresql.meaning(failure, told) if self.shared else None
        if isinstance(said, str):
            return said
        first = (postgresql.brief(told) if self.shared else told.partition("\n")[0])[:REASON]
        secret = any(each in told for each in self._secrets)
        # An encoding error names the text that it failed on.
        plain = first and not secret and not isinstance(failure, UnicodeError)
        if not plain:
            return type(failure).__name__
        return said(first) if said is not None else first


def _may_work_now(failure: DBAPIError, *, first: bool) -> bool:
    """Whether a transaction that came to nothing is to be done again at once."""
    if failure.connection_invalidated or postgresql.code(failure) == postgresql.READ_ONLY:
        # It was idle for too long, or the server was started anew or replaced by another: with a new
        # connection it works, or else it is said.
        return first
    made = isinstance(failure, IntegrityError | ProgrammingError)  # the second: another made the tables
    return made or postgresql.code(failure) in postgresql.RACES


def _writes(connection: Connection) -> str | None:
    how: str | None = connection.get_execution_options().get("coderunner_writes")
    return how


def _parsed(address: str | URL) -> URL:
    try:
        url = postgresql.parsed(address)
    except (ArgumentError, ValueError):
        message = "records_url is not a database URL such as postgresql://user@host/database"
        raise RecordsUnavailable(message) from None
    if (kind := url.get_backend_name()) not in PARTICULAR:
        raise RecordsUnavailable(
            f"records are kept in SQLite or PostgreSQL, not in {kind}; "
            "write records_url as sqlite:////path or postgresql://user@host/database"
        )
    return url


def _secrets(url: URL) -> set[str]:
    """All that must not stand in a message, in every spelling."""
    values = [str(url.password or "")]
    for name, value in url.query.items():
        if name not in postgresql.PUBLIC:
            values += [value] if isinstance(value, str) else value
    return {spelt for value in values if value for spelt in (value, quote(value), quote_plus(value))}
