"""What a member uses against its limits: properties, with a clock that the test moves."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.limiter import DAY, MINUTE, Account, Limits
from coderunner.hosts.proxy.team.members import Member
from tests.behaviours import behaviour

PAUSES = st.lists(st.integers(0, 90 * 8).map(lambda eighths: eighths / 8), max_size=200)
"""Eighths of a second, which add up without rounding."""


@behaviour("team:limit:counted")
@given(PAUSES, st.integers(1, 20))
def test_in_no_minute_more_blocks_run_than_allowed_and_none_is_refused_without_need(
    pauses: list[float], most: int
) -> None:
    account, limits, ran, now = Account(), Limits(blocks_per_minute=most), list[float](), 0.0
    for pause in pauses:
        now += pause
        within = [moment for moment in ran if moment > now - MINUTE]
        reached = account.take_block(limits, now)
        assert (reached is None) == (len(within) < most)
        if reached is None:
            ran.append(now)
        else:
            assert reached.seconds is not None
            assert 0 < reached.seconds <= MINUTE
            # At the moment that it was told, one may run, unless another took it meanwhile.
            then = now + reached.seconds
            assert len([moment for moment in ran if moment > then - MINUTE]) < most


@behaviour("team:limit:bounded")
@given(PAUSES, st.integers(0, 20), st.integers(0, 20))
def test_what_is_remembered_is_bounded_by_the_limit_also_when_it_is_lowered(
    pauses: list[float], most: int, later: int
) -> None:
    account, now = Account(), 0.0
    for pause in pauses:
        now += pause
        account.take_block(Limits(blocks_per_minute=most), now)
        assert len(account.blocks) <= most
    reached = account.blocks_reached(Limits(blocks_per_minute=later), now)
    assert reached is None or (later and reached.seconds is not None and reached.seconds <= MINUTE)


@behaviour("team:limit:counted")
@given(st.lists(st.tuples(st.floats(-DAY, 3 * DAY, allow_nan=False), st.integers(-5, 500)), max_size=50))
def test_the_tokens_of_a_day_are_those_since_midnight_also_when_the_clock_is_set_back(
    uses: list[tuple[float, int]],
) -> None:
    account, limits, latest, spent = Account(), Limits(tokens_per_day=1000), 0, 0
    for moment, tokens in uses:
        today = int(moment // DAY)
        if today > latest:
            latest, spent = today, 0
        reached = account.tokens_reached(limits, moment)
        assert (reached is None) == (spent < 1000)
        assert reached is None or (reached.seconds is not None and reached.seconds > 0)
        account.note_tokens(tokens, moment)
        spent += max(tokens, 0)


@behaviour("team:tokens:saved")
def test_the_tokens_of_the_day_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "tokens-today.json"
    alice = Member("alice", "a1", Limits(tokens_per_day=10))

    def opened(day: float) -> Accounts:
        return Accounts(path, calendar=lambda: day * DAY)

    first = opened(5.5)
    first.note_tokens(alice, 10)
    first.save()
    reached = opened(5.9).tokens_reached(alice)
    assert reached is not None
    assert reached.in_a_reply.endswith("there is room again in 2 h 24 min")
    assert opened(6.0).tokens_reached(alice) is None
    for broken in ("", "[]", '{"a1": 3}', '{"a1": ["x", 10]}', "{"):
        path.write_text(broken)
        assert opened(5.9).tokens_reached(alice) is None
