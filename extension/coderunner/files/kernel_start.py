"""Waiting for a kernel that starts, where nothing but the kernel leads to the files of a chat."""

import asyncio
from collections.abc import Callable
from time import monotonic

BEGIN = 1.0
"""Seconds until a start that was asked for has begun; one that is not allowed never does."""
INTERVAL = 0.05


async def until_started(state: Callable[[], str], *, patience: float) -> None:
    """Wait while a kernel's state is `starting`, or `none` just after it was to start, for some seconds."""
    asked = monotonic()
    while (waited := monotonic() - asked) < patience:
        now = state()
        if now != "starting" and not (now == "none" and waited < BEGIN):
            return
        await asyncio.sleep(INTERVAL)
