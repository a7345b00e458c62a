"""Networks that cut, reset, stall and swallow, between us and a real server."""

import asyncio
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coderunner.kernel.connections.servers.server_kernel import ServerKernel
from coderunner.kernel.protocol.message_gaps import MessageGaps
from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.sessions.kernel_lifecycle import CUT_OFF
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.kernel.sessions.run_prelude import prepare
from coderunner.outputs import Aftermath, Question, Result, Status, Stream
from coderunner.runner import (
    Cell,
    Change,
    Connection,
    Late,
    Run,
    RunOptions,
    Shown,
    UnrecordedRuns,
    run_cell,
)
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal, happens, lines_of, text_of
from tests.faults.proxy import Chaos, chaos
from tests.kernel.conftest import BOUND, Screen
from tests.kernel.servers import Jupyter, jupyter_server

LINES = 60
COUNTING = f"""
import time
runs += 1
for number in range({LINES}):
    print(number, flush=True)
    time.sleep(0.05)
"""
MISSING = "the connection was interrupted, so output may be missing"
UNKNOWN = "the connection was lost; it is unknown whether the code finished"
REPLACED = (
    Status.REPLACED,
    Aftermath.FRESH,
    "the kernel was restarted or shut down while the code ran; variables are gone",
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Notice within a second what takes ten or twenty otherwise."""
    monkeypatch.setattr("coderunner.kernel.connections.servers.websocket.PING", 0.4)


async def during(session: Session, source: str, strike: Callable[[], object], **options: float) -> Result:
    """Run a cell, and do something as soon as it has shown `5`."""
    screen = Screen()
    running = asyncio.create_task(
        session.execute(source, on_output=screen, deadline=options.get("deadline", 20))
    )
    await screen.shows(r"5\n")
    strike()
    return await running


async def kernel_of(jupyter: Jupyter, session: Session) -> str:
    listed = await asyncio.to_thread(jupyter.session, f"coderunner/{session.conversation}")
    return listed["kernel"]["id"]


@behaviour("faults:network:comes-back")
@pytest.mark.parametrize(
    "fault", ["cut", "reset", "cut in a message", "half open", "cut twice", "stall", "slow"]
)
async def test_a_connection_that_is_hurt_comes_back(
    fault: str, proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    loop = asyncio.get_running_loop()

    def twice() -> None:
        proxy.cut()
        loop.call_later(0.4, proxy.cut)

    def stall() -> None:
        proxy.stall()
        loop.call_later(0.3, proxy.flow)

    def slow() -> None:
        proxy.latency, proxy.rate = 0.02, 200_000

    strikes = {
        "cut": proxy.cut,
        "reset": proxy.reset,
        "cut in a message": lambda: proxy.cut_after(1000),
        "half open": proxy.half_open,
        "cut twice": twice,
        "stall": stall,
        "slow": slow,
    }
    result = await during(far, COUNTING, strikes[fault])
    shown = lines_of(result)
    assert shown == sorted(set(shown), key=int)  # in order, and none twice
    if fault == "cut twice" and result.status is Status.LOST:
        # Where the way back takes so long that the cell ends before the second cut, its end reaches nobody.
        ordeal.ends(result, Status.LOST, Aftermath.READY, "it is no longer running")
    else:
        assert result.detail == ("" if len(shown) == LINES and not result.detail else MISSING)
        ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    assert text_of(await far.execute("print(x, runs)")) == "7 1\n"
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:told-at-block")
async def test_who_shows_a_block_is_told_that_its_connection_is_lost_and_there_again(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    told, later, shown, late = list[bool](), list[bool](), list[Change](), list[Late]()
    options = RunOptions(deadline=2.0, limit=BOUND, runs=UnrecordedRuns())
    async for event in run_cell(Run(Cell(COUNTING), 0), far, options, asyncio.Event(), late):
        match event:
            case Shown(Change(output=Stream(text=text))) if "5\n" in text and not proxy.refusing:
                proxy.refusing = True
                proxy.cut()
            case Connection(lost):
                told.append(lost)
    ordeal.strike()
    assert set(told) == {True}  # its time went on, and the reply with it
    (running,) = late
    running.listen(shown.append, None, later.append)
    await happens(lambda: True in later)
    proxy.refusing = False
    await happens(lambda: later[-1:] == [False])
    result = await asyncio.wait_for(asyncio.wrap_future(running.settled), BOUND)
    ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:another-way")
async def test_the_cell_after_one_whose_connection_was_cut_takes_another(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    result = await during(far, COUNTING, proxy.half_open)
    ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    await ordeal.goes_on(far, kept=True)
    first, *later = dict.fromkeys(proxy.names)
    # The one that was looked for is the same, for what the server kept for it; the next cell's is new.
    assert (len(later), proxy.names.count(first) > 1) == (1, True)


@behaviour("faults:network:greeted-again")
async def test_a_connection_over_which_nothing_comes_from_the_beginning_is_given_up(
    proxy: Chaos, far: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.kernel.connections.servers.find_or_start.AT_ONCE", 1.0)
    await far.io_thread.run(far.rest())
    proxy.swallowing = True
    ordeal.strike()
    result = await far.execute("print(x)")
    ordeal.ends(result, Status.OK, Aftermath.READY, "7")
    assert not proxy.swallowing
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:answer-waits")
@pytest.mark.parametrize("answered", ["while the way is cut", "when it is there again"])
async def test_an_answer_finds_its_way_to_the_program(
    answered: str, proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    asked: asyncio.Queue[Question | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def hear(question: Question | None) -> None:
        loop.call_soon_threadsafe(asked.put_nowait, question)

    running = far.begin("print('Hello', input('Name? '))", on_question=hear)
    question = await asyncio.wait_for(asked.get(), BOUND)
    assert question is not None
    connections, proxy.refusing = proxy.opened, answered == "while the way is cut"
    proxy.cut()
    ordeal.strike()
    await happens(lambda: bool(proxy.refused) or proxy.opened > connections + 1)
    running.answer(question.id, Secret("Ann"))
    proxy.refusing = False
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    assert lines_of(result) == ["Name? Ann", "Hello Ann"]
    ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:stopped-half-open")
async def test_stop_over_a_way_that_leads_nowhere_costs_no_variables(
    proxy: Chaos, far: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing has told us of it yet when a person stops the cell, and no ping is due.
    monkeypatch.setattr("coderunner.kernel.connections.servers.websocket.PING", 60.0)
    await far.io_thread.run(far.rest())
    screen = Screen()
    running = far.begin("import time\nprint(5, flush=True)\ntime.sleep(600)", on_output=screen)
    await screen.shows(r"5\n")
    proxy.half_open()
    ordeal.strike()
    running.interrupt()
    result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
    assert result.detail in ("", MISSING)
    words = "stopped; variables are kept" + (f"; {MISSING}" if result.detail else "")
    ordeal.ends(result, Status.INTERRUPTED, Aftermath.READY, words)
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:reply-lost")
async def test_a_reply_that_was_lost_is_not_made_up(proxy: Chaos, far: Session, ordeal: Ordeal) -> None:
    result = await during(
        far, "runs += 1\nprint(5, flush=True)\nimport time; time.sleep(0.2)", proxy.half_open
    )
    ordeal.ends(result, Status.LOST, Aftermath.READY, f"{UNKNOWN}; it is no longer running")
    assert text_of(await far.execute("print(x, runs)")) == "7 1\n"
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:error-kept")
async def test_an_error_that_came_before_the_reply_was_lost_is_the_end(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    # The program shows its error itself, a moment before the kernel replies.
    source = (
        "import time\nshell = get_ipython()\ntry: 1/0\nexcept ZeroDivisionError: shell.showtraceback()\n"
        "print(5, flush=True); time.sleep(0.2); raise SystemExit"
    )
    result = await during(far, source, proxy.half_open)
    ordeal.ends(result, Status.ERROR, Aftermath.READY, MISSING)
    await ordeal.goes_on(far, kept=True)


VANISHED = (
    Status.LOST,
    Aftermath.FRESH,
    "the connection was lost; the server no longer has the kernel, variables are gone",
)
UNSAID = """
async def nothing(): pass
get_ipython().kernel._at_shutdown = nothing
"""
"""The kernel ends without a word to those that listen, as if nobody had heard it."""
TAKEN = {
    "deleted": ("DELETE", "", COUNTING, VANISHED),
    "restarted": ("POST", "/restart", COUNTING, REPLACED),
    "restarted, unsaid": ("POST", "/restart", UNSAID + COUNTING, REPLACED),
}


@behaviour("faults:network:taken")
@pytest.mark.parametrize("fault", TAKEN)
async def test_a_kernel_that_is_taken_from_us_while_the_connection_is_cut_is_noticed(
    fault: str, proxy: Chaos, far: Session, jupyter: Jupyter, ordeal: Ordeal
) -> None:
    kernel = await kernel_of(jupyter, far)
    method, path, source, ends = TAKEN[fault]

    def strike() -> None:
        proxy.refusing = True
        proxy.reset()

    running = asyncio.create_task(during(far, source, strike))
    await happens(lambda: proxy.refusing)
    ordeal.strike()
    await asyncio.to_thread(jupyter.ask, f"api/kernels/{kernel}{path}", method)
    proxy.refusing = False
    ordeal.ends(await running, *ends)
    await ordeal.goes_on(far, kept=False)


@behaviour("faults:network:deadline")
@pytest.mark.parametrize("fault", ["refused until the deadline", "stalled until the deadline"])
async def test_the_deadline_goes_on_while_the_connection_is_cut(
    fault: str, proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    def strike() -> None:
        if fault.startswith("stalled"):
            proxy.stall()
            return
        proxy.refusing = True
        proxy.cut()

    result = await during(far, COUNTING + "time.sleep(60)", strike, deadline=1.0)
    ordeal.ends(result, Status.LOST, Aftermath.BUSY, "the connection was lost; the code may still be running")
    proxy.refusing = False
    proxy.flow()
    await far.restart()
    await ordeal.goes_on(far, kept=False)


@behaviour("faults:network:deadline")
async def test_a_block_that_goes_on_after_its_deadline_goes_on_also_while_the_connection_is_cut(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    screen = Screen()
    source = f"{COUNTING}print('ended')"
    running = far.begin(source, deadline=1.0, limit=60.0, on_output=screen)
    await screen.shows(r"5\n")
    proxy.refusing = True
    proxy.cut()
    ordeal.strike()
    overdue = await asyncio.wrap_future(running.future)
    still = "still running in the background; its result will follow; the limit is 1 s"
    ordeal.ends(overdue, Status.TIMEOUT, Aftermath.BUSY, f"{still}; the connection is currently down")
    proxy.refusing = False
    result = await asyncio.wait_for(asyncio.wrap_future(running.settled), BOUND)
    ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    assert lines_of(result)[-1] == "ended"
    assert text_of(await far.execute("print(x, runs)")) == "7 1\n"
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:given-up")
async def test_a_way_that_is_not_found_again_is_given_up(
    proxy: Chaos, far: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.kernel.connections.servers.server_kernel.AWAY", 1.0)

    def strike() -> None:
        proxy.refusing = True
        proxy.reset()

    result = await during(far, COUNTING, strike)
    ordeal.ends(result, Status.LOST, Aftermath.READY, UNKNOWN)
    refused = await far.execute("1")
    assert refused.status is Status.REFUSED
    assert "sent no complete HTTP response" in refused.detail
    shown = far.status
    far.warm()
    await happens(lambda: far.status.state == "dead" and far.status is not shown)
    proxy.refusing = False
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:told")
async def test_while_the_way_to_a_busy_kernel_is_lost_its_status_says_so(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    screen = Screen()
    running = asyncio.create_task(far.execute(COUNTING, on_output=screen, deadline=20))
    await screen.shows(r"5\n")
    before = far.status
    proxy.refusing = True
    proxy.reset()
    await happens(lambda: far.status == replace(before, sentence=CUT_OFF))
    proxy.refusing = False
    await happens(lambda: not far.status.sentence)
    result = await running
    ordeal.ends(result, Status.OK, Aftermath.READY, MISSING if result.detail else "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:cut-as-it-opens")
async def test_a_cell_is_not_sent_over_a_way_that_was_cut_before_its_kernel_was_ready(
    proxy: Chaos, far: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await far.io_thread.run(far.rest())

    async def prepared(transport: ServerKernel, *, server: bool) -> None:
        await prepare(transport, server=server)
        proxy.refusing = True
        proxy.reset()
        await happens(lambda: transport._away)

    monkeypatch.setattr("coderunner.kernel.sessions.registry.prepare", prepared)
    ordeal.strike()
    result = await far.execute("runs += 1")
    assert "sent no complete HTTP response" in result.detail
    ordeal.ends(result, Status.REFUSED, Aftermath.READY, f"not run: no kernel is available; {result.detail}")
    monkeypatch.undo()
    proxy.refusing = False
    assert text_of(await far.execute("print(x, runs)")) == "7 0\n"
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:asleep")
async def test_after_a_sleep_the_way_is_looked_at_before_a_cell_is_sent_over_it(
    proxy: Chaos, far: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was open before the sleep leads nowhere; nothing has told us, and no ping is due.
    monkeypatch.setattr("coderunner.kernel.sessions.kernel_lifecycle.DOZED_OFF", 0.0)
    monkeypatch.setattr("coderunner.kernel.connections.servers.server_kernel.PING", 0.0)
    proxy.half_open()
    result = await far.execute("runs += 1\nprint(x, runs)")
    assert text_of(result) == "7 1\n"
    ordeal.ends(result, Status.OK, Aftermath.READY, "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:idle")
async def test_a_connection_that_is_cut_between_two_cells_is_opened_again(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    proxy.reset()
    await happens(lambda: far.status.state == "dead")
    result = await far.execute("print(x)")
    assert text_of(result) == "7\n"
    ordeal.ends(result, Status.OK, Aftermath.READY, "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:idle-restarted")
async def test_a_kernel_that_was_restarted_between_two_cells_is_noticed(
    proxy: Chaos, far: Session, jupyter: Jupyter, ordeal: Ordeal
) -> None:
    kernel = await kernel_of(jupyter, far)
    proxy.reset()
    await happens(lambda: far.status.state == "dead")
    await asyncio.to_thread(jupyter.ask, f"api/kernels/{kernel}/restart", "POST")
    result = await far.execute("print('x' in globals())")
    words = "this is a new kernel; earlier variables are gone"
    ordeal.ends(result, Status.OK, Aftermath.READY, words)
    assert (text_of(result), result.detail) == ("False\n", words)
    await ordeal.goes_on(far, kept=False)


@behaviour("faults:network:slow")
async def test_a_large_message_on_a_slow_network_arrives_whole(
    proxy: Chaos, far: Session, ordeal: Ordeal
) -> None:
    proxy.rate = 2_000_000
    result = await far.execute(
        "from IPython.display import display\ndisplay({'image/png': 'A' * 4_000_000}, raw=True)"
    )
    (picture,) = result.outputs
    assert len(str(getattr(picture, "data", {}).get("image/png"))) == 4_000_000
    ordeal.ends(result, Status.OK, Aftermath.READY, "")
    await ordeal.goes_on(far, kept=True)


@behaviour("faults:network:given-up")
async def test_a_server_that_no_longer_lets_us_in_is_not_asked_for_long(
    own_server: Jupyter, sessions: Sessions, there: Server, ordeal: Ordeal
) -> None:
    async with chaos(own_server.url) as proxy, chaos(there.url) as other:
        session = sessions.get("moved", replace(there, url=proxy.url, token=Secret(own_server.token)))
        await session.execute("x = 7; runs = 0")

        def strike() -> None:
            # Another server answers there now, and does not know our token.
            proxy.lead_to(other.url)
            proxy.cut()

        result = await during(session, COUNTING, strike)
        ordeal.ends(result, Status.LOST, Aftermath.READY, UNKNOWN)
        proxy.lead_to(own_server.url)
        await ordeal.goes_on(session, kept=True)


@behaviour("faults:server:back")
async def test_a_server_that_ends_and_comes_back_at_the_same_address(
    own_server: Jupyter, tmp_path: Path, sessions: Sessions, ordeal: Ordeal
) -> None:
    with jupyter_server(tmp_path, token=own_server.token) as next_server:
        async with chaos(own_server.url) as proxy:
            session = sessions.get("c", Server(proxy.url, Secret(own_server.token)))
            await session.execute("x = 7; runs = 0")

            def strike() -> None:
                own_server.process.kill()
                proxy.lead_to(next_server.url)

            ordeal.ends(await during(session, COUNTING, strike), *VANISHED)
            await ordeal.goes_on(session, kept=False)


@behaviour("faults:server:silent")
async def test_a_server_that_is_held_while_a_cell_runs(
    own_server: Jupyter, sessions: Sessions, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes every connection and answers none, as one does that swaps."""
    session = sessions.get("c", Server(own_server.url, Secret(own_server.token)))
    await session.execute("x = 7; runs = 0")
    with monkeypatch.context() as impatient:
        impatient.setattr("coderunner.kernel.connections.servers.server_kernel.AWAY", 2.0)
        result = await during(session, COUNTING, lambda: own_server.process.send_signal(signal.SIGSTOP))
    ordeal.ends(result, Status.LOST, Aftermath.READY, UNKNOWN)
    own_server.process.send_signal(signal.SIGCONT)
    await ordeal.goes_on(session, kept=True)


def message(number: object, parent: str = "ours") -> Message:
    return Message("iopub", "stream", f"s_1_{number}", parent)


BUSY = replace(message(4), type="status", content={"execution_state": "busy"})
IDLE = replace(message(5), type="status", content={"execution_state": "idle"})
ANSWER = replace(message(8), channel="shell", type="execute_reply", content={"status": "ok"})


@behaviour("faults:ledger:whole")
@pytest.mark.parametrize(
    ("messages", "whole"),
    [
        ([BUSY, message(5), message(6)], True),
        ([BUSY, message(6)], False),
        ([BUSY, message(6), message(5)], True),
        ([BUSY, message(5, "theirs"), message(6)], True),
        ([BUSY, message(5), message(9, "theirs")], True),
        ([message(1, "theirs"), BUSY, message(5)], True),
        ([message(5), BUSY], True),
        ([message(6), BUSY], False),
        ([message(6), BUSY, message(5)], True),
        ([message(5), message(6)], False),
        ([BUSY, message(40_000)], False),
        ([message(40_000), BUSY], False),
        ([message("x")], False),
        ([BUSY, Message("iopub", "stream", "a9c1", "ours")], False),
        ([], False),
    ],
)
def test_that_no_message_is_missing_is_known_from_their_numbers(
    messages: list[Message], *, whole: bool
) -> None:
    runs = MessageGaps("ours")
    for one in messages:
        runs.note(one)
    assert runs.whole is whole


@behaviour("faults:ledger:early")
@pytest.mark.parametrize(
    ("messages", "early"),
    [
        ([BUSY, IDLE, ANSWER], True),
        ([BUSY, ANSWER, IDLE], True),
        ([BUSY, IDLE, ANSWER, replace(IDLE, id="s_1_9")], False),
        ([BUSY, ANSWER], False),
        ([BUSY, IDLE], False),
        ([BUSY, replace(IDLE, id="x"), ANSWER], False),
    ],
)
def test_a_program_that_says_for_its_kernel_that_it_is_at_rest_is_known_by_the_number(
    messages: list[Message], *, early: bool
) -> None:
    runs = MessageGaps("ours")
    for one in messages:
        runs.note(one)
    assert runs.early is early
