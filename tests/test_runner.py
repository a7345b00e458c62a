"""The hall, with a scripted model and a real kernel. Both drivers must tell the same story."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from threading import Event as Flag
from typing import Any, Protocol

import pytest

from coderunner.chat.steps import Finish, Generate, Run, Say
from coderunner.chat.turn_state_machine import Turn
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.sessions.registry import Capacity, Local, Session, Sessions
from coderunner.outputs import Question, Status, Stream
from coderunner.records.database.connection import MEMORY, Database
from coderunner.records.run_once import RecordedRuns
from coderunner.records.run_registry import Records
from coderunner.runner import (
    BEAT,
    Answered,
    Asked,
    Beat,
    Ended,
    Event,
    Preparing,
    RunOptions,
    Shown,
    Started,
    Waiting,
    converse,
    converse_sync,
    declined,
    granted,
    late_words,
)
from coderunner.runner.drivers import SLICE
from coderunner.runner.events import NO_KERNEL_FREE
from coderunner.runner.late_output_for_model import MOST
from coderunner.runner.reply_budget import ReplyBudget
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.lent import BOUND, LentKernel

SUM = "Let me see.\n```python\nprint(10 + 5)\n```\n"


@pytest.fixture(scope="module")
def sessions() -> Iterator[Sessions]:
    registry = Sessions()
    yield registry
    asyncio.run(registry.close_all(keep=False))


@pytest.fixture(scope="module")
def lent(sessions: Sessions) -> LentKernel:
    return LentKernel(sessions, Local())


@pytest.fixture
def kernel(lent: LentKernel) -> Iterator[Session]:
    with lent.lent() as session:
        yield session


class Script:
    """A model that says the next of its lines at each call, in pieces, and remembers what it was asked."""

    def __init__(self, *lines: str, hang: bool = False) -> None:
        self._lines = list(lines)
        self._hang = hang
        self.asked: list[Generate] = []
        self.open = 0

    def sync(self, step: Generate) -> Generator[str]:
        self.asked.append(step)
        self.open += 1
        try:
            text = self._lines.pop(0)
            yield from (text[start : start + 4] for start in range(0, len(text), 4))
        finally:
            self.open -= 1

    async def generate(self, step: Generate) -> AsyncGenerator[str]:
        for delta in (stream := self.sync(step)):
            yield delta
        stream.close()
        if self._hang:
            await asyncio.Event().wait()


class Drive(Protocol):
    def __call__(
        self,
        turn: Turn,
        script: Script,
        kernel: Session,
        options: RunOptions | None = None,
        *,
        stop_at: Callable[[Event], bool] = ...,
    ) -> list[Event]: ...


def nowhere(_event: Event) -> bool:
    return False


def drive_async(
    turn: Turn,
    script: Script,
    kernel: Session,
    options: RunOptions | None = None,
    *,
    stop_at: Callable[[Event], bool] = nowhere,
) -> list[Event]:
    async def collect() -> list[Event]:
        events, stop = [], asyncio.Event()
        async with asyncio.timeout(60):
            async for event in converse(turn, script.generate, kernel, options, stop=stop):
                events.append(event)
                if stop_at(event):
                    stop.set()
        return events

    return asyncio.run(collect())


def drive_sync(
    turn: Turn,
    script: Script,
    kernel: Session,
    options: RunOptions | None = None,
    *,
    stop_at: Callable[[Event], bool] = nowhere,
) -> list[Event]:
    events, stop = [], Flag()
    for event in converse_sync(turn, script.sync, kernel, options, stopped=stop.is_set):
        events.append(event)
        if stop_at(event):
            stop.set()
    return events


@pytest.fixture(params=[drive_sync, drive_async], ids=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    chosen: Drive = request.param
    return chosen


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Say))


def ends(events: list[Event]) -> list[Status]:
    return [event.result.status for event in events if isinstance(event, Ended)]


@behaviour("runner:reply:goes-on-with-the-result")
def test_a_reply_runs_its_code_and_goes_on_with_the_result(drive: Drive, kernel: Session) -> None:
    script = Script(SUM + "I guess 41.", "If you add 10 and 5 the result is 15.")
    events = drive(Turn(), script, kernel)
    assert said(events) == SUM + "Result: 15\nIf you add 10 and 5 the result is 15."
    assert script.asked[1].reply == SUM + "Result: 15\n"
    assert events[-1] == Finish("end")


@behaviour("runner:reply:stream-closed-before-the-cell")
def test_the_models_stream_is_closed_before_its_code_runs(drive: Drive, kernel: Session) -> None:
    script = Script(SUM + "more and more", "Done.")
    still_open = []
    drive(
        Turn(),
        script,
        kernel,
        stop_at=lambda event: bool(isinstance(event, Started) and still_open.append(script.open)),
    )
    assert still_open == [0]


@behaviour("runner:reply:state-kept")
def test_variables_are_kept_from_block_to_block_and_from_turn_to_turn(drive: Drive, kernel: Session) -> None:
    two_blocks = Script("```python\nx = 20\n```\n", "\n```python\nx + 1\n```\n", "Done.")
    events = drive(Turn(), two_blocks, kernel)
    next_turn = drive(Turn(), Script("```python\nx * 2\n```\n", "Forty."), kernel)
    assert "Result: (no output)\n" in said(events)
    assert "Result: 21\n" in said(events)
    assert "Result: 40\n" in said(next_turn)


@behaviour("runner:reply:outputs-live")
def test_outputs_are_shown_while_the_cell_still_runs(drive: Drive, kernel: Session) -> None:
    code = "import time\nprint('early', flush=True)\ntime.sleep(0.6)"
    events = drive(Turn(), Script(f"```python\n{code}\n```\n", "Done."), kernel)
    kinds = [type(event) for event in events]
    assert Beat in kinds[kinds.index(Shown) : kinds.index(Ended)]


@behaviour("runner:stop:execution")
def test_stop_while_code_runs_keeps_what_it_showed_and_ends_the_reply(drive: Drive, kernel: Session) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
    script = Script(f"```python\n{code}\n```\n", "never asked for")
    events = drive(Turn(), script, kernel, stop_at=lambda event: isinstance(event, Shown))
    assert ends(events) == [Status.INTERRUPTED]
    assert "begun" in said(events)
    assert events[-1] == Finish("stop")
    assert len(script.asked) == 1


@behaviour("runner:stop:block")
def test_a_block_that_is_stopped_alone_ends_and_the_reply_goes_on(drive: Drive, kernel: Session) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
    script = Script(f"```python\n{code}\n```\n", "As you wish.")
    stops: list[Callable[[], None]] = []

    def press(event: Event) -> bool:
        if isinstance(event, Started):
            stops.append(event.stop)
        if isinstance(event, Shown):
            stops[0]()
        return False

    events = drive(Turn(), script, kernel, stop_at=press)
    assert ends(events) == [Status.INTERRUPTED]
    assert "begun" in said(events)
    assert "(stopped; variables are kept; the user stopped this block)" in said(events)
    assert said(events).endswith("As you wish.")
    assert events[-1] == Finish("end")


@behaviour("runner:stop:block")
def test_a_block_that_is_stopped_in_the_queue_leaves_the_one_before_it_alone(
    drive: Drive, kernel: Session
) -> None:
    first = "import time\ntime.sleep(1.5)\nprint('ended by itself')"
    script = Script(f"```python\n{first}\n```\n", "```python\nprint('second')\n```\n", "Done.")

    def press(event: Event) -> bool:
        if isinstance(event, Started) and event.ordinal == 1:
            event.stop()
        return False

    options = RunOptions(deadline=0.2, limit=30.0)
    events = drive(Turn(), script, kernel, options, stop_at=press)
    assert ends(events) == [Status.TIMEOUT, Status.INTERRUPTED]
    assert "it had not started" in said(events) or "not been sent" in said(events)
    (late,) = [event.running for event in events if isinstance(event, Ended) and event.running]
    assert late.settled.result(30.0).status is Status.OK


@behaviour("runner:consent:edited")
def test_what_a_person_changes_before_it_runs_is_what_runs_and_what_the_model_reads(
    drive: Drive, kernel: Session
) -> None:
    script = Script(SUM, "Thirty.")
    options = RunOptions(consent=asked, edited=lambda _run: "print(10 + 20)\n")
    events = drive(Turn(), script, kernel, options)
    assert [event.cell.source for event in events if isinstance(event, Started)] == ["print(10 + 20)\n"]
    assert said(events) == (
        f"{SUM}The user changed this block before it ran:\n"
        "```diff\n-print(10 + 5)\n+print(10 + 20)\n```\nResult: 30\nThirty."
    )


def asked(run: Run) -> "Future[bool]":
    """Consent that is not known from the start."""
    return granted(run)


@behaviour("runner:stop:generation")
def test_stop_while_the_model_writes_ends_the_reply_where_it_is(drive: Drive, kernel: Session) -> None:
    script = Script("one two three four")
    events = drive(Turn(), script, kernel, stop_at=lambda event: isinstance(event, Say))
    assert "one two three four".startswith(said(events))
    assert events[-1] == Finish("stop")


@behaviour("runner:stop:silent-model")
def test_stop_is_heard_while_the_model_is_silent(kernel: Session) -> None:
    script = Script("one", hang=True)
    events = drive_async(Turn(), script, kernel, stop_at=lambda event: isinstance(event, Say))
    assert events[-1] == Finish("stop")


@behaviour("runner:consent:declined")
def test_code_that_a_person_declines_does_not_run_and_the_model_is_told(
    drive: Drive, kernel: Session
) -> None:
    script = Script("```python\nprint('ran')\n```\n", "As you wish.")
    events = drive(Turn(), script, kernel, RunOptions(consent=declined))
    assert ends(events) == [Status.DECLINED]
    assert "ran" not in said(events).split("```")[-1]
    assert said(events).endswith("As you wish.")
    assert not any(isinstance(event, Started) for event in events)


@behaviour("runner:consent:off")
@pytest.mark.parametrize("later", [False, True])
def test_where_running_code_is_turned_off_nobody_is_said_to_have_declined_it(
    drive: Drive, kernel: Session, *, later: bool
) -> None:
    """Also where that is so once the person has answered."""
    asked: list[str] = []

    def consent(run: Run) -> Future[bool]:
        asked.append(run.cell.source)
        return granted(run)

    script = Script("```python\nprint('ran')\n```\n", "As you wish.")
    options = RunOptions(consent=consent, off=lambda: bool(asked) or not later)
    events = drive(Turn(), script, kernel, options)
    assert ends(events) == [Status.DECLINED]
    assert "Result: (not run: running code is turned off in the settings)\n" in said(events)
    assert len(asked) == later


@behaviour("runner:consent:waits")
def test_a_cell_waits_for_consent_with_signs_of_life(drive: Drive, kernel: Session) -> None:
    answers: list[Future[bool]] = []

    def ask(_run: Run) -> Future[bool]:
        answers.append(Future())
        return answers[-1]

    def yes(event: Event) -> bool:
        if isinstance(event, Beat) and not answers[0].done():
            answers[0].set_result(True)
        return False

    events = drive(Turn(), Script(SUM, "Fifteen."), kernel, RunOptions(consent=ask), stop_at=yes)
    kinds = [type(event) for event in events]
    assert kinds.index(Waiting) < kinds.index(Beat) < kinds.index(Started)
    assert ends(events) == [Status.OK]


@behaviour("runner:kernel:waits")
def test_a_cell_that_waits_for_a_kernel_says_so_and_that_time_does_not_count(
    drive: Drive, tmp_path: Path
) -> None:
    registry = Sessions(tmp_path, capacity=Capacity(1))
    try:
        runs, waited = Flag(), list[float]()
        source = "print('on', flush=True)\nwhile True: pass"
        busy = registry.get("busy", Local()).begin(
            source, deadline=2 * BOUND, on_output=lambda _change: runs.set()
        )
        assert runs.wait(BOUND)

        def end(event: Event) -> bool:
            if isinstance(event, Beat):
                waited.append(event.elapsed)
            if len(waited) == 5:
                busy.interrupt()
            return False

        events = drive(Turn(), Script(SUM, "Fifteen."), registry.get("waits", Local()), stop_at=end)
        kinds = [event for event in events if isinstance(event, Started | Preparing | Ended)]
        assert kinds[1:3] == [Preparing(NO_KERNEL_FREE), Preparing("")]
        first, *others = (
            event.elapsed
            for event in events[events.index(kinds[1]) : events.index(kinds[2])]
            if isinstance(event, Beat)
        )
        assert others == pytest.approx([first] * len(others))
        assert ends(events) == [Status.OK]
    finally:
        registry.io_thread.call(registry.close_all(), BOUND)


@behaviour("runner:consent:stopped")
def test_stop_while_a_cell_waits_is_no_refusal_of_the_cell(drive: Drive, kernel: Session) -> None:
    script = Script(SUM, "never asked for")
    options = RunOptions(consent=lambda _run: Future())
    events = drive(Turn(), script, kernel, options, stop_at=lambda event: isinstance(event, Waiting))
    assert ends(events) == [Status.INTERRUPTED]
    assert "(stopped; it had not started)" in said(events)
    assert events[-1] == Finish("stop")


ASKS = "```python\nname = input('Name? ')\nprint('Hello', name)\n```\n"


class Person:
    """Somebody who is asked, and answers when told to."""

    def __init__(self, *answers: str) -> None:
        self.questions: list[Question] = []
        self.answers: list[Future[Secret]] = []
        self._texts = iter(answers)

    def ask(self, question: Question) -> Future[Secret]:
        self.questions.append(question)
        self.answers.append(Future())
        return self.answers[-1]

    def answer(self, event: Event) -> bool:
        """Answer a question as soon as it is seen; to be called with each event."""
        if isinstance(event, Asked):
            self.answers[-1].set_result(Secret(next(self._texts)))
        return False


@behaviour("runner:asking:answered")
def test_a_program_asks_and_goes_on_with_the_answer(drive: Drive, kernel: Session) -> None:
    person = Person("Ann")
    events = drive(Turn(), Script(ASKS, "Done."), kernel, RunOptions(ask=person.ask), stop_at=person.answer)
    assert "Name? Ann\nHello Ann" in said(events)
    assert [question.prompt for question in person.questions] == ["Name? "]
    kinds = [type(event) for event in events]
    assert kinds.index(Started) < kinds.index(Asked) < kinds.index(Answered) < kinds.index(Ended)


@behaviour("runner:asking:nobody")
def test_where_nobody_can_be_asked_the_program_fails_in_plain_words(drive: Drive, kernel: Session) -> None:
    events = drive(Turn(), Script(ASKS, "Done."), kernel)
    assert "Hint: nobody can answer input() here" in said(events)
    assert not any(isinstance(event, Asked) for event in events)


@behaviour("runner:asking:clock")
def test_the_time_of_a_cell_stands_still_while_a_person_is_asked(drive: Drive, kernel: Session) -> None:
    person = Person("Ann")
    beats: list[float] = []

    def answer_late(event: Event) -> bool:
        if isinstance(event, Beat) and person.questions:
            beats.append(event.elapsed)
            if len(beats) == 14:
                person.answers[-1].set_result(Secret("Ann"))
        return False

    options = RunOptions(deadline=1.5, ask=person.ask)
    events = drive(Turn(), Script(ASKS, "Done."), kernel, options, stop_at=answer_late)
    assert ends(events) == [Status.OK]
    assert max(beats[:14]) - min(beats[:14]) < BEAT


@behaviour("runner:asking:clock")
def test_what_a_reply_may_take_does_not_shrink_while_a_person_is_asked(drive: Drive, kernel: Session) -> None:
    person, now = Person("Ann"), [0.0]

    def answer_an_hour_later(event: Event) -> bool:
        if isinstance(event, Asked):
            now[0] += 3600.0
        return person.answer(event)

    options = RunOptions(ask=person.ask, allowance=ReplyBudget(60.0, clock=lambda: now[0]))
    events = drive(Turn(), Script(ASKS, "Done."), kernel, options, stop_at=answer_an_hour_later)
    assert said(events).endswith("Done.")


@behaviour("runner:asking:cancelled")
def test_a_person_who_will_not_answer_ends_the_program_and_the_reply_goes_on(
    drive: Drive, kernel: Session
) -> None:
    person = Person()

    def refuse(event: Event) -> bool:
        if isinstance(event, Asked):
            person.answers[-1].cancel()
        return False

    events = drive(Turn(), Script(ASKS, "As you wish."), kernel, RunOptions(ask=person.ask), stop_at=refuse)
    assert ends(events) == [Status.INTERRUPTED]
    assert said(events).endswith("As you wish.")


@behaviour("runner:asking:stopped")
def test_stop_takes_the_question_back(drive: Drive, kernel: Session) -> None:
    person = Person()
    script, options = Script(ASKS, "never asked for"), RunOptions(ask=person.ask)
    events = drive(Turn(), script, kernel, options, stop_at=lambda event: isinstance(event, Asked))
    assert ends(events) == [Status.INTERRUPTED]
    assert person.answers[-1].cancelled()
    assert events[-1] == Finish("stop")


@behaviour("runner:asking:password")
def test_a_password_is_in_nothing_that_the_hall_tells(drive: Drive, kernel: Session) -> None:
    person = Person("canary-7f3a")
    script = Script("```python\nimport getpass\nlen(getpass.getpass())\n```\n", "Done.")
    events = drive(Turn(), script, kernel, RunOptions(ask=person.ask), stop_at=person.answer)
    assert person.questions[0].password
    assert "11" in said(events)
    assert "canary" not in repr([events, script.asked, person.questions, person.answers])


@behaviour("runner:leave:interrupts")
def test_a_host_that_stops_listening_interrupts_the_kernel(kernel: Session) -> None:
    script = Script("```python\nimport time\nprint('begun', flush=True)\ntime.sleep(60)\n```\n")
    events = converse_sync(Turn(), script.sync, kernel)
    for event in events:
        if isinstance(event, Shown):
            break
    events.close()
    after = drive_sync(Turn(), Script("```python\n1 + 1\n```\n", "Two."), kernel)
    assert "Result: 2\n" in said(after)


@behaviour("runner:pictures:placed")
def test_a_host_places_the_pictures_of_a_result(drive: Drive, kernel: Session) -> None:
    code = "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"
    options = RunOptions(keep=lambda _result: ["![plot](file/plot.svg)"])
    events = drive(Turn(), Script(f"```python\n{code}\n```\n", "There."), kernel, options)
    assert "\n![plot](file/plot.svg)\n" in said(events)


def touch(gate: Path) -> str:
    return f"open({str(gate)!r}, 'w').close()"


def waits_for(gate: Path, *, then: str) -> str:
    """A block that goes on when the file is there."""
    code = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n{then}"
    return f"```python\n{code}\n```\n"


OVERDUE = "Result: (still running in the background; its result will follow; the limit is 0.3 s)\n"
LATE = "Result of the block that was still running: 41\n"
PATIENT = RunOptions(deadline=0.3, limit=60.0)


@behaviour("runner:late:goes-on")
def test_at_the_deadline_the_reply_goes_on_and_the_result_follows_with_the_next_one(
    drive: Drive, kernel: Session, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    script = Script(waits_for(gate, then="x = 41\nx"), "Meanwhile:\n```python\nx + 1\n```\n", "Done.")

    def open_the_gate(event: Event) -> bool:
        if isinstance(event, Started) and event.ordinal == 1:
            gate.touch()
        return False

    options = replace(PATIENT, deadline=2.0)
    events = drive(Turn(), script, kernel, options, stop_at=open_the_gate)
    assert OVERDUE.replace("0.3", "2") in said(events)
    assert said(events).endswith(f"{LATE}\nResult: 42\nDone.")
    assert ends(events) == [Status.TIMEOUT, Status.OK]


@behaviour("runner:late:at-once")
def test_a_block_that_ends_while_its_host_reads_of_its_deadline_has_its_result_in_its_place(
    drive: Drive, kernel: Session, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"

    def wait_for_its_end(event: Event) -> bool:
        if isinstance(event, Ended) and event.running is not None:
            gate.touch()
            event.running.settled.result(BOUND)
        return False

    script = Script(block := waits_for(gate, then="41"), "Done.")
    events = drive(Turn(), script, kernel, PATIENT, stop_at=wait_for_its_end)
    assert said(events) == f"{block}Result: 41\nDone."
    assert late_words(kernel) == ""


@behaviour("runner:late:next-message")
def test_a_result_that_no_block_follows_comes_with_the_next_message_once(
    drive: Drive, kernel: Session, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    events = drive(Turn(), Script(waits_for(gate, then="41"), "It still runs."), kernel, PATIENT)
    assert said(events).endswith(f"{OVERDUE}It still runs.")
    running = next(event.running for event in events if isinstance(event, Ended))
    assert running is not None
    assert late_words(kernel) == ""
    gate.touch()
    running.settled.result(60)
    assert late_words(kernel) == LATE
    assert late_words(kernel) == ""


THREAD = """\
import os, threading, time
def work():
    while not os.path.exists({gate!r}): time.sleep(0.01)
    print("from the thread")
thread = threading.Thread(target=work)
thread.start()
"""
AFTERWARDS = "Later output of an earlier block: from the thread\n"


@behaviour("runner:late:afterwards")
def test_what_a_thread_shows_after_its_block_reaches_the_model_once_with_the_next_result(
    drive: Drive, kernel: Session, tmp_path: Path
) -> None:
    begins = f"```python\n{THREAD.format(gate=str(tmp_path / 'gate'))}```\n"
    goes_on = f"```python\nopen({str(tmp_path / 'gate')!r}, 'w').close(); thread.join(); 42\n```\n"
    events = drive(Turn(), Script(begins, goes_on, "```python\n43\n```\n", "Done."), kernel)
    assert said(events).endswith(
        f"{begins}Result: (no output)\n{goes_on}{AFTERWARDS}\nResult: 42\n"
        "```python\n43\n```\nResult: 43\nDone."
    )
    assert late_words(kernel) == ""


@behaviour("runner:late:afterwards")
def test_what_a_thread_shows_after_the_last_block_comes_with_the_next_message_once(
    drive: Drive, kernel: Session, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    drive(Turn(), Script(f"```python\n{THREAD.format(gate=str(gate))}```\n", "It goes on."), kernel)
    assert late_words(kernel) == ""
    gate.touch()
    running = kernel.begin("thread.join()", deadline=60.0)
    assert running.wait(60) is not None
    assert [late_words(kernel), late_words(kernel)] == [AFTERWARDS, ""]


@behaviour("runner:late:bounded")
def test_of_many_blocks_whose_threads_go_on_the_latest_are_told(drive: Drive, kernel: Session) -> None:
    starts = "```python\nimport threading; event = globals().get('event') or threading.Event()\n"
    thread = (
        f"{starts}threading.Thread(target=lambda: (event.wait(), print('x' * 9000))).start() # {{}}\n```\n"
    )
    blocks = [thread.format(number) for number in range(MOST + 2)]
    drive(Turn(max_cells=99), Script(*blocks, "Done."), kernel)
    running = kernel.begin(
        "event.set()\nfor thread in threading.enumerate(): thread is threading.main_thread() "
        "or thread.daemon or thread.join()",
        deadline=60.0,
    )
    assert running.wait(60) is not None
    words = late_words(kernel)
    assert words.count("Later output of an earlier block:") == MOST
    assert "(later output of 2 more blocks is left out)" in words
    assert len(words) < MOST * 1_200


@behaviour("runner:reading:shared")
async def test_while_a_huge_delta_is_read_others_have_their_turn(kernel: Session) -> None:
    huge = "> q\n    ```\n" * 10_000
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def generate(_step: Generate) -> AsyncGenerator[str]:
        nonlocal turns
        turns = 0
        yield huge
        assert turns >= len(huge) // SLICE

    task = asyncio.create_task(others())
    said = [event async for event in converse(Turn(), generate, kernel)]
    task.cancel()
    assert said == [Say(huge), Finish("end")]


@behaviour("runner:late:stopped")
def test_stop_ends_also_what_goes_on_beside_the_reply(drive: Drive, kernel: Session, tmp_path: Path) -> None:
    script = Script(waits_for(tmp_path / "gate", then=""), "And so on")

    def in_the_second_call(event: Event) -> bool:
        return isinstance(event, Say) and len(script.asked) > 1

    events = drive(Turn(), script, kernel, PATIENT, stop_at=in_the_second_call)
    running = next(event.running for event in events if isinstance(event, Ended))
    assert running is not None
    assert running.settled.result(60).status is Status.INTERRUPTED
    assert events[-1] == Finish("stop")


@behaviour("runner:late:left")
def test_a_host_that_leaves_ends_also_what_goes_on_beside_the_reply(kernel: Session, tmp_path: Path) -> None:
    script = Script(waits_for(tmp_path / "gate", then=""), "And so on")
    events = converse_sync(Turn(), script.sync, kernel, PATIENT)
    running = next(event.running for event in events if isinstance(event, Ended))
    events.close()
    assert running is not None
    assert running.settled.result(60).status is Status.INTERRUPTED


@behaviour("runner:allowance:ends")
def test_a_reply_that_has_had_its_tokens_does_not_go_on_after_a_block(drive: Drive, kernel: Session) -> None:
    ended: list[Event] = []
    options = RunOptions(allowance=ReplyBudget(tokens=1, spent=lambda: len(ended)))
    script = Script(SUM, "never asked for")
    events = drive(
        Turn(), script, kernel, options, stop_at=lambda each: isinstance(each, Ended) and note(each, ended)
    )
    assert said(events) == f"{SUM}Result: 15\n(stopped: this reply has reached its limit of 1 tokens)\n"
    assert events[-1] == Finish("limit")
    assert len(script.asked) == 1


@behaviour("runner:allowance:ends")
def test_a_reply_that_has_had_its_tokens_runs_nothing_more(drive: Drive, kernel: Session) -> None:
    asked: list[int] = []
    options = RunOptions(allowance=ReplyBudget(tokens=2, spent=lambda: asked.append(1) or len(asked)))
    events = drive(Turn(), Script("one two three four", "never asked for"), kernel, options)
    assert said(events).endswith("\n(stopped: this reply has reached its limit of 2 tokens)\n")
    assert events[-1] == Finish("limit")


def note(event: Event, seen: list[Event]) -> bool:
    """Keep an event, and stop nothing."""
    seen.append(event)
    return False


# --- what was run before ---------------------------------------------------------------------------------


@pytest.fixture
def records() -> Iterator[Records]:
    opened = Records(Database(MEMORY))
    yield opened
    opened.close()


def reply_of(records: Records, **more: Any) -> RunOptions:
    return RunOptions(runs=RecordedRuns(records, "a conversation", "a reply"), **more)


@behaviour("runner:ledger:known")
def test_a_block_that_was_run_before_is_not_run_again(
    drive: Drive, kernel: Session, records: Records
) -> None:
    code = "```python\nn = globals().get('n', 0) + 1\nn\n```\n"
    first = drive(Turn(), Script(code, "Once."), kernel, reply_of(records))
    records.settle()
    asked: list[Run] = []

    def ask(run: Run) -> Future[bool]:
        asked.append(run)
        return declined(run)

    again = Turn(prior=code, resume=True)
    second = drive(again, Script("Once."), kernel, reply_of(records, consent=ask))
    assert said(first).endswith("Result: 1\nOnce.")
    assert said(second) == "Result: 1\nOnce."
    assert not any(isinstance(event, Started) for event in second)
    assert asked == []


@behaviour("runner:ledger:known")
def test_blocks_are_told_apart_by_their_place_in_the_reply(
    drive: Drive, kernel: Session, records: Records
) -> None:
    count = "```python\nn = globals().get('n', 0) + 1\nn\n```\n"
    events = drive(Turn(), Script(count, f"\n{count}", "Twice."), kernel, reply_of(records))
    records.settle()
    prior = said(events).partition("Result: 2")[0]
    continued = drive(Turn(prior=prior, resume=True), Script("Twice."), kernel, reply_of(records))
    assert said(continued) == "Result: 2\nTwice."


@behaviour("runner:ledger:left")
def test_a_host_that_leaves_as_a_block_begins_leaves_nothing_to_wait_for(
    drive: Drive, kernel: Session, records: Records
) -> None:
    code = "```python\nprint(10 + 5)\n```\n"
    events = converse_sync(Turn(), Script(code).sync, kernel, reply_of(records))
    next(event for event in events if isinstance(event, Started))
    events.close()
    assert records.settle()
    again = drive(Turn(prior=code, resume=True), Script("It is 15."), kernel, reply_of(records))
    assert said(again) == "Result: 15\nIt is 15."


@behaviour("runner:ledger:written")
def test_what_a_block_showed_is_written_down_though_nobody_listens_any_more(
    kernel: Session, records: Records
) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"
    events = converse_sync(Turn(), Script(f"```python\n{code}```\n").sync, kernel, reply_of(records))
    for event in events:
        if isinstance(event, Shown):
            break
    events.close()
    (record,) = records.of("a conversation")
    result = records.ended(record).result(20)
    assert (record.code, result.status) == (code, Status.INTERRUPTED)
    assert result.outputs[0] == Stream("stdout", "begun\n")


@behaviour("runner:ledger:written")
def test_a_block_that_goes_on_after_its_deadline_is_written_down_to_its_end(
    drive: Drive, kernel: Session, records: Records
) -> None:
    code = "import time\ntime.sleep(0.8)\nprint('late')\n"
    options = reply_of(records, deadline=0.2, limit=30.0)
    events = drive(Turn(), Script(f"```python\n{code}```\n", "It goes on."), kernel, options)
    assert ends(events) == [Status.TIMEOUT]
    (late,) = [event.running for event in events if isinstance(event, Ended) and event.running]
    assert late.settled.result(20).status is Status.OK
    assert records.settle()
    (record,) = records.of("a conversation")
    assert record.result == late.settled.result()


@behaviour("runner:ledger:written")
def test_what_a_late_block_shows_is_written_down_also_while_a_host_follows_it(
    drive: Drive, kernel: Session, records: Records, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    block = waits_for(gate, then="print('news', flush=True)\ntime.sleep(60)")
    options = reply_of(records, deadline=0.3, limit=60.0)
    events = drive(Turn(), Script(block, "It goes on."), kernel, options)
    (late,) = [event.running for event in events if isinstance(event, Ended) and event.running]
    heard = Flag()
    late.listen(lambda change: heard.set() if "news" in str(change.output) else None)
    gate.touch()
    assert heard.wait(60)
    assert records.settle()
    (record,) = records.of("a conversation")
    assert records.outputs(record.id) == (Stream("stdout", "news\n"),)
    late.interrupt()
    late.settled.result(60)


@behaviour("runner:ledger:later")
def test_what_a_thread_shows_after_the_end_of_its_block_is_in_its_record_and_in_no_other_result(
    drive: Drive, kernel: Session, records: Records, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    work = f"    while not os.path.exists({str(first)!r}): time.sleep(0.01)\n    print('later')\n"
    work = f"def work():\n{work}    {touch(second)}\nthreading.Thread(target=work).start()"
    starts = f"import os, threading, time\n{work}"
    waits = (
        f"{touch(first)}\nwhile not os.path.exists({str(second)!r}): time.sleep(0.01)\nprint('of its own')"
    )
    blocks = [f"```python\n{code}\n```\n" for code in (starts, waits)]
    events = drive(Turn(), Script(*blocks, "Done."), kernel, reply_of(records))
    ended, other = (event for event in events if isinstance(event, Ended))
    told: SimpleQueue[Change] = SimpleQueue()
    assert ended.later is not None
    ended.later.listen(told.put)
    assert told.get(timeout=60) == Change(0, Stream("stdout", "later\n"))
    assert (ended.result.outputs, other.result.outputs) == ((), (Stream("stdout", "of its own\n"),))
    assert records.settle()
    shown = [(record.later, record.request != "") for record in records.of("a conversation")]
    assert shown == [((Stream("stdout", "later\n"),), True), ((), True)]


@behaviour("runner:ledger:at-once")
def test_of_two_replies_at_once_one_runs_the_block_and_both_get_its_result(
    drive: Drive, sessions: Sessions, kernel: Session, records: Records
) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(0.5)\nn = globals().get('n', 0) + 1\nn\n"
    other = sessions.get("another tab", Local())
    seen: list[Future[list[Event]]] = []

    def open_another_tab(event: Event) -> bool:
        if isinstance(event, Shown) and not seen:
            script = Script(f"```python\n{code}```\n", "One.")
            seen.append(pool.submit(drive, Turn(), script, other, reply_of(records)))
        return False

    with ThreadPoolExecutor() as pool:
        script = Script(f"```python\n{code}```\n", "One.")
        here = drive(Turn(), script, kernel, reply_of(records), stop_at=open_another_tab)
        there = seen[0].result(60)
    assert said(there) == said(here)
    assert not any(isinstance(event, Started) for event in there)


@behaviour("runner:ledger:away")
def test_what_cannot_be_written_down_is_not_run(drive: Drive, kernel: Session, tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    records = Records(Database(f"sqlite:///{path}"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE coderunner_runs")
    events = drive(Turn(), Script(SUM, "Later, then."), kernel, reply_of(records))
    assert ends(events) == [Status.UNRECORDED]
    assert "cannot save records" in said(events)
    assert not any(isinstance(event, Started) for event in events)
