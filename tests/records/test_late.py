"""Ends that the model was not told: of runs beyond their deadline, and of runs whose process is gone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain

from coderunner.outputs import Aftermath, Result, Status, Stream
from coderunner.records.database.run_queries import Key
from coderunner.records.run_once import RecordedRuns
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, Open, crash, known, sent

SO_FAR = Result(status=Status.TIMEOUT, aftermath=Aftermath.BUSY, detail="the limit is 30 s")
C = "conversation"
BOUND = 20.0


@behaviour("records:late:once")
def test_a_late_end_that_its_process_did_not_tell_is_told_once_by_the_next(replica: Open) -> None:
    here, *others = (replica() for _ in range(3))
    for ordinal in range(5):
        entry = sent(here.claim(Key(C, "m", ordinal), CODE))
        entry.detach(SO_FAR)
        entry.finish(FIFTEEN)
    here.settle()
    assert [each.take_undelivered(C) for each in others] == [[], []]
    crash(here)
    with ThreadPoolExecutor(6) as pool:
        taken = list(chain.from_iterable(pool.map(lambda each: each.take_undelivered(C), others * 3)))
    assert sorted(each.key.ordinal for each in taken) == [0, 1, 2, 3, 4]
    assert {each.result for each in taken} == {FIFTEEN}


@behaviour("records:late:once")
def test_a_lost_run_is_told_once_either_where_it_stood_or_later(replica: Open) -> None:
    here, there = replica(), replica()
    continued, left = Key(C, "m", 0), Key(C, "m", 1)
    for key in (continued, left):
        sent(here.claim(key, CODE))
    crash(here)
    there.sweep()
    there.deliver(known(there.recall(continued, CODE)))
    assert [each.key for each in there.take_undelivered(C)] == [left]
    assert there.take_undelivered(C) == []


@behaviour("records:late:once")
def test_what_a_process_that_has_just_died_left_is_told_to_whoever_asks_next(replica: Open) -> None:
    here, *others = (replica() for _ in range(3))
    sent(here.claim(shown := Key(C, "m", 0), CODE)).show(0, FIFTEEN.outputs[0])
    sent(here.claim(detached := Key(C, "m", 1), CODE)).detach(SO_FAR)
    here.claim(Key(C, "m", 2), CODE)
    here.settle()
    assert [each.take_undelivered(C) for each in others] == [[], []]
    crash(here)
    taken = list(chain.from_iterable(each.take_undelivered(C) for each in others))
    assert [each.key for each in taken] == [shown, detached]
    assert [each.result and each.result.status for each in taken] == [Status.LOST, Status.LOST]
    assert taken[0].result is not None
    assert taken[0].result.outputs == FIFTEEN.outputs


@behaviour("records:late:once")
def test_a_late_end_that_is_told_where_it_stood_is_not_told_once_more(replica: Open) -> None:
    here, late = replica(), [Result(duration=1.0), Result(duration=2.0)]
    for ordinal, result in enumerate(late):
        entry = sent(here.claim(Key(C, "m", ordinal), CODE))
        entry.detach(SO_FAR)
        entry.finish(result)
    assert here.settle()
    here.deliver(known(here.recall(Key(C, "m", 0), CODE)))
    runs = RecordedRuns(here, C, "another")
    assert runs.told(late) == late[1:]


@behaviour("records:late:once")
def test_a_late_end_that_a_reply_waited_for_is_not_told_once_more(replica: Open) -> None:
    here, late = replica(), Result(duration=1.0)
    entry = sent(here.claim(KEY, CODE))
    waits = here.ended(known(here.recall(KEY, CODE)))
    entry.late = True
    entry.finish(late)
    assert waits.result(BOUND) == late
    assert not here.told(late)


@behaviour("records:late:left")
def test_who_asks_for_a_run_that_was_left_waits_for_its_end(replica: Open) -> None:
    here, there = replica(), replica()
    entry = sent(here.claim(KEY, CODE))
    entry.leave(BOUND)
    entry.detach(SO_FAR)
    assert here.settle()
    waits = [each.ended(known(each.recall(KEY, CODE))) for each in (here, there)]
    assert here.settle()
    assert not any(each.done() for each in waits)
    entry.finish(FIFTEEN)
    assert [each.result(BOUND) for each in waits] == [FIFTEEN, FIFTEEN]
    assert not here.told(FIFTEEN)


@behaviour("records:late:left")
def test_a_run_that_was_left_counts_as_detached_once_its_time_is_over(replica: Open) -> None:
    here, shown = replica(), Stream("stdout", "1")
    entry = sent(here.claim(KEY, CODE))
    waits = here.ended(known(here.recall(KEY, CODE)))
    entry.leave(0.0)
    entry.detach(SO_FAR)
    entry.show(0, shown)
    assert waits.result(BOUND) == replace(SO_FAR, outputs=(shown,))
    entry.finish(FIFTEEN)
    assert here.settle()
    assert here.told(FIFTEEN)


@behaviour("records:late:lives")
def test_what_its_own_process_told_is_told_by_no_other(replica: Open) -> None:
    here, there = replica(), replica()
    before, after = (sent(here.claim(Key(C, "m", ordinal), CODE)) for ordinal in range(2))
    for entry in (before, after):
        entry.detach(SO_FAR)
    late = [Result(duration=1.0), Result(duration=2.0)]
    here.told(late[0])  # before it is written
    before.finish(late[0])
    after.finish(late[1])
    here.settle()
    here.told(late[1])
    crash(here)
    assert there.take_undelivered(C) == []


@behaviour("records:late:once")
def test_what_came_in_time_is_not_late(replica: Open) -> None:
    here, there = replica(), replica()
    sent(here.claim(KEY, CODE)).finish(FIFTEEN)
    here.settle()
    crash(here)
    assert there.take_undelivered(C) == []
