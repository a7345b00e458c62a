"""A look into the files of a chat where they are: beside its kernel, which need not be done with a cell."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from coderunner.errors import NotAnswered
from coderunner.text.json_reader import loads

Ask = Callable[[str, Mapping[str, object], float], Awaitable[Mapping[str, object]]]
"""Asks the kernel a question, within some seconds; raises NotAnswered."""
MOST = 50
"""Files that are looked at."""
HEADS = frozenset({"parquet", "feather", "arrow", "xlsx", "xlsm"})
"""Of the files whose first rows only a library reads."""
ENDINGS = HEADS | {"csv", "tsv", "json", "jsonl", "ndjson"}
"""Of the files into which there is something to see."""
INTERVAL = 0.05
"""Seconds between two questions."""
ONCE = 3.0
"""Seconds for one question."""
BEGIN = 1.0
"""Seconds until a start that was asked for has begun."""


def worth_a_look(path: str) -> bool:
    """Whether it may be a table, by its name."""
    return path.rpartition(".")[2].lower() in ENDINGS


async def look(
    ask: Ask,
    paths: Sequence[str],
    *,
    patience: float,
    starting: Callable[[], bool],
    stopped: Callable[[], bool],
) -> list[object]:
    """What is in files, by paths in the chat's folder: for each of them what `looker` says, unchecked.

    An empty list where that cannot be had in time: there is no kernel, or it is another one than Python's.
    One that is still `starting` is waited for, until it is `stopped`. Raises nothing.
    """
    said = await printed(ask, _program(), json.dumps(list(paths[:MOST])), patience, starting, stopped)
    found = read(said) if said is not None else []
    return found if isinstance(found, list) else []


async def first_rows(
    ask: Ask, path: str, *, patience: float, starting: Callable[[], bool]
) -> Mapping[str, object] | None:
    """The first rows of a table: what `looker` says, unchecked; None where no kernel can be asked."""
    said = await printed(ask, _program(), json.dumps({"head": path}), patience, starting, lambda: False)
    if said is None:
        return None
    found = read(said)
    return found if isinstance(found, dict) else {}


def starts(state: Callable[[], str]) -> Callable[[], bool]:
    """Whether a kernel is still starting, by its state, where its start was asked for just now."""
    asked = time.monotonic()
    return lambda: state() == "starting" or (state() == "none" and time.monotonic() - asked < BEGIN)


async def printed(
    ask: Ask,
    source: str,
    argument: str,
    patience: float,
    starting: Callable[[], bool],
    stopped: Callable[[], bool],
    *,
    given: str = "",
) -> str | None:
    """What a program of ours has printed beside the kernel; None where it could not be had in time.

    `given` is its standard input. A kernel that is still `starting` is waited for. Raises nothing.
    """
    ticket, end = uuid.uuid4().hex, time.monotonic() + patience
    told: dict[str, object] = {"ticket": ticket, "source": source, "argument": argument}
    # Who gives it something to read waits for it no longer than this, and has it ended by then.
    told |= {"given": given, "seconds": patience} if given else {}
    begun = False
    while time.monotonic() < end and not stopped():
        try:
            answer = await ask("beside", told, ONCE)
        except NotAnswered:
            if begun or not starting():
                return None
        else:
            begun = True
            told = {"ticket": ticket}
            if isinstance(said := answer.get("printed"), str):
                return said
        await asyncio.sleep(INTERVAL)
    return None


def read(said: str) -> object:
    """What was printed as JSON; None where it is none."""
    try:
        return loads(said)
    except ValueError:
        return None


@cache
def _program() -> str:
    return Path(__file__).with_name("looker.py").read_text(encoding="utf-8")
