"""Waits until a kernel that starts answers, and its outputs reach us."""

import asyncio
import uuid
from datetime import UTC, datetime

from coderunner.errors import KernelNotStarted
from coderunner.kernel.execution.pending_request import Event
from coderunner.kernel.execution.transport import Transport
from coderunner.kernel.protocol.kernel_info import kernel_info_of
from coderunner.kernel.protocol.messages import Channel, Message, Stamp, kernel_info_request

ASK_AGAIN = 0.05
"""Seconds after an answer on shell until the kernel is made to say something on iopub again."""
START_TIMEOUT = 60.0
"""Seconds for a kernel to answer: one second as a rule, many on a cold disk."""


async def wait_until_ready(
    transport: Transport, *, within: float = START_TIMEOUT, channel: Channel = "shell"
) -> str:
    """Return when the kernel answers and is heard on iopub; tell what its process calls its session.

    What it says of itself is then in `transport.about`.

    A busy kernel answers on control only. It takes our subscription to iopub at a time of its own, perhaps
    only after its first words: then it is asked again. What others say, or was said before, does not count.
    Raises KernelNotStarted.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()
    transport.attach(events.put_nowait)
    asked: set[str] = set()
    heard: set[str] = set()
    process = ""
    try:
        async with asyncio.timeout(within):
            asked.add(await _ask(transport, channel))
            while not heard >= {channel, "iopub"}:
                event = await _next(events, patience=ASK_AGAIN if channel in heard else None)
                if event is None:
                    asked.add(await _ask(transport, channel))
                elif event.parent in asked:
                    heard.add(event.channel)
                    process = event.session
                    if event.type == "kernel_info_reply":
                        transport.about = kernel_info_of(event.content)
    except TimeoutError:
        raise KernelNotStarted(f"the kernel did not answer within {within:.0f} s") from None
    return process


async def _next(events: "asyncio.Queue[Event]", *, patience: float | None) -> Message | None:
    try:
        async with asyncio.timeout(patience):
            event = await events.get()
    except TimeoutError:
        return None
    if not isinstance(event, Message):
        raise KernelNotStarted("the kernel ended while it started")
    return event


async def _ask(transport: Transport, channel: Channel) -> str:
    stamp = Stamp(uuid.uuid4().hex, "coderunner", datetime.now(UTC).isoformat())
    await transport.send(kernel_info_request(stamp, channel))
    return stamp.id
