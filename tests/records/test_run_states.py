"""How far a run has come, as a table."""

import itertools

import pytest

from coderunner.outputs import Result, Status, Stream
from coderunner.records.database.run_states import NEXT, OVER, State, Verdict, before, verdict
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, claimed, known, sent


@behaviour("records:states:table")
def test_every_way_ends_and_no_end_goes_on() -> None:
    assert {state for state, following in NEXT.items() if not following} == OVER
    assert all(state in before(following) for state in State for following in NEXT[state])


@behaviour("records:states:table")
def test_a_run_goes_through_its_states(records: Records) -> None:
    entry = claimed(records.claim(KEY, CODE))
    seen = [entry.state]
    for act in (
        entry.send,
        lambda: entry.show(0, Stream("stdout", "1")),
        lambda: entry.detach(Result(status=Status.TIMEOUT)),
        lambda: entry.finish(FIFTEEN),
    ):
        act()
        records.settle()
        seen.append(known(records.recall(KEY, CODE)).state)
    assert seen == [State.QUEUED, State.SENT, State.RUNNING, State.DETACHED, State.ENDED]


@behaviour("records:states:table")
def test_a_run_ends_once(records: Records) -> None:
    entry = sent(records.claim(KEY, CODE))
    entry.finish(FIFTEEN)
    for late in (entry.finish, entry.detach):
        with pytest.raises(ValueError, match="a run that is ended cannot become"):
            late(Result(status=Status.ERROR))
    entry.show(0, Stream("stdout", "too late"))
    records.settle()
    assert known(records.recall(KEY, CODE)).result == FIFTEEN


@behaviour("records:states:verdict")
def test_what_was_sent_is_never_sent_again_and_what_was_not_is_not_lost() -> None:
    cases = itertools.product(State, (True, False))
    runs = {(state, owned) for state, owned in cases if verdict(state, owned=owned) is Verdict.RUN}
    assert runs == {(State.QUEUED, False), (State.UNSENT, True), (State.UNSENT, False)}
    gone = {state for state in State if verdict(state, owned=False) is Verdict.LOSE}
    assert gone == {State.SENT, State.RUNNING, State.DETACHED}
