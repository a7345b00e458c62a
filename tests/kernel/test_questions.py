"""Questions to real kernels over the control channel: while a cell runs, without one, and answered badly."""

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from coderunner.errors import NotAnswered
from coderunner.kernel.kernel_location import KernelLocation
from coderunner.kernel.protocol.messages import Message, Stamp
from coderunner.kernel.protocol.questions import LARGEST, REASON, REPLY, answer_of, question_request
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.kernel.sessions.run_prelude import CELL, LAST, SHARED, text
from coderunner.kernel.variables.asked import usage_of
from coderunner.outputs import Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen
from tests.kernel.lent import LentKernel
from tests.kernel.servers import Jupyter


def waits(folder: Path) -> str:
    """A cell that prints until it may go on."""
    gate = str(folder / "go")
    begins = "import os, time\nprint('on', flush=True)"
    return f"{begins}\nwhile not os.path.exists({gate!r}): print(time.sleep(0.001))"


@behaviour("questions:busy")
async def test_a_kernel_answers_while_a_cell_runs_which_shows_all_it_has(
    session: Session, tmp_path: Path
) -> None:
    await session.execute("1")
    screen = Screen()
    running = session.begin(waits(tmp_path), on_output=screen)
    await screen.shows("on")
    answers = [await session.ask("variables", patience=BOUND) for _ in range(20)]
    assert not running.future.done()
    (tmp_path / "go").touch()
    result = await asyncio.wrap_future(running.future)
    assert all(isinstance(each["variables"], list) for each in answers)
    assert (result.status, len(result.outputs)) == (Status.OK, 1)
    assert not session.take_late()
    assert not session.take_afterwards()


@behaviour("questions:wires")
async def test_a_server_with_the_old_wire_passes_questions_on(
    hub: Jupyter, lent: Callable[[KernelLocation], LentKernel]
) -> None:
    with lent(Server(hub.url, Secret(hub.token))).lent() as session:
        assert await session.ask("variables", patience=BOUND)


@behaviour("questions:no-kernel")
async def test_where_no_kernel_runs_none_is_started(new_session: Session) -> None:
    with pytest.raises(NotAnswered, match="no kernel runs"):
        await new_session.ask("variables")
    assert new_session.status.state == "none"


@behaviour("questions:refused")
@pytest.mark.parametrize(
    ("question", "arguments", "reason"),
    [
        ("nothing", {}, "never heard of the question 'nothing'"),
        ("variables", {"unknown": 1}, "TypeError: .*unknown"),
        ("variables", {"large": "x" * LARGEST}, "larger than 4 MB"),
    ],
)
async def test_what_has_no_answer_says_why(
    session: Session, question: str, arguments: dict[str, object], reason: str
) -> None:
    with pytest.raises(NotAnswered, match=reason):
        await session.ask(question, arguments, BOUND)


SILENCED = """
kernel = get_ipython().kernel
kept = kernel.control_handlers.pop("coderunner_request")
kernel.control_handlers["coderunner_request"] = lambda stream, ident, parent: {then}
"""


@behaviour("questions:late")
async def test_a_kernel_that_does_not_answer_in_time_says_so_and_answers_the_next(
    session: Session,
) -> None:
    await session.execute(SILENCED.format(then="__import__('time').sleep(1) or kept(stream, ident, parent)"))
    with pytest.raises(NotAnswered, match="did not answer within"):
        await session.ask("variables", patience=0.1)
    await session.execute("kernel.control_handlers['coderunner_request'] = kept")
    assert await session.ask("variables", patience=BOUND)


@behaviour("questions:unprepared")
async def test_a_kernel_that_has_forgotten_how_is_told_again(session: Session) -> None:
    await session.execute(SILENCED.format(then="None"))
    assert await session.ask("variables", patience=BOUND)
    result = await session.execute("del kernel, kept\nprint([each for each in dir() if each[0] != '_'])")
    (shown,) = result.outputs
    assert isinstance(shown, Stream)
    assert shown.text == "['In', 'Out', 'exit', 'get_ipython', 'open', 'quit']\n"


@behaviour("questions:borrowed")
async def test_a_persons_own_kernel_is_told_how_to_answer_and_nothing_else(
    jupyter: Jupyter, sessions: Sessions
) -> None:
    kernel = (await asyncio.to_thread(jupyter.ask, "api/kernels", "POST", {}))["id"]
    session = sessions.get(uuid.uuid4().hex, Server(jupyter.url, Secret(jupyter.token), attach=kernel))
    count = "print(len(get_ipython().kernel.control_handlers), hasattr(get_ipython().run_ast_nodes, 'bare'))"
    before = (await session.execute(count)).outputs
    assert await session.ask("variables", patience=BOUND)
    after = await session.execute(count)
    assert (str(before), after.execution_count) == (
        str(after.outputs).replace(str(_number(after.outputs)), str(_number(before))),
        2,
    )
    assert _number(after.outputs) == _number(before) + 1


def _number(outputs: object) -> int:
    (shown,) = outputs if isinstance(outputs, tuple) else ()
    return int(shown.text.split()[0])


@behaviour("questions:restarted")
async def test_a_kernel_found_by_the_next_process_answers_before_its_first_cell(there: Server) -> None:
    conversation, before, after = uuid.uuid4().hex, Sessions(), Sessions()
    first = await before.get(conversation, there).execute("x = 42")
    await before.close_all()
    try:
        session = after.get(conversation, there)
        session.resume(first.execution_count or 0)
        assert await session.ask("variables", patience=BOUND)
    finally:
        await after.close_all(keep=False)


@behaviour("questions:restarted")
async def test_a_kernel_that_is_being_prepared_anew_answers_as_before(
    new_session: Session, tmp_path: Path
) -> None:
    session = new_session
    await session.execute("1")
    files = (waits(tmp_path), text(LAST))
    screen = Screen()
    running = session.begin(CELL.format(shared=tuple(map(text, SHARED)), files=files), on_output=screen)
    await screen.shows("on")
    assert await session.ask("variables", patience=BOUND)
    (tmp_path / "go").touch()
    assert (await asyncio.wrap_future(running.future)).status is Status.OK
    with pytest.raises(NotAnswered, match="never heard"):
        await session.ask("variables", patience=BOUND)


def reply(status: object = "ok", answer: object = None, *, reason: object = None) -> Message:
    return Message("control", REPLY, content={"status": status, "answer": answer, "reason": reason})


@behaviour("questions:hostile")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply("ok"), "no answer that can be read"),
        (reply("ok", {"a": 1}), "no answer that can be read"),
        (reply(["ok"], "{}"), "no answer that can be read"),
        (reply("ok", "[]"), "no JSON object"),
        (reply("ok", "{"), "cannot be read"),
        (reply("ok", "\xff"), "cannot be read"),
        (reply("ok", " " * (LARGEST + 1)), "larger than 4 MB"),
        (reply("error", reason=7), "no answer that can be read"),
        (reply("error", reason="a\nb\x00" + "x" * 9999), f"^a b.x{{{REASON - 4}}}$"),
    ],
)
def test_a_reply_that_is_no_answer_is_none(answer: Message, reason: str) -> None:
    with pytest.raises(NotAnswered, match=reason):
        answer_of(answer)


@behaviour("questions:hostile")
def test_an_answer_is_an_object_of_whole_characters() -> None:
    written = json.dumps({"name": "\ud800", "number": float("nan")})
    assert answer_of(reply("ok", written)) == {"name": "\ufffd", "number": None}
    assert question_request("q", {"a": 1}, Stamp("id", "session", "date")).channel == "control"


@behaviour("questions:usage")
async def test_what_a_kernel_uses_grows_with_what_it_does(session: Session) -> None:
    await session.execute("import time")
    before = await usage_of(session, patience=BOUND)
    await session.execute("kept = b'x' * 50_000_000\nend = time.process_time() + 0.3\n" + BURNS)
    after = await usage_of(session, patience=BOUND)
    assert after.memory - before.memory > 40_000_000
    assert 0.2 < after.cpu - before.cpu <= after.at - before.at + 1


BURNS = "while time.process_time() < end: pass"
