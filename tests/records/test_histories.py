"""Random histories of replicas on one database: nothing runs twice, nothing is told that did not run."""

import secrets
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from coderunner.outputs import Result, Status
from coderunner.records.active_run import ActiveRun
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Key
from coderunner.records.run_registry import Records
from tests.behaviours import behaviour
from tests.postgresql import Server

from .conftest import CODE, FIFTEEN, crash

REPLICAS = st.integers(0, 1)
BLOCKS = st.integers(0, 1)
WHICH = st.integers(0, 7)
RESULTS = st.sampled_from([FIFTEEN, Result(status=Status.ERROR)])


class Histories(RuleBasedStateMachine):
    """Two replicas, two blocks; what a crashed replica had in hand goes on trying, as a ghost."""

    def __init__(self) -> None:
        super().__init__()
        self.address = self.new_address()
        self.replicas = [self.open(), self.open()]
        self.ghosts: list[Records] = []
        self.stopped: list[Records] = []
        self.held: list[tuple[Key, ActiveRun]] = []
        self.wanted: dict[Key, int] = {}
        self.ran: dict[Key, int] = {}

    def new_address(self) -> str:
        raise NotImplementedError

    def open(self) -> Records:
        return Records(Database(self.address))

    def ask(self, replica: int, block: int, *, again: bool = False) -> None:
        key = Key("c", "m", block)
        found = self.replicas[replica].claim(key, CODE, again=again)
        ran, wanted = self.ran.get(key, 0), self.wanted.setdefault(key, 1)
        if isinstance(found, ActiveRun):
            self.held.append((key, found))
            self.wanted[key] = max(wanted, ran + 1) if again else wanted
        elif found.result is not None:
            assert ran > 0, "the result of a run that never was"

    def sent(self, key: Key, entry: ActiveRun) -> None:
        if entry.state == "queued" and entry.send():
            self.ran[key] = self.ran.get(key, 0) + 1
            assert self.ran[key] <= self.wanted[key], "it ran twice"

    @rule(replica=REPLICAS, block=BLOCKS, again=st.sampled_from([False, False, True]), at_once=st.booleans())
    def claim(self, replica: int, block: int, again: bool, at_once: bool) -> None:
        """A first run, a reload, Continue, another tab: all of them claim. `again`: a person's button."""
        before = len(self.held)
        self.ask(replica, block, again=again)
        for key, entry in self.held[before:] if at_once else ():
            self.sent(key, entry)

    # A number says which: how many there are depends on clocks, and what is tried again has to draw the same.
    @rule(which=WHICH)
    def send(self, which: int) -> None:
        if self.held:
            self.sent(*self.held[which % len(self.held)])

    @rule(which=WHICH, result=RESULTS, settle=st.booleans())
    def finish(self, which: int, result: Result, settle: bool) -> None:
        if self.held:
            _, entry = self.held.pop(which % len(self.held))
            entry.finish(result)
            if settle:
                assert all(each.settle() for each in self.replicas)

    @rule(replica=REPLICAS)
    def crash(self, replica: int) -> None:
        """Others take it for dead, and it is started anew; what it had in hand may still be sent."""
        gone = self.replicas[replica]
        crash(gone)
        self.ghosts.append(gone)
        self.replicas[replica] = self.open()

    @rule(replica=REPLICAS)
    def restart(self, replica: int) -> None:
        self.replicas[replica].close()
        self.stopped.append(self.replicas[replica])
        self.replicas[replica] = self.open()

    @rule(replica=REPLICAS)
    def sweep(self, replica: int) -> None:
        self.replicas[replica].sweep()

    def teardown(self) -> None:
        """In the end everybody is gone, and each block has run as often as it was wanted, or can be run."""
        for each in (*self.replicas, *self.ghosts):
            each.close()
        for each in self.stopped:  # what one had in hand may have been sent since
            each._store.close()
        last = self.open()
        for key, wanted in self.wanted.items():
            found, ran = last.claim(key, CODE), self.ran.get(key, 0)
            assert isinstance(found, ActiveRun) or found.result is not None
            assert ran <= wanted
            assert ran > 0 or isinstance(found, ActiveRun), "it never ran, and now never will"
        last.close()


@behaviour("records:histories")
def test_nothing_runs_twice_and_nothing_is_told_that_did_not_run(tmp_path: Path) -> None:
    class InFiles(Histories):
        def new_address(self) -> str:
            return f"sqlite:///{tmp_path / secrets.token_hex(8)}.sqlite"

    run_state_machine_as_test(InFiles, settings=settings(max_examples=60, stateful_step_count=25))


@behaviour("records:histories")
def test_the_same_holds_on_a_server(postgresql: Server) -> None:
    class OnAServer(Histories):
        def new_address(self) -> str:
            return postgresql.schema()

    run_state_machine_as_test(OnAServer, settings=settings(max_examples=8, stateful_step_count=25))
