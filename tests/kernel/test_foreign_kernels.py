"""Cells in a kernel of another language."""

import json
from collections.abc import Iterator

import pytest

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import ExecuteResult, Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.foreign import ODD, kernel_spec


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A conversation with one kernel for the tests of this file."""
    sessions = Sessions(tmp_path_factory.mktemp("odd"))
    with kernel_spec("odd", ODD, language="oddish"):
        yield sessions.get("c", Local("odd"))
        io_thread().call(sessions.close_all(keep=False), BOUND)


def ran(session: Session) -> list[str]:
    [shown] = run(session, "runs").outputs
    assert isinstance(shown, Stream)
    return list(json.loads(shown.text))


@behaviour("foreign:prelude:none")
def test_it_is_sent_nothing_but_the_cells(odd: Session) -> None:
    assert run(odd, "say hello").outputs == (Stream("stdout", "hello\n"),)
    assert set(ran(odd)) <= {"say hello", "runs", "late", "flushed", "interrupted"}


@behaviour("foreign:value:after-idle")
def test_a_value_that_comes_after_the_end_of_the_cell_is_in_its_result(odd: Session) -> None:
    [shown] = run(odd, "late").outputs
    assert isinstance(shown, ExecuteResult)
    assert shown.data == {"text/plain": "\x1b[33m42\x1b[39m"}


@behaviour("foreign:aborted:again")
def test_what_it_flushed_without_running_it_is_sent_again_and_runs_once(odd: Session) -> None:
    assert run(odd, "flushed").status is Status.OK
    assert ran(odd).count("flushed") == 1


@behaviour("foreign:aborted:ran")
def test_what_it_ran_and_calls_aborted_was_interrupted_and_does_not_run_twice(odd: Session) -> None:
    result: Result = run(odd, "interrupted")
    assert result.status is Status.INTERRUPTED
    assert ran(odd).count("interrupted") == 1
