"""What is promised of every kernel, shown on one of this machine and on one of a Jupyter server."""

import asyncio
import os
import re
import signal
import uuid
from dataclasses import dataclass, replace

import pytest

from coderunner.kernel.sessions.registry import KernelLocation, Server, Session, Sessions
from coderunner.outputs import Aftermath, DisplayData, Error, ExecuteResult, Result, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run


def text_of(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


@behaviour("cell:ends:ok")
def test_a_cell_gives_its_output_its_value_and_its_number(session: Session) -> None:
    result = run(session, "print(10 + 5)\n'done'")
    assert replace(result, duration=0.0) == Result(
        (Stream("stdout", "15\n"), ExecuteResult({"text/plain": "'done'"}, {}, 1)), execution_count=1
    )


@behaviour("cell:ends:error")
def test_an_error_comes_after_the_output_before_it(session: Session) -> None:
    result = run(session, "print('before')\n1 / 0")
    assert (result.status, result.aftermath) == (Status.ERROR, Aftermath.READY)
    printed, error = result.outputs
    assert printed == Stream("stdout", "before\n")
    assert isinstance(error, Error)
    assert (error.ename, error.evalue) == ("ZeroDivisionError", "division by zero")


@dataclass(frozen=True)
class Ending:
    """A cell, and how its result says that it ended."""

    source: str
    status: Status
    aftermath: Aftermath = Aftermath.READY
    count: int | None = 1
    detail: str = ""
    error: str = ""


ENDINGS = {
    "ok": Ending("1", Status.OK),
    "raised": Ending("1 / 0", Status.ERROR, error="ZeroDivisionError: division by zero"),
    "no Python": Ending("1 +", Status.ERROR, error="SyntaxError: invalid syntax (<cell>, line 1)"),
    "overdue": Ending(
        "while True: pass",
        Status.TIMEOUT,
        detail="the limit is 0.5 s",
        error="KeyboardInterrupt: ",
    ),
    "asks nobody": Ending(
        "input()",
        Status.ERROR,
        error="StdinNotImplementedError: raw_input was called, but this frontend does not support input "
        "requests.",
    ),
    "exits": Ending(
        "exit()",
        Status.OK,
        Aftermath.FRESH,
        detail="the program ended its kernel; all variables are gone",
    ),
    "killed": Ending(
        "import os, time; time.sleep(0.5); os.kill(os.getpid(), 9)", Status.DIED, Aftermath.FRESH
    ),
}


@behaviour("cell:ends:fields")
@pytest.mark.parametrize("name", ENDINGS)
def test_a_result_says_how_its_cell_ended_in_fields_of_its_own(name: str, session: Session) -> None:
    ending = ENDINGS[name]
    result = run(session, ending.source, deadline=0.5 if ending.status is Status.TIMEOUT else 30.0)
    assert (result.status, result.aftermath, result.execution_count, result.detail) == (
        ending.status,
        ending.aftermath,
        ending.count,
        ending.detail,
    )
    told = [f"{each.ename}: {each.evalue}" for each in result.outputs if isinstance(each, Error)]
    assert [re.sub(r"\(\S+, line", "(<cell>, line", each) for each in told] == list(
        filter(None, [ending.error])
    )
    assert 0 < result.duration < BOUND
    assert run(session, "1").status is Status.OK


@behaviour("cell:deadline:absolute")
def test_a_program_that_prints_all_the_time_has_no_more_time_for_that(session: Session) -> None:
    run(session, "1")
    result = run(session, "import time\nwhile True: print(1, flush=True); time.sleep(0.01)", deadline=1.0)
    assert (result.status, result.aftermath) == (Status.TIMEOUT, Aftermath.READY)
    assert 1.0 <= result.duration < 10.0


@behaviour("kernel:restart:bounded")
async def test_a_kernel_that_takes_no_notice_of_anything_is_restarted_all_the_same(session: Session) -> None:
    screen = Screen()
    running = session.begin(
        "import os, time\nprint(f'<{os.getpid()}>', flush=True)\ntime.sleep(600)", on_output=screen
    )
    await screen.shows(">")
    (printed,) = screen.outputs
    assert isinstance(printed, Stream)
    os.kill(int(printed.text.strip("<>\n")), signal.SIGSTOP)
    async with asyncio.timeout(BOUND):
        await session.restart()
        result = await asyncio.wrap_future(running.future)
        assert (result.status, result.aftermath) == (Status.REPLACED, Aftermath.FRESH)
        assert result.outputs == (printed,)
        assert text_of(await session.execute("print(1)")) == "1\n"


@behaviour("session:state:persists")
def test_a_later_cell_knows_the_variables_of_an_earlier_one(session: Session) -> None:
    run(session, "x = 41")
    assert text_of(run(session, "print(x + 1)")) == "42\n"


@behaviour("session:state:separate")
def test_two_conversations_never_share_a_kernel(sessions: Sessions, where: KernelLocation) -> None:
    one, other = (sessions.get(uuid.uuid4().hex, where) for _ in range(2))
    run(one, "secret = 1")
    assert text_of(run(other, "print('secret' in globals())")) == "False\n"


@behaviour("session:state:same")
def test_a_conversation_keeps_its_session_until_it_moves(sessions: Sessions, where: KernelLocation) -> None:
    session = sessions.get("conversation", where)
    assert sessions.get("conversation", where) is session
    moved = sessions.get("conversation", replace(where, kernel_name="another"))
    assert moved is not session


@behaviour("cell:outputs:live")
async def test_output_arrives_while_the_cell_still_runs(session: Session) -> None:
    screen = Screen()
    waiting = "import time\nprint('first', flush=True)\nwhile not go: time.sleep(0.01)"
    running = asyncio.create_task(session.execute(f"go = False\n{waiting}", on_output=screen))
    await screen.shows("first")
    assert not running.done()
    await session.interrupt()
    assert (await running).status is Status.INTERRUPTED


@behaviour("cell:outputs:same")
def test_the_changes_told_live_give_the_outputs_of_the_result(session: Session) -> None:
    screen = Screen()
    source = (
        "from IPython.display import clear_output, display\n"
        "print('gone'); clear_output(wait=True)\n"
        "handle = display('one', display_id=True)\n"
        "for number in range(50): print(number, flush=True)\n"
        "handle.update('two')\n'last'"
    )
    result = session.begin(source, on_output=screen).wait(BOUND)
    assert result is not None
    assert tuple(screen.outputs) == result.outputs
    assert isinstance(result.outputs[0], DisplayData)
    assert result.outputs[0].data == {"text/plain": "'two'"}


@behaviour("cell:outputs:host-fails")
def test_a_page_that_fails_to_redraw_does_not_end_the_cell(session: Session) -> None:
    def broken(_change: object) -> None:
        raise RuntimeError

    result = session.begin("print(1)", on_output=broken).wait(BOUND)
    assert result is not None
    assert (result.status, text_of(result)) == (Status.OK, "1\n")


@behaviour("cell:interrupt:person")
async def test_a_person_can_stop_a_cell_and_what_it_showed_is_kept(session: Session) -> None:
    screen = Screen()
    running = session.begin(
        "import asyncio\nprint('half', flush=True)\nawait asyncio.sleep(60)", on_output=screen
    )
    await screen.shows("half")
    running.interrupt()
    result = await asyncio.wrap_future(running.future)
    assert (result.status, result.aftermath) == (Status.INTERRUPTED, Aftermath.READY)
    assert result.outputs[0] == Stream("stdout", "half\n")
    assert (await session.execute("print(1)")).status is Status.OK


@behaviour("cell:interrupt:queued")
async def test_a_cell_that_is_stopped_while_it_waits_never_runs(session: Session) -> None:
    screen = Screen()
    first = session.begin("import time\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen)
    second = session.begin("ran = True")
    await screen.shows("on")
    second.interrupt()
    result = await asyncio.wrap_future(second.future)
    assert (result.status, result.detail) == (
        Status.INTERRUPTED,
        "it had not started",
    )
    first.interrupt()
    await asyncio.wrap_future(first.future)
    assert text_of(await session.execute("print('ran' in globals())")) == "False\n"


@behaviour("cell:interrupt:idle")
async def test_an_interrupt_without_a_cell_harms_nothing(session: Session) -> None:
    ended = session.begin("print(1)")
    assert ended.wait(BOUND) is not None
    ended.interrupt()
    assert await session.interrupt() is False
    assert text_of(await session.execute("print(2)")) == "2\n"


@behaviour("cell:cancel:interrupts")
async def test_cancelling_the_caller_stops_the_cell(session: Session) -> None:
    screen = Screen()
    source = "import time\nprint('on', flush=True)\ntime.sleep(60)"
    task = asyncio.create_task(session.execute(source, on_output=screen))
    await screen.shows("on")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(BOUND):
        assert text_of(await session.execute("print(3)")) == "3\n"
    assert "KeyboardInterrupt" in str(screen.outputs)


@behaviour("cell:queue:one-at-a-time")
async def test_cells_of_one_conversation_run_one_after_the_other_in_order(session: Session) -> None:
    source = "import time\nprint('a{0}', flush=True); time.sleep(0.05); print('b{0}')"
    results = await asyncio.gather(*(session.execute(source.format(number)) for number in range(4)))
    assert [text_of(result) for result in results] == [f"a{number}\nb{number}\n" for number in range(4)]
    assert [result.execution_count for result in results] == [1, 2, 3, 4]


@behaviour("kernel:restart:person")
async def test_a_restart_empties_the_kernel_and_the_next_result_says_so(session: Session) -> None:
    await session.execute("x = 1")
    await session.restart()
    await session.restart()
    result = await session.execute("print('x' in globals())")
    assert (text_of(result), result.status) == ("False\n", Status.OK)
    assert result.detail == "the kernel was restarted; earlier variables are gone"
    assert (await session.execute("1")).detail == ""


@behaviour("kernel:restart:while-running")
async def test_a_restart_ends_the_cell_that_runs_as_replaced(session: Session) -> None:
    screen = Screen()
    running = session.begin("import time\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen)
    await screen.shows("on")
    await session.restart()
    result = await asyncio.wrap_future(running.future)
    assert (result.status, result.aftermath) == (Status.REPLACED, Aftermath.FRESH)
    assert (await session.execute("print(1)")).status is Status.OK


@behaviour("kernel:spec:unknown")
def test_an_unknown_kernel_is_refused_with_the_names_there_are(
    sessions: Sessions, where: KernelLocation
) -> None:
    result = run(sessions.get("c", replace(where, kernel_name="ir")), "1")
    assert (result.status, result.outputs) == (Status.REFUSED, ())
    place = "this server" if isinstance(where, Server) else "this machine"
    assert result.detail == f"kernel 'ir' is not installed on {place}; it has: python3"


@behaviour("session:light:states")
async def test_the_light_tells_what_the_kernel_does(new_session: Session) -> None:
    assert new_session.status.state == "none"
    screen = Screen()
    running = new_session.begin("import time\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen)
    await screen.shows("on")
    assert (new_session.status.state, new_session.status.kernel) == ("busy", "python3")
    running.interrupt()
    await asyncio.wrap_future(running.future)
    assert new_session.status.state == "idle"
    await new_session.execute("exit()")
    assert new_session.status.state == "dead"
    assert new_session.status.sentence == "The program ended its kernel."


@behaviour("session:warm:once")
def test_a_kernel_that_was_warmed_is_the_one_that_runs(session: Session) -> None:
    session.warm()
    session.warm()
    assert run(session, "1").execution_count == 1


@behaviour("session:close:refused")
async def test_a_closed_session_refuses_and_says_why(session: Session) -> None:
    await session.execute("1")
    await session.close()
    result = await session.execute("2")
    assert (result.status, result.detail) == (
        Status.REFUSED,
        "the kernel of this conversation was closed",
    )


@behaviour("cell:ends:exception-group")
def test_an_error_that_the_kernel_tells_only_in_its_reply_is_shown(session: Session) -> None:
    result = run(session, "raise ExceptionGroup('both', [ValueError('a'), KeyError('b')])")
    assert result.status is Status.ERROR
    assert any(isinstance(output, Error) and "both" in output.evalue for output in result.outputs)


@behaviour("cell:stdin:refused")
def test_input_raises_at_once(session: Session) -> None:
    result = run(session, "input('name? ')")
    assert result.status is Status.ERROR
    assert "StdinNotImplementedError" in str(result.outputs)
