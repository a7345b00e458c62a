"""Work beside the rest, which nobody awaits. What fails in it is written to the log and ends nothing else.

What a kernel, a server or a page says may be of any shape: whoever takes it has to take what comes next, too.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


def attempt(what: str, act: Callable[..., T], *arguments: object) -> T | None:
    """Do something that may fail; then None, and the log says that `what` could not be done."""
    try:
        return act(*arguments)
    except Exception:
        log.exception("%s", what)
        return None


def begin(what: str, work: Coroutine[Any, Any, None], held: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Start a task, and hold it in `held` until it ends; where it fails the log says `what`."""
    task = asyncio.get_running_loop().create_task(work)
    held.add(task)
    task.add_done_callback(held.discard)
    task.add_done_callback(lambda done: _look_at(what, done))
    return task


def _look_at(what: str, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s", what, exc_info=error)
