"""The prelude, in real kernels: a cell runs as a whole or not at all, and all else is as it was."""

import ast
import asyncio
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.connections import local_kernel
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.kernel.sessions.run_prelude import (
    CELL,
    OF_PACKAGES,
    ORDER,
    PRELUDE,
    QUESTIONS,
    SHARED,
    cell,
    text,
)
from coderunner.outputs import Question, Result, Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.cases import Case, cases
from tests.kernel.conftest import BOUND, run

Run = Callable[[str], Result]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A kernel as a conversation has it."""
    sessions = Sessions(tmp_path_factory.mktemp("prepared"))
    session = sessions.get("prepared", Local())
    yield lambda source: run(session, source)
    io_thread().call(sessions.close_all(keep=False), BOUND)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A kernel as it starts, without the prelude."""
    kernel = io_thread().call(local_kernel.start("python3", tmp_path_factory.mktemp("bare")), 2 * BOUND)
    client = io_thread().call(_client(kernel))
    yield lambda source: io_thread().call(client.execute(source, deadline=BOUND), 2 * BOUND)
    io_thread().call(client.close(), BOUND)


async def _client(kernel: local_kernel.LocalKernel) -> KernelClient:
    return KernelClient(kernel)


@behaviour("prelude:cells:broken")
@pytest.mark.parametrize("case", cases("broken"), ids=lambda case: case.title)
def test_of_a_cell_that_does_not_compile_nothing_runs(prepared: Run, case: Case) -> None:
    said = for_model(prepared(case.source))
    assert case.agrees(said), said


@behaviour("prelude:cells:began")
def test_where_a_part_of_a_cell_ran_nobody_says_that_nothing_did(bare: Run) -> None:
    said = for_model(bare("print('begun')\nyield 2"))
    assert "begun\nSyntaxError: 'yield' outside function\n" in said
    assert "nothing of this block ran" not in said


@behaviour("prelude:python:old")
def test_the_prelude_is_python_of_3_9() -> None:
    for path in PRELUDE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
        # Of a union of types only an annotation is never evaluated.
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not [
            each
            for call in calls
            for each in call.args
            if isinstance(each, ast.BinOp) and isinstance(each.op, ast.BitOr)
        ]
    ast.parse(cell(), feature_version=(3, 9))


@behaviour("prelude:files:apart")
def test_a_file_of_the_prelude_that_fails_leaves_the_others(new_session: Session) -> None:
    files = ["raise OSError('none of this')", *map(text, ORDER)]
    sent = run(new_session, CELL.format(shared=tuple(map(text, SHARED)), files=files))
    assert "none of this" in for_model(sent)
    assert len(run(new_session, "print('ran')\nreturn").outputs) == 1


@behaviour("prelude:files:apart")
def test_every_file_of_the_prelude_is_sent() -> None:
    sent = {*SHARED, *ORDER, *OF_PACKAGES}
    assert {path.stem for path in PRELUDE.glob("*.py")} | sent == {"__init__", *sent}
    assert all((PRELUDE / f"{each}.py").is_file() for each in sent)
    assert {path.stem for path in PRELUDE.glob("scripts/*.py")} == {"__init__", "own_scripts"}
    assert {path.stem for path in PRELUDE.glob("editing/*.py")} == {"__init__", "completions"}
    assert {path.stem for path in PRELUDE.glob("questions/*.py")} == {"__init__", "answers", *QUESTIONS}


@behaviour("prelude:cells:sound")
@pytest.mark.parametrize("case", cases("sound"), ids=lambda case: case.title)
def test_a_cell_that_compiles_runs_as_it_does_in_any_kernel(prepared: Run, bare: Run, case: Case) -> None:
    result, without = prepared(case.source), bare(case.source)
    said = for_model(result)
    assert case.agrees(said), said
    assert case.agrees(for_model(without))
    assert (result.status, [type(output) for output in result.outputs]) == (
        without.status,
        [type(output) for output in without.outputs],
    )


@behaviour("prelude:cells:every-kernel")
def test_a_cell_that_does_not_compile_runs_nothing_in_any_kernel(session: Session) -> None:
    result = run(session, "print('ran')\nreturn")
    assert (result.status, len(result.outputs)) == (Status.ERROR, 1)
    assert "nothing of this block ran" in for_model(result)


@behaviour("prelude:cells:every-kernel")
def test_a_restarted_kernel_is_prepared_again(session: Session) -> None:
    run(session, "1")
    asyncio.run(session.restart())
    result = run(session, "print('ran')\nreturn")
    assert len(result.outputs) == 1, result


@behaviour("prelude:namespace:clean")
def test_a_kernel_is_prepared_again_without_harm_whatever_names_mean(prepared: Run) -> None:
    prepared("exec = compile = builtins = ast = sys = __import__ = get_ipython = None")
    names = "[name for name in globals() if not name.startswith('_')]"
    before = for_model(prepared(names))
    assert prepared(cell()).outputs == ()
    assert for_model(prepared(names)) == before
    assert len(prepared("print('ran')\nreturn").outputs) == 1


@behaviour("prelude:text:half-characters")
def test_half_a_character_costs_nothing_but_itself(prepared: Run) -> None:
    shows = "from IPython.display import display, Markdown\n"
    printed = prepared("print('before')\nprint('\\ud800')\nprint('after')")
    displayed = prepared(f"{shows}display(Markdown('a\\ud800b'))")
    raised = prepared("raise ValueError('\\udfff!')")
    assert (printed.status, printed.outputs) == (Status.OK, (Stream("stdout", "before\n\ufffd\nafter\n"),))
    assert [getattr(output, "data", {}).get("text/markdown") for output in displayed.outputs] == ["a\ufffdb"]
    assert [getattr(output, "evalue", "") for output in raised.outputs] == ["\ufffd!"]
    assert (displayed.status, raised.status) == (Status.OK, Status.ERROR)
    assert prepared("print('next')").outputs == (Stream("stdout", "next\n"),)


PROGRAMS = (
    "import subprocess\nended = subprocess.run(['seq', '1', '20000'])",
    "import os\nended = os.system('seq 1 20000')",
    "import os\nfor n in range(1, 20001): ended = os.write(1, b'%d\\n' % n)",
)


@behaviour("prelude:text:of-programs")
def test_what_programs_write_is_in_the_result_to_the_last_line(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ipykernel leaves what programs write alone where this is set.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    session = sessions.get("programs", Local())
    for source in PROGRAMS:
        (written,) = run(session, source).outputs
        assert isinstance(written, Stream)
        assert written.text.splitlines() == [str(number) for number in range(1, 20001)]


JOINS = """
import re, sys, zmq
from IPython import get_ipython
slow = zmq.Context().socket(zmq.SUB)
slow.rcvhwm = 1
slow.subscribe(b"")
slow.connect(get_ipython().kernel.iopub_thread.socket.LAST_ENDPOINT)
while not slow.poll(100):
    print("is it heard?", flush=True)
"""
FLOODS = """
for number in range(3000):
    print(f"<{number}>", flush=True)
heard = 0
while slow.poll(2000):
    heard += bool(re.search(rb"<\\d+>", slow.recv_multipart()[-1]))
slow.close(linger=0)
print(heard, file=sys.stderr)
"""


@behaviour("prelude:output:waits")
def test_what_is_shown_waits_for_who_reads_it_slowly(prepared: Run, bare: Run) -> None:
    heard = []
    for kernel in (prepared, bare):
        kernel(JOINS)
        *_, last = kernel(FLOODS).outputs
        assert isinstance(last, Stream)
        heard.append(int(last.text))
    assert heard[0] == 3000 > heard[1]


LOSES = """
from types import SimpleNamespace
from IPython import get_ipython
full = SimpleNamespace(send_multipart=lambda *parts, **options: None)
get_ipython().kernel.session.send(full, "stream", {"name": "stdout", "text": "lost"})
print(15)
"""
"""A socket drops what is over its limit, and says nothing."""


@behaviour("client:output:gap")
def test_of_a_number_that_did_not_come_it_is_said_that_output_may_be_missing(prepared: Run) -> None:
    lost = prepared(LOSES)
    assert (lost.status, for_model(lost)) == (
        Status.OK,
        "Result:\n```output\n15\n```\n(output may be missing)\n",
    )
    assert for_model(prepared("print(15)")) == "Result: 15\n"


SHOWS_ITSELF = "class A:\n    _ipython_display_ = lambda self: print('shown')\n"
KEEPS = """
shows = get_ipython().display_pub
shows.register_hook(lambda message: None)
display(1)
shows._hooks.clear()
print(2)
"""
FORKS = """
import os
if not (child := os.fork()):
    display(1)
    os._exit(0)
os.waitpid(child, 0)
print(4)
"""
MADE_AND_NOT_SENT = {
    "a value that displays itself": (f"{SHOWS_ITSELF}A()", "shown"),
    "the same in a loop": (f"{SHOWS_ITSELF}for _ in range(2): display(A())\nA()", "shown"),
    "a value that cannot be shown": ("class B:\n    def __repr__(self): raise ValueError('no')\nB()", "no"),
    "a value that interrupts": ("class C:\n    def __repr__(self): raise KeyboardInterrupt\nC()", ""),
    "a value that leaves": ("class D:\n    def __repr__(self): raise SystemExit\nD()", "SystemExit"),
    "what is no JSON": ("get_ipython().display_pub.publish({'application/json': object()})", "TypeError"),
    "half a character": ("display({'text/plain': 'a\\ud83d'}, raw=True)", "a\ufffd"),
    "what a hook keeps": (KEEPS, "2"),
    "what is only made": ("get_ipython().kernel.session.msg('stream')\nprint(3)", "3"),
    "what a forked child shows": (FORKS, "4"),
}


@behaviour("client:output:not-sent")
@pytest.mark.parametrize("kind", MADE_AND_NOT_SENT)
def test_a_message_that_a_kernel_makes_and_does_not_send_is_not_missing(prepared: Run, kind: str) -> None:
    source, shown = MADE_AND_NOT_SENT[kind]
    result = prepared(source)
    assert result.detail == ""
    assert shown in str(result.outputs)
    assert for_model(prepared("print(15)")) == "Result: 15\n"


@behaviour("prelude:traceback:line")
@pytest.mark.parametrize("case", cases("raised"), ids=lambda case: case.title)
def test_the_line_that_raised_is_told_whatever_ran_after_it(prepared: Run, case: Case) -> None:
    said = for_model(prepared(case.source))
    assert case.agrees(said), said


@behaviour("prelude:traceback:group")
def test_the_traceback_of_a_group_begins_in_the_cell(prepared: Run) -> None:
    group = "raise ExceptionGroup('two', [ValueError('one')])"
    awaited = f"import asyncio\nasync def work():\n    {group}\nawait work()"
    chained = f"try:\n    {group}\nexcept ExceptionGroup as error:\n    raise KeyError('a') from error"
    for source in (group, awaited, chained):
        said = for_model(prepared(source))
        assert "interactiveshell" not in said
        assert said.count("two (1 sub-exception)") == 1
        assert '  File "<cell>", line' in said


@behaviour("prelude:traceback:unsayable")
@pytest.mark.parametrize("said", ["raise RuntimeError('no')", "return 3", "return self.none"])
def test_an_exception_that_cannot_say_what_it_is_is_told_once(prepared: Run, said: str) -> None:
    mute = f"class Mute(Exception):\n    def __str__(self):\n        {said}\n"
    assert for_model(prepared(f"{mute}raise Mute")) == (
        "Result:\n```output\nMute: <exception str() failed>\n  line 4: raise Mute\n```\n"
    )
    cause = prepared(
        f"{mute}try:\n    raise Mute\nexcept Mute as error:\n    raise ValueError('so') from error"
    )
    assert for_model(cause).count("Mute: <exception str() failed>") == 1
    assert len(cause.outputs) == 1


@behaviour("prelude:breakpoint:pdb")
@pytest.mark.parametrize("case", cases("debugger"), ids=lambda case: case.title)
def test_a_breakpoint_where_nobody_can_be_asked_is_an_error_at_its_line(prepared: Run, case: Case) -> None:
    said = for_model(prepared(case.source))
    assert case.agrees(said), said


@behaviour("prelude:breakpoint:pdb")
def test_a_breakpoint_asks_where_somebody_can_be_asked(session: Session) -> None:
    asked: SimpleQueue[Question | None] = SimpleQueue()
    running = session.begin("x = 6\nbreakpoint()\nx * 7", on_question=asked.put)
    for command in ("p x + 1", "c"):
        question = asked.get(timeout=BOUND)
        assert question is not None
        running.answer(question.id, Secret(command))
        assert asked.get(timeout=BOUND) is None
    result = running.wait(BOUND)
    assert result is not None
    assert "\n7\n" in for_model(result)
    assert "\n42\n" in for_model(result)
