"""What ends when a client disconnects."""

import asyncio
from collections.abc import Coroutine

from starlette.types import Receive


async def until_disconnected(
    receive: Receive, deliver: Coroutine[None, None, None], *beside: Coroutine[None, None, None]
) -> None:
    """Run `deliver`, and `beside` it other tasks; cancel them when the client disconnects."""
    work = asyncio.ensure_future(deliver)
    others = [asyncio.ensure_future(each) for each in (_gone(receive), *beside)]
    try:
        await asyncio.wait({work, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (work, *others):
            task.cancel()
        await asyncio.gather(work, *others, return_exceptions=True)
    if not work.cancelled():
        work.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
