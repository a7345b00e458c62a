"""Who may run a block, and what the others learn; each replica stands for a process of its own."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from coderunner.outputs import MadeFile, Refusal, Remedy, Result, Status, Stream
from coderunner.records.active_run import ActiveRun
from coderunner.records.claims import GONE
from coderunner.records.database.run_queries import Key, forget
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour

from .conftest import CODE, FIFTEEN, KEY, Open, claimed, crash, known, sent

BOUND = 20.0
"""Seconds for what comes within one."""


@behaviour("records:claim:one")
def test_of_many_threads_and_replicas_one_may_run_a_block(replica: Open) -> None:
    replicas = [replica() for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        for ordinal in range(10):
            key = Key("c", "m", ordinal)
            every = list(pool.map(lambda each, key=key: each.claim(key, CODE), replicas * 4))
            assert sum(isinstance(found, ActiveRun) for found in every) == 1
            assert len({found.id for found in every}) == 1


@behaviour("records:claim:others")
def test_the_others_get_the_result_when_it_comes(replica: Open) -> None:
    here, there = replica(), replica()
    entry = sent(here.claim(KEY, CODE))
    futures = [each.ended(known(each.claim(KEY, CODE))) for each in (here, there)]
    assert not any(future.done() for future in futures)
    entry.finish(FIFTEEN)
    assert [future.result(BOUND) for future in futures] == [FIFTEEN, FIFTEEN]


@behaviour("records:claim:others")
def test_what_came_of_a_block_is_known_after_a_restart(replica: Open) -> None:
    first = replica()
    sent(first.claim(KEY, CODE)).finish(FIFTEEN)
    first.close()
    second = replica()
    assert known(second.recall(KEY, CODE)).result == FIFTEEN
    assert second.ended(known(second.claim(KEY, CODE))).result(0) == FIFTEEN


@behaviour("records:refusals")
def test_what_was_refused_is_known_after_a_restart(replica: Open) -> None:
    refused = Result(
        status=Status.ERROR,
        refusals=(
            Refusal("read", "~/d\x00/\ud800", Remedy.BUTTON, "/home/ada/d\x00/\udcff", "~/d"),
            Refusal("network", "example.org", Remedy.SETTING),
            Refusal("write", "~/report.csv", by="~/link", lost=True, more=3),
        ),
    )
    first = replica()
    sent(first.claim(KEY, CODE)).finish(refused)
    first.close()
    assert known(replica().recall(KEY, CODE)).result == refused


@behaviour("records:files")
def test_the_files_that_a_run_made_are_known_after_a_restart(replica: Open) -> None:
    files = (
        MadeFile("out.csv", 2_000, 1_790_000_000_123_456_789),
        MadeFile("charts/\x00\ud800.png", 2**62, -1, new=False),
    )
    made = Result(files=files, more_files=31)
    first = replica()
    sent(first.claim(KEY, CODE)).finish(made)
    first.close()
    assert known(replica().recall(KEY, CODE)).result == made


@behaviour("records:claim:other-code")
@pytest.mark.parametrize(
    ("key", "code"),
    [
        (Key("another", "message", 0), CODE),
        (Key("conversation", "another", 0), CODE),
        (Key("conversation", "message", 1), CODE),
        (KEY, CODE + "#"),
    ],
)
def test_what_differs_is_another_run(records: Records, key: Key, code: str) -> None:
    sent(records.claim(KEY, CODE)).finish(FIFTEEN)
    assert records.recall(key, code) is None
    assert isinstance(records.claim(key, code), ActiveRun)


@behaviour("records:claim:again")
def test_a_block_is_run_once_more_where_a_person_wants_it(records: Records) -> None:
    sent(records.claim(KEY, CODE)).finish(FIFTEEN)
    records.settle()
    again = sent(records.claim(KEY, CODE, again=True))
    assert known(records.claim(KEY, CODE, again=True)).id == again.id
    again.finish(Result())
    records.settle()
    assert known(records.claim(KEY, CODE)).result == Result()
    assert [(each.attempt, each.result) for each in records.of("conversation")] == [
        (1, FIFTEEN),
        (2, Result()),
    ]


@behaviour("records:claim:unsent")
def test_a_run_that_was_refused_can_be_claimed_anew(records: Records) -> None:
    claimed(records.claim(KEY, CODE)).finish(Result(status=Status.REFUSED, detail="no kernel"))
    records.settle()
    assert records.recall(KEY, CODE) is None
    assert isinstance(records.claim(KEY, CODE), ActiveRun)
    assert [each.result and each.result.status for each in records.of("conversation")] == ["refused", None]


@behaviour("records:claim:unsent")
def test_a_run_whose_process_ended_before_it_was_sent_can_be_claimed_by_another(replica: Open) -> None:
    here, there = replica(), replica()
    claimed(here.claim(KEY, CODE))
    assert known(there.claim(KEY, CODE)).result is None
    crash(here)
    assert isinstance(there.claim(KEY, CODE), ActiveRun)


@behaviour("records:crash:lost")
def test_a_run_whose_process_is_gone_is_lost_with_what_it_showed(replica: Open) -> None:
    here, there = replica(), replica()
    entry = sent(here.claim(KEY, CODE))
    entry.show(0, Stream("stdout", "begun\n"))
    here.settle()
    crash(here)
    assert [there.sweep(), there.sweep()] == [1, 0]
    lost = Result((Stream("stdout", "begun\n"),), Status.LOST, detail=GONE)
    assert known(there.claim(KEY, CODE)).result == lost


@behaviour("records:crash:lost")
def test_who_waits_for_a_process_that_is_gone_is_told_so(replica: Open) -> None:
    here, there = replica(), replica()
    sent(here.claim(KEY, CODE))
    future = there.ended(known(there.claim(KEY, CODE)))
    crash(here)
    assert future.result(BOUND).status is Status.LOST


@behaviour("records:claim:given-up")
def test_for_whoever_waits_no_more_nothing_is_looked_up(replica: Open) -> None:
    here, there = replica(), replica()
    sent(here.claim(KEY, CODE))
    future = there.ended(known(there.claim(KEY, CODE)))
    assert there.settle()
    assert len(there._waiters) > 0
    future.cancel()
    assert there.settle()
    assert len(there._waiters) == 0


@behaviour("records:crash:fenced")
def test_who_was_taken_for_dead_sends_nothing_that_another_took_over(replica: Open) -> None:
    here, there = replica(), replica()
    late = claimed(here.claim(KEY, CODE))
    crash(here)
    sent(there.claim(KEY, CODE)).finish(FIFTEEN)
    assert not late.send()
    late.finish(Result(status=Status.ABORTED))
    assert there.settle()
    assert known(here.claim(KEY, CODE)).result == FIFTEEN


@behaviour("records:retention")
def test_old_runs_are_deleted_with_what_only_they_showed(records: Records) -> None:
    picture = Stream("stdout", "x" * 100_000)
    sent(records.claim(KEY, CODE)).finish(Result((picture,)))
    running = sent(records.claim(Key("conversation", "message", 1), CODE))
    running.show(0, picture)
    records.settle()
    assert records._store.write(forget, time.time() - 60) == 0
    assert records._store.write(forget, time.time() + 60) == 1
    assert [each.id for each in records.of("conversation")] == [running.id]
    assert records.outputs(running.id) == (picture,)
