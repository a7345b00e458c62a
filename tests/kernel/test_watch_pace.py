"""Looks at a kernel: many while it works, few while it rests."""

import asyncio

from coderunner.kernel.connections.watch_pace import WatchPace
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND

FOR_EVER = 10**9


@behaviour("watch:rests")
async def test_a_kernel_that_rests_is_looked_at_seldom_until_it_works_again() -> None:
    pace = WatchPace()
    looking = asyncio.create_task(pace.wait(0.001, 40, most=FOR_EVER))
    for state in ("idle", "starting", None, {"no": "state"}):
        await asyncio.sleep(0)
        pace.hear(state)
    assert not looking.done()
    pace.hear("busy")
    async with asyncio.timeout(BOUND):
        await looking
        await pace.wait(0.001, 40, most=FOR_EVER)  # it works still
    pace.hear("idle")
    resting = asyncio.create_task(pace.wait(0.001, 40, most=FOR_EVER))
    await asyncio.sleep(0.01)
    assert not resting.done()
    resting.cancel()


@behaviour("watch:rests")
async def test_a_kernel_of_which_the_last_look_found_something_new_is_looked_at_again_at_once() -> None:
    async with asyncio.timeout(BOUND):
        await WatchPace().wait(0.001, 0, most=FOR_EVER)
