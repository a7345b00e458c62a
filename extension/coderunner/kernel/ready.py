"""Waits until a kernel that starts answers, and its outputs reach us."""

import asyncio
import uuid
from datetime import UTC, datetime

from coderunner.errors import KernelNotStarted
from coderunner.kernel.client import Event, Gone, Transport
from coderunner.kernel.messages import Stamp, kernel_info_request

ASK_AGAIN = 0.05
"""Seconds after an answer on shell until the kernel is made to say something on iopub again."""
START_TIMEOUT = 60.0
"""Seconds for a kernel to answer: one second as a rule, many on a cold disk."""


async def wait_until_ready(transport: Transport, *, within: float = START_TIMEOUT) -> None:
    """Return when the kernel answers on shell and is heard on iopub.

    It takes our subscription to iopub at a time of its own, perhaps only after its first words: then it is
    asked again. Raises KernelNotStarted.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()
    transport.attach(events.put_nowait)
    heard: set[str] = set()
    try:
        async with asyncio.timeout(within):
            await _ask(transport)
            while not heard >= {"shell", "iopub"}:
                heard.add(await _hear(transport, events, again="shell" in heard))
    except TimeoutError:
        raise KernelNotStarted(f"the kernel did not answer within {within:.0f} s") from None


async def _hear(transport: Transport, events: "asyncio.Queue[Event]", *, again: bool) -> str:
    try:
        event = await asyncio.wait_for(events.get(), ASK_AGAIN if again else None)
    except TimeoutError:
        await _ask(transport)
        return "shell"
    if isinstance(event, Gone):
        raise KernelNotStarted("the kernel ended while it started")
    return event.channel


async def _ask(transport: Transport) -> None:
    await transport.send(
        kernel_info_request(Stamp(uuid.uuid4().hex, "coderunner", datetime.now(UTC).isoformat()))
    )
