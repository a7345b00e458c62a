"""Time limits that are set anew for each cell."""

import asyncio

import pytest

from coderunner.kernel.execution.deadline import Alarm
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND


async def fires(alarm: Alarm, seconds: float) -> None:
    """Set an alarm, and wait until it has called."""
    called = asyncio.Event()
    alarm.set(seconds, called.set)
    async with asyncio.timeout(BOUND):
        await called.wait()


@behaviour("cell:alarm:anew")
async def test_an_alarm_that_is_set_anew_calls_once_at_its_last_time_and_no_more() -> None:
    alarm, wrong = Alarm(), list[str]()
    alarm.set(0.0, lambda: wrong.append("put off"))
    await fires(alarm, 0.01)
    alarm.set(2 * BOUND, lambda: wrong.append("brought forward"))
    await fires(alarm, 0.0)
    alarm.set(0.0, lambda: wrong.append("cleared"))
    alarm.clear()
    await fires(Alarm(), 0.01)
    assert (wrong, alarm.due) == ([], None)


@behaviour("cell:alarm:anew")
async def test_a_thousand_cells_leave_one_timer_in_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, alarm, timers = asyncio.get_running_loop(), Alarm(), list[float]()
    at = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda when, *rest: timers.append(when) or at(when, *rest))
    for _ in range(1000):
        alarm.set(BOUND, pytest.fail)
        alarm.clear()
    assert len(timers) == 1
