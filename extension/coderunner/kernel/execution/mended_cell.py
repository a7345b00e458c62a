"""Runs a cell, and once more where what it lacked could be seen to."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.running_cell import QueuedCell
from coderunner.outputs import Result

Mend = Callable[[Result, str], Coroutine[Any, Any, tuple[Result, bool]]]
"""Sees to what a cell lacked, by its result and its source.

Gives the result with what came of that; True: the cell may run once more. May be cancelled.
"""


async def run_cell(client: KernelClient, cell: QueuedCell, request: str, mend: Mend | None) -> Result:
    """Run a cell of a session to its end; stopped while something is seen to, it ends as it had."""
    result = await _send(client, cell, request)
    if mend is None:
        return result
    cell.client = None  # whoever stops it meanwhile cancels this task
    try:
        result, once_more = await mend(result, cell.source)
    except asyncio.CancelledError:
        if not cell.stopped or cell.task is None:
            raise
        cell.task.uncancel()
        return result
    finally:
        cell.client = client
    if not once_more or client.gone is not None:
        return result
    # It did not run but for its imports: what it shows takes the place of what it showed.
    said, result = result.detail, await _send(client, cell, uuid.uuid4().hex)
    return replace(result, detail="; ".join(filter(None, (said, result.detail))))


async def _send(client: KernelClient, cell: QueuedCell, request: str) -> Result:
    return await client.execute(
        cell.source,
        request=request,
        deadline=cell.deadline,
        detach=cell.detach,
        on_output=cell.on_output,
        on_question=cell.on_question,
        on_later=cell.on_later,
        panel=cell.panel,
    )
