"""The way to the database: opened privately, one transaction at a time, failures in words of ours."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
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

from coderunner import private_folders
from coderunner.errors import NotRecordable, RecordsUnavailable
from coderunner.records.database.schema import prepare

log = logging.getLogger(__name__)

Value = TypeVar("Value")
More = ParamSpec("More")

BUSY = 5.0
"""Seconds to wait while another process writes; it writes for milliseconds."""
TRIES = 5
"""How often a transaction is tried that another process got in the way of."""
REASON = 300
"""Characters of what a database or its driver says."""
MEMORY = "sqlite://"
"""Kept for as long as the process lives."""


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


def unfit(failure: BaseException) -> bool:
    """Whether it was raised for a row that no database takes."""
    # A value of a type that a driver does not know: sqlite3 says it by two classes, psycopg by another.
    told = str(failure.orig) if isinstance(failure, InterfaceError | ProgrammingError) else ""
    return isinstance(failure, UNFIT) or "binding parameter" in told or "cannot adapt type" in told


class Database:
    """A database with our tables; may be used from any thread.

    Whatever goes wrong raises RecordsUnavailable; NotRecordable, where the same would go wrong at any time.
    """

    def __init__(self, address: str | URL, *, patience: float = BUSY) -> None:
        """Open it and bring its tables up to date. Raises RecordsUnavailable.

        `patience`: seconds to wait for another process that writes into the same file.
        """
        self._url = _parsed(address)
        self._patience = patience
        self._secrets = _secrets(self._url)
        # A database in memory is one connection, which threads take in turns.
        self._turn = threading.RLock() if self._in_memory else None
        with self._translated():
            self._engine = self._connect()
            self._writer = self._engine.execution_options(coderunner_writes="NORMAL")
            self._safe = self._engine.execution_options(coderunner_writes="FULL")
        self._renewing = threading.Lock()
        newer = self.write(prepare)
        self._file = self._identity()
        if newer:
            self.close()
            message = (
                f"the records in {self.place} are from a newer CodeRunner (version {newer}); update this one"
            )
            raise RecordsUnavailable(message)

    @property
    def place(self) -> str:
        """Where it is, in words, without user and password."""
        if self._in_memory:
            return "memory"
        if self._url.get_backend_name() == "sqlite":
            return str(self._url.database)
        return f"the {self._url.get_backend_name()} database {self._url.database} on {self._url.host}"

    def renew(self) -> bool:
        """See that the file is there, and make a new one where somebody removed it; True where it was.

        SQLite goes on to write into a file that was removed, and nobody would ever read it. Raises
        RecordsUnavailable where it cannot be made.
        """
        if self._file is None or self._identity() == self._file:
            return False
        with self._renewing:
            if self._identity() == self._file:
                return False
            with self._translated():
                self._engine.dispose()
                make_private(Path(str(self._url.database)))
            self.write(prepare)
            self._file = self._identity()
        return True

    def read(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """Do `work` in a transaction that only reads. Raises RecordsUnavailable."""
        with self._translated("read"), self._alone(), self._engine.begin() as connection:
            return work(connection, *given, **named)

    def write(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """Do `work` in a transaction, anew where another process was quicker. Raises RecordsUnavailable."""
        return self._write(self._writer, lambda connection: work(connection, *given, **named))

    def write_safely(
        self, work: Callable[Concatenate[Connection, More], Value], *given: More.args, **named: More.kwargs
    ) -> Value:
        """The same for what has to outlive a power cut: it is on the disk, not only on its way there."""
        return self._write(self._safe, lambda connection: work(connection, *given, **named))

    def _write(self, engine: Engine, work: Callable[[Connection], Value]) -> Value:
        for attempt in range(TRIES):
            with self._translated(), self._alone():
                try:
                    with engine.begin() as connection:
                        return work(connection)
                except (IntegrityError, ProgrammingError):  # the second: it made the tables
                    if attempt == TRIES - 1:
                        raise
        raise AssertionError

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _identity(self) -> tuple[int, int] | None:
        """What tells the file from another one at the same place; None where there is none, or in memory."""
        if self._url.get_backend_name() != "sqlite" or self._in_memory:
            return None
        try:
            found = Path(str(self._url.database)).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @property
    def _in_memory(self) -> bool:
        database = self._url.database
        return self._url.get_backend_name() == "sqlite" and database in (None, "", ":memory:")

    def _connect(self) -> Engine:
        more: dict[str, Any] = {}
        if self._url.get_backend_name() == "sqlite":
            more["connect_args"] = {"timeout": self._patience, "check_same_thread": False}
            if self._in_memory:
                more["poolclass"] = StaticPool
            else:
                make_private(Path(str(self._url.database)))
        else:
            more["pool_pre_ping"] = True
        engine = create_engine(self._url, hide_parameters=True, **more)
        if self._url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
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
            away = (RecordsUnavailable, "save records")
            kind, what = (NotRecordable, f"{deed} this") if unfit(failure) else away
            raise kind(f"{self.place} cannot {what}: {self._reason(failure)}") from None
        except UNFIT as failure:
            log.debug("what could not be saved", exc_info=True)
            raise NotRecordable(f"{self.place} cannot {deed} this: {self._reason(failure)}") from None

    def _reason(self, failure: Exception) -> str:
        if isinstance(failure, ImportError):
            return f"its driver {failure.name} is not installed"
        if isinstance(failure, OSError) and failure.strerror:
            return failure.strerror
        told = str(failure.orig if isinstance(failure, DBAPIError) else failure).strip()
        first = told.partition("\n")[0][:REASON]
        secret = any(each in told for each in self._secrets)
        # An encoding error names the text that it failed on.
        plain = first and not secret and not isinstance(failure, UnicodeError)
        return first if plain else type(failure).__name__


def make_private(path: Path) -> None:
    """See that the file at `path`, and what SQLite lays beside it, is its owner's alone from the start."""
    private_folders.make_private(path.parent)
    # SQLite gives its -wal and -shm files the mode of the file itself.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _set_up_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    # The driver begins transactions late and of the wrong kind; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # What was deleted is gone from the file, too.
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(connection: Connection) -> None:
    how = connection.get_execution_options().get("coderunner_writes")
    if how is None:
        connection.exec_driver_sql("BEGIN")
        return
    # In a write-ahead log NORMAL waits for no disk: a power cut takes the last moments, never the file.
    connection.exec_driver_sql(f"PRAGMA synchronous={how}")
    # A transaction that reads first and writes then would fail where another has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _parsed(address: str | URL) -> URL:
    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        message = "records_url is not a database URL such as postgresql+psycopg://user@host/database"
        raise RecordsUnavailable(message) from None


def _secrets(url: URL) -> set[str]:
    """All that must not stand in a message, in every spelling."""
    values = [str(url.password or "")]
    for value in url.query.values():
        values += [value] if isinstance(value, str) else value
    return {spelt for value in values if value for spelt in (value, quote(value), quote_plus(value))}
