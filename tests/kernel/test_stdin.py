"""A program that asks a person, on each kind of kernel: `input()`, `getpass`, `pdb`."""

import logging
import queue
from collections.abc import Iterator

import pytest

from coderunner.kernel.execution import pending_request
from coderunner.kernel.execution.conclude_cell import ASKED_LATE
from coderunner.kernel.execution.running_cell import RunningCell
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.outputs import Aftermath, Question, Result, Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run
from tests.kernel.servers import Jupyter


class Person:
    """Somebody who reads what is asked and answers."""

    def __init__(self, session: Session, source: str, *, deadline: float = 30.0, limit: float = 0.0) -> None:
        self._asked: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self.screen = Screen()
        self.running: RunningCell = session.begin(
            source, deadline=deadline, limit=limit, on_output=self.screen, on_question=self._asked.put
        )

    def asked(self) -> Question:
        """The next question."""
        question = self._asked.get(timeout=BOUND)
        assert question is not None
        return question

    def withdrawn(self) -> bool:
        """Wait for the word that nothing is asked any more."""
        return self._asked.get(timeout=BOUND) is None

    def answer(self, question: Question, text: str) -> None:
        self.running.answer(question.id, Secret(text))

    def listens(self) -> None:
        """Be there after the deadline, too."""
        self.running.listen(self.screen, self._asked.put)

    def replies(self, text: str) -> Question:
        """Answer the next question; gives it."""
        question = self.asked()
        self.answer(question, text)
        assert self.withdrawn()
        return question

    def result(self) -> Result:
        result = self.running.wait(BOUND)
        assert result is not None
        return result


def printed(result: Result, *names: str) -> str:
    """What it printed; with `names` there alone: IPython may complain of an interrupt on stderr."""
    streams = (output for output in result.outputs if isinstance(output, Stream))
    return "".join(output.text for output in streams if not names or output.name in names)


@pytest.fixture
def everywhere(session: Session) -> Iterator[Session]:
    """A kernel that has nothing to say after the test."""
    yield session
    assert printed(run(session, "print('next')")) == "next\n"


@behaviour("cell:stdin:asks")
def test_a_program_gets_the_answer_and_the_output_reads_as_in_a_terminal(everywhere: Session) -> None:
    person = Person(everywhere, "name = input('Name? ')\nprint('Hello', name)")
    question = person.replies("Ann")
    assert (question.prompt, question.password) == ("Name? ", False)
    result = person.result()
    assert (result.status, printed(result)) == (Status.OK, "Name? Ann\nHello Ann\n")


@behaviour("cell:stdin:asks")
def test_several_questions_are_answered_one_after_the_other(everywhere: Session) -> None:
    person = Person(everywhere, "print('sum', sum(int(input(f'{n}: ')) for n in range(3)))")
    assert [person.replies(str(number)).prompt for number in (4, 5, 6)] == ["0: ", "1: ", "2: "]
    assert printed(person.result()) == "0: 4\n1: 5\n2: 6\nsum 15\n"


@behaviour("cell:stdin:asks")
def test_an_empty_prompt_and_an_empty_answer_are_both_fine(everywhere: Session) -> None:
    person = Person(everywhere, "input()")
    assert person.replies("").prompt == ""
    assert person.result().status is Status.OK


@behaviour("cell:stdin:asks")
def test_the_old_protocol_of_servers_asks_as_well(sessions: Sessions, hub: Jupyter) -> None:
    session = sessions.get("hub", Server(hub.url, Secret(hub.token)))
    person = Person(session, "print(input('? '))")
    person.replies("µ")
    assert printed(person.result()) == "? µ\nµ\n"


@behaviour("cell:stdin:debugger")
def test_a_debugger_can_be_used(everywhere: Session) -> None:
    source = "import pdb\ndef f(x):\n    pdb.set_trace()\n    y = x + 1\n    return y\nf(1)"
    for commands in (["n", "p y", "c"], ["q"]):
        person = Person(everywhere, source)
        for command in commands:
            assert person.replies(command).prompt.strip().lower().endswith("pdb>")
        result = person.result()
        if commands == ["q"]:
            assert result.status is Status.ERROR
        else:
            assert (result.status, "\n2\n" in printed(result)) == (Status.OK, True)


@behaviour("cell:stdin:password")
def test_a_password_stands_nowhere(
    everywhere: Session, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "canary-7f3a"
    person = Person(everywhere, "import getpass\np = getpass.getpass('Password: ')\nlen(p)")
    question = person.replies(secret)
    assert (question.prompt, question.password) == ("Password: ", True)
    result = person.result()
    assert printed(result) == "Password: \n"
    assert str(len(secret)) in str(result.outputs[-1])
    seen = [result, person.screen.changes, caplog.text, *capfd.readouterr()]
    assert secret not in repr(seen)


@behaviour("cell:stdin:one-line")
def test_of_an_answer_of_several_lines_the_first_is_the_answer(everywhere: Session) -> None:
    person = Person(everywhere, "print([input('a '), input('b ')])")
    person.replies("one\ntwo\r\nthree")
    assert person.replies("other").prompt == "b "
    assert "['one', 'other']" in printed(person.result())


@behaviour("cell:stdin:stale")
def test_a_late_answer_does_not_answer_the_next_question(everywhere: Session) -> None:
    person = Person(everywhere, "print([input('a '), input('b ')])")
    first = person.replies("one")
    second = person.asked()
    person.answer(first, "late")
    person.answer(second, "two")
    person.answer(second, "twice")
    assert "['one', 'two']" in printed(person.result())


@behaviour("cell:stdin:stale")
def test_an_answer_after_the_end_reaches_no_later_cell(everywhere: Session) -> None:
    earlier = Person(everywhere, "input('a ')")
    question = earlier.replies("one")
    earlier.result()
    person = Person(everywhere, "print(input('b '))")
    current = person.asked()
    earlier.answer(question, "late")
    person.answer(current, "two")
    assert printed(person.result()) == "b two\ntwo\n"


@behaviour("cell:stdin:withdrawn")
def test_stop_ends_a_program_that_asks(everywhere: Session) -> None:
    run(everywhere, "x = 7")
    person = Person(everywhere, "input('Name? ')")
    question = person.asked()
    person.running.interrupt()
    assert person.withdrawn()
    result = person.result()
    assert (result.status, result.aftermath) == (Status.INTERRUPTED, Aftermath.READY)
    assert printed(result, "stdout") == "Name? \n"
    person.answer(question, "late")
    assert printed(run(everywhere, "print(x)")) == "7\n"


@behaviour("cell:stdin:withdrawn")
def test_stop_ends_a_program_that_asks_again_and_again(session: Session) -> None:
    person = Person(session, "while True:\n  try: input('again? ')\n  except BaseException: pass")
    person.asked()
    person.running.interrupt()
    assert person.withdrawn()
    assert person.result().status is Status.INTERRUPTED
    assert printed(run(session, "print('next')")) == "next\n"


@behaviour("cell:stdin:withdrawn")
def test_a_kernel_that_dies_while_it_asks_withdraws_the_question(session: Session) -> None:
    source = (
        "import os, signal, threading\nthreading.Timer(0.3, os.kill, (os.getpid(), 9)).start()\ninput('? ')"
    )
    person = Person(session, source)
    person.asked()
    assert person.withdrawn()
    assert person.result().status is Status.DIED


@behaviour("cell:stdin:clock")
def test_while_a_person_is_asked_the_deadline_does_not_come(everywhere: Session) -> None:
    person = Person(everywhere, "import time\ninput('? ')\ntime.sleep(60)", deadline=0.7)
    question = person.asked()
    assert person.running.wait(1.5) is None
    person.answer(question, "now")
    result = person.result()
    assert (result.status, result.detail) == (Status.TIMEOUT, "the limit is 0.7 s")


@behaviour("cell:stdin:bounded")
def test_a_question_that_nobody_answers_ends_the_cell(
    everywhere: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_request, "ANSWER", 0.5)
    person = Person(everywhere, "input('? ')")
    person.asked()
    assert person.withdrawn()
    result = person.result()
    assert (result.status, result.aftermath) == (Status.TIMEOUT, Aftermath.READY)
    assert "nobody answered" in result.detail


LATE = "import time\ntime.sleep(1)\nprint('Hello', input('Name? '))"


@behaviour("cell:stdin:late")
def test_after_its_deadline_whoever_listens_is_asked(everywhere: Session) -> None:
    person = Person(everywhere, LATE, deadline=0.5, limit=60)
    assert person.result().aftermath is Aftermath.BUSY
    person.listens()
    assert person.replies("Ann").prompt == "Name? "
    result = person.running.settled.result(BOUND)
    assert (result.status, printed(result)) == (Status.OK, "Name? Ann\nHello Ann\n")


@behaviour("cell:stdin:late")
def test_after_its_deadline_a_question_for_which_nobody_listens_ends_the_cell(
    everywhere: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_request, "NOBODY", 0.2)
    person = Person(everywhere, LATE, deadline=0.5, limit=60)
    assert person.result().aftermath is Aftermath.BUSY
    result = person.running.settled.result(BOUND)
    assert (result.status, result.aftermath, result.detail) == (Status.TIMEOUT, Aftermath.READY, ASKED_LATE)


@behaviour("cell:stdin:thread")
def test_a_thread_that_asks_after_the_end_of_its_cell_asks_nobody_and_keeps_nobody_waiting(
    everywhere: Session,
) -> None:
    later = Screen()
    thread = (
        "import threading, time\n"
        "def work():\n"
        "    time.sleep(0.3)\n"
        "    try: input('late? ')\n"
        "    except EOFError: print('nobody is there')\n"
        "threading.Thread(target=work).start()"
    )
    started = everywhere.begin(thread, on_question=lambda _question: None, on_later=later).wait(BOUND)
    assert started is not None
    assert started.status is Status.OK
    assert later.wait_for("nobody is there")
    person = Person(everywhere, "print(input('mine? '))")
    assert person.replies("Ann").prompt == "mine? "
    assert printed(person.result()) == "mine? Ann\nAnn\n"


@behaviour("cell:stdin:untrusted")
def test_a_prompt_cannot_hide_anything(everywhere: Session) -> None:
    person = Person(
        everywhere, r"input('\x1b[31mred\x1b[0m \x1b]0;title\x07 \u202eevil ' + 'x' * 5000 + '\n? ')"
    )
    prompt = person.replies("").prompt
    assert prompt.startswith("red \\u001b]0;title\\u0007 \\u202eevil xxx")
    assert prompt.endswith("xxx\n? ")
    assert len(prompt) < 1100
    assert person.result().status is Status.OK


@behaviour("cell:stdin:untrusted")
def test_a_forged_request_asks_nobody_where_nobody_can_be_asked(everywhere: Session) -> None:
    forged = (
        "kernel = get_ipython().kernel\nidents, parent = kernel._parent_ident['shell'], kernel.get_parent()\n"
        "kernel.session.send(kernel.stdin_socket, 'input_request', {'prompt': 7}, parent, ident=idents)"
    )
    assert run(everywhere, forged).status is Status.OK
    person = Person(everywhere, f"{forged}\nimport time; time.sleep(0.3)")
    assert person.asked().prompt == ""
    assert person.withdrawn()
    assert person.result().status is Status.OK


THREAD = """
import threading
heard = []
def ask():
    try:
        heard.append(input("thread? "))
    except EOFError as error:
        heard.append(str(error))
asking = threading.Thread(target=ask)
asking.start()
"""


@behaviour("cell:stdin:threads")
def test_a_thread_asks_while_its_cell_runs(everywhere: Session) -> None:
    person = Person(everywhere, f"{THREAD}asking.join()\nprint(heard)")
    person.replies("Ann")
    assert "['Ann']" in printed(person.result())


@behaviour("cell:stdin:threads")
def test_a_thread_that_asks_on_after_its_cell_takes_no_other_cell_s_answer(everywhere: Session) -> None:
    begun = Person(everywhere, f"{THREAD}import time; time.sleep(1)")
    assert begun.asked().prompt == "thread? "
    begun.result()
    person = Person(everywhere, "name = input('cell? ')\nasking.join()\nprint(name, heard)")
    assert person.replies("Bob").prompt == "cell? "
    assert "Bob ['the block that started this thread has ended" in printed(person.result())


@behaviour("cell:stdin:threads")
def test_a_thread_that_begins_to_ask_after_its_cell_is_told_so(everywhere: Session) -> None:
    waits = THREAD.replace("    try:", "    go.wait()\n    try:").replace(
        "heard =", "go = threading.Event()\nheard ="
    )
    run(everywhere, waits)
    person = Person(everywhere, "go.set()\nasking.join()\nname = input('cell? ')\nprint(name, heard)")
    assert person.replies("Bob").prompt == "cell? "
    assert "Bob ['the block that started this thread has ended" in printed(person.result())


@behaviour("cell:stdin:threads")
def test_a_thread_and_its_cell_ask_one_after_the_other(everywhere: Session) -> None:
    person = Person(everywhere, f"{THREAD}name = input('cell? ')\nasking.join()\nprint(name, heard)")
    for _ in range(2):
        question = person.asked()
        person.answer(question, question.prompt.strip("? "))
        assert person.withdrawn()
    assert "cell ['thread']" in printed(person.result())
