"""Cells in a kernel of another language."""

import json
import threading
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.rebuild_variables import rebuild
from coderunner.kernel.sessions.registry import Local, Server, Session, Sessions
from coderunner.outputs import Aftermath, ExecuteResult, Result, Status, Stream
from coderunner.runner import Generate, Turn, converse
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.foreign import ODD, kernel_spec
from tests.kernel.servers import Jupyter


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
    assert set(ran(odd)) <= {"say hello", "say fine\n", "runs", "late", "flushed", "interrupted"}


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


@behaviour("foreign:interrupt:ends")
@pytest.mark.parametrize("by", ["its time limit", "a person"])
def test_a_cell_whose_interrupt_ends_its_kernel_was_stopped_and_the_next_runs_in_a_new_one(
    odd: Session, by: str
) -> None:
    run(odd, "say before")
    if by == "a person":
        asleep = threading.Event()
        cell = odd.begin("sleeps", deadline=BOUND, on_output=lambda _change: asleep.set())
        assert asleep.wait(BOUND)
        cell.interrupt()
        stopped, status = cell.wait(BOUND), Status.INTERRUPTED
        said = "stopped; the kernel was restarted, variables are gone"
    else:
        stopped, status = run(odd, "sleeps", deadline=1.0), Status.TIMEOUT
        said = "stopped at the time limit; the kernel was restarted, variables are gone; the limit is 1 s"
    assert stopped is not None
    assert (stopped.status, stopped.aftermath) == (status, Aftermath.FRESH)
    assert stopped.outputs == (Stream("stdout", "asleep\n"),)
    assert said in for_model(stopped)
    assert ran(odd) == ["runs"]


@behaviour("foreign:language")
async def test_a_reply_runs_blocks_in_its_language_and_says_so_of_others(odd: Session) -> None:
    language = await odd.language()
    assert (language.title, language.extension) == ("Oddish", ".odd")
    turn = Turn(language=language)
    said = iter(["```python\nprint(1)\n```\n", "```oddish\nsay fine\n```\n", "So it is."])

    async def generate(_step: Generate) -> AsyncGenerator[str]:
        yield next(said)

    async for _ in converse(turn, generate, odd):
        pass
    assert turn.reply == (
        "```python\nprint(1)\n```\nResult: (not run: this kernel speaks Oddish)\n"
        "```oddish\nsay fine\n```\nResult: fine\nSo it is."
    )


@behaviour("foreign:language")
async def test_before_it_has_started_its_spec_says_what_it_speaks(odd: Session) -> None:
    sessions = Sessions()
    assert (await sessions.get("new", odd.where).language()).name == "oddish"
    assert sessions.get("python", Local()).language_now().title == "Python"
    assert sessions.get("none", Local("no-such-kernel")).language_now().title == "Python"


@behaviour("foreign:doctor")
async def test_the_doctor_speaks_its_language(odd: Session) -> None:
    report = await check(odd.where)
    assert report.ok
    assert report.sentence == "The kernel answers; it speaks Oddish, for which there is no test cell."


@behaviour("foreign:rebuild")
async def test_rebuilding_its_variables_claims_nothing_of_them(odd: Session) -> None:
    rebuilt = await rebuild(odd, [lambda: odd.execute("say hello")], deadline=BOUND)
    assert rebuilt.words == "The kernel was restarted and reran all 1 block of this conversation."
    assert ran(odd) == ["say hello", "runs"]


@behaviour("foreign:server")
async def test_on_a_server_it_speaks_its_language_too_and_can_be_attached_to(jupyter: Jupyter) -> None:
    where = Server(jupyter.url, Secret(jupyter.token), "odd-there")
    sessions = Sessions()
    with kernel_spec("odd-there", ODD, language="oddish"):
        started = sessions.get("started", where)
        assert (await started.language()).name == "oddish"
        assert [type(each) for each in (await started.execute("late")).outputs] == [ExecuteResult]
        assert (await started.language()).title == "Oddish"
        attached = sessions.get(
            "attached", replace(where, kernel_name="python3", attach="coderunner/started")
        )
        assert (await attached.language()).name == "oddish"
        assert (await attached.execute("runs")).outputs == (Stream("stdout", '["late", "runs"]'),)
        await sessions.close_all(keep=False)
