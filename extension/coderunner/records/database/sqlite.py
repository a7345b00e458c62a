"""What is particular to SQLite: a private file that somebody may remove, and how a transaction begins."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from coderunner import private_folders

DIALECT = "sqlite"
MEMORY = "sqlite://"
"""Kept for as long as the process lives."""


def make_private(path: Path) -> None:
    """See that the file at `path`, and what SQLite lays beside it, is its owner's alone from the start."""
    private_folders.make_private(path.parent)
    # SQLite gives its -wal and -shm files the mode of the file itself.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def identity(path: Path) -> tuple[int, int] | None:
    """What tells the file from another one at the same place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """Let `begin` begin transactions, and set what a connection keeps."""
    # The driver begins transactions late and of the wrong kind; `begin` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    # What was deleted is gone from the file, too.
    connection.execute("PRAGMA secure_delete=ON")


def begin(connection: Connection, writes: str | None) -> None:
    """Begin a transaction; `writes`: how SQLite waits for the disk, None where it only reads."""
    if writes is None:
        connection.exec_driver_sql("BEGIN")
        return
    # In a write-ahead log NORMAL waits for no disk: a power cut takes the last moments, never the file.
    connection.exec_driver_sql(f"PRAGMA synchronous={writes}")
    # A transaction that reads first and writes then would fail where another has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
