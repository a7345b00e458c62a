"""Who lives: by the system on this machine, by heartbeats elsewhere."""

import os
import subprocess
import sys

import pytest

from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.leases import LeaseHolder, Leases, process
from tests.behaviours import behaviour


@behaviour("records:crash:owners")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the heartbeat tells")
def test_a_process_of_this_machine_lives_until_it_ends() -> None:
    store, us = Database(MEMORY), Leases(LeaseHolder.me())
    with subprocess.Popen(["sleep", "60"]) as child:
        theirs = LeaseHolder("theirs", us.me.machine, str(process(child.pid)))
        store.write(Leases(theirs).beat)
        assert store.read(us.alive, "theirs")
        child.kill()
    assert not store.read(us.alive, "theirs")


@behaviour("records:crash:owners")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the heartbeat tells")
def test_a_number_that_is_used_again_is_another_process() -> None:
    store, us = Database(MEMORY), Leases(LeaseHolder.me())
    store.write(Leases(LeaseHolder("before us", us.me.machine, f"{os.getpid()}@1")).beat)
    assert not store.read(us.alive, "before us")


@behaviour("records:crash:owners")
def test_a_process_elsewhere_lives_while_its_heart_beats() -> None:
    times = iter([0.0, 15.0, 29.0, 31.0, 32.0, 47.0, 61.0, 63.0])
    store = Database(MEMORY)
    us = Leases(LeaseHolder("us", "here", "1"), lease=30.0, clock=lambda: next(times))
    them = Leases(LeaseHolder("them", "there", "1"))
    store.write(them.beat)
    lives = [store.read(us.alive, "them") for _ in range(4)]
    store.write(them.beat)
    lives += [store.read(us.alive, "them") for _ in range(4)]
    assert lives == [True, True, True, False, True, True, True, False]


@behaviour("records:crash:owners")
def test_while_we_could_not_look_nobody_is_taken_for_gone() -> None:
    times = iter([0.0, 10.0, 100.0, 115.0, 129.0, 131.0])
    store = Database(MEMORY)
    us = Leases(LeaseHolder("us", "here", "1"), lease=30.0, clock=lambda: next(times))
    store.write(Leases(LeaseHolder("them", "there", "1")).beat)
    assert [store.read(us.alive, "them") for _ in range(6)] == [True, True, True, True, True, False]


@behaviour("records:crash:owners")
def test_who_has_left_is_gone_and_we_are_here() -> None:
    store, us = Database(MEMORY), Leases(LeaseHolder.me())
    assert store.read(us.alive, us.me.id)
    assert not store.read(us.alive, "nobody")
