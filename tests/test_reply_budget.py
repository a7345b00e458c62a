"""What one reply may take."""

import pytest

from coderunner.runner.reply_budget import ReplyBudget
from tests.behaviours import behaviour


class Clock:
    """Stands still until somebody sets it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@behaviour("allowance:words:used-up")
@pytest.mark.parametrize(("seconds", "words"), [(900.0, "15 min"), (90.0, "1.5 min"), (5.0, "5 s")])
def test_a_reply_has_its_seconds_and_no_more(seconds: float, words: str) -> None:
    clock = Clock()
    allowance = ReplyBudget(seconds, clock=clock)
    clock.now += seconds - 1
    assert allowance.used_up() == ""
    clock.now += 1
    assert allowance.used_up() == f"this reply has reached its time limit of {words}"


@behaviour("allowance:words:used-up")
def test_a_reply_has_its_tokens_and_no_more() -> None:
    spent = [3_999]
    allowance = ReplyBudget(tokens=4_000, spent=lambda: spent[0])
    assert allowance.used_up() == ""
    spent[0] += 1
    assert allowance.used_up() == "this reply has reached its limit of 4,000 tokens"


@behaviour("allowance:limits:none")
def test_without_limits_nothing_is_ever_used_up() -> None:
    clock = Clock()
    allowance = ReplyBudget(spent=lambda: 10**9, clock=clock)
    clock.now += 10**9
    assert allowance.used_up() == ""


@behaviour("allowance:time:person")
def test_the_time_in_which_a_person_is_asked_does_not_count() -> None:
    clock = Clock()
    allowance = ReplyBudget(10.0, clock=clock)
    with allowance.paused():
        clock.now += 3_600
    clock.now += 9
    assert allowance.used_up() == ""
