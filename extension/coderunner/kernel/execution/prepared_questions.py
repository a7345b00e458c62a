"""Asks a kernel a question in time, and brings it what answers questions where it does not have that."""

import asyncio
from collections.abc import Awaitable, Callable

from coderunner.errors import NotAnswered
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.open_questions import Unheard
from coderunner.kernel.protocol.messages import Json

USAGE = "usage"
"""A question that is answered from outside where that can be: also where a program holds the interpreter."""
NOT_IPYTHON = "this is no IPython kernel, and only that answers questions while it runs code"
SILENT = "the kernel did not answer within {patience:g} s; it may be busy"


async def ask(
    finding: Awaitable[KernelClient],
    question: str,
    arguments: Json,
    patience: float,
    *,
    prelude: Callable[[], str],
    busy: Callable[[], bool],
) -> Json:
    """Ask the kernel that is found; raises NotAnswered, after `patience` seconds at the latest.

    `prelude` is the cell that has it answer, which is sent where it is needed, and it is not `busy` with one.
    """
    try:
        async with asyncio.timeout(patience):
            client = await finding
            if question == USAGE and (seen := client.usage()) is not None:
                return seen
            if not client.is_ipykernel:
                raise NotAnswered(NOT_IPYTHON)
            try:
                return await _asked(client, question, arguments, prelude, busy)
            except Unheard:
                # Somebody restarted it, and nobody told us.
                client.prepared = False
                return await _asked(client, question, arguments, prelude, busy)
    except TimeoutError as error:
        if isinstance(error, NotAnswered):
            raise
        raise NotAnswered(SILENT.format(patience=patience)) from None


async def _asked(
    client: KernelClient, question: str, arguments: Json, prelude: Callable[[], str], busy: Callable[[], bool]
) -> Json:
    if not client.prepared and not busy():
        client.prepared = True
        await client.run_unseen(prelude())
    return await client.ask(question, arguments)
