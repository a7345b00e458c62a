"""What waits for the user, and what is running: shown in the status bar, answered by its buttons."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import count
from threading import Lock

from coderunner.hosts.textgen.webui.bar_state_file import LONGEST
from coderunner.runner import Question, Run
from coderunner.secret_value import Secret


@dataclass(frozen=True, slots=True)
class Approval:
    """A block that waits for approval. `number` is never used twice."""

    number: int
    block: str
    """Its id."""
    ordinal: int
    source: str

    @property
    def size(self) -> str:
        """Its number of lines, in words."""
        lines = self.source.count("\n") or 1
        return f"{lines} line{'s' if lines != 1 else ''}"


@dataclass(frozen=True, slots=True)
class InputRequest:
    """A program's request for a line of input. `number` is never used twice."""

    number: int
    prompt: str
    password: bool
    choices: tuple[str, ...] = ()
    """The only answers, if it takes no others."""


@dataclass(frozen=True, slots=True)
class RunningBlock:
    """A running block."""

    ordinal: int
    waits: str = ""
    """What it waits for before it runs, in a few words."""


@dataclass(frozen=True, slots=True)
class DetachedBlock:
    """A block that keeps running in the background after its deadline; `block` is its id."""

    ordinal: int
    block: str = ""


def words(glance: InputRequest | Approval | RunningBlock | DetachedBlock, place: str) -> Mapping[str, object]:
    """What the bar says of it. `place`: where code runs."""
    match glance:
        case InputRequest(number=number, choices=()):
            text = _end_of(glance.prompt)
            text = text or f"The program is asking for {'a password' if glance.password else 'input'}"
            return {"kind": "query", "number": number, "text": text, "password": glance.password}
        case InputRequest(number=number, prompt=prompt, choices=choices):
            how = f" Type one of: {', '.join(choices)}."
            room = LONGEST - len(how)
            text = prompt if len(prompt) <= room else f"{prompt[: room - 1]}…"
            return {"kind": "query", "number": number, "text": text + how, "password": False}
        case Approval(number=number, size=size):
            text = f"Run the block above ({size}) in {place}?"
            return {"kind": "ask", "number": number, "text": text}
        case RunningBlock(ordinal=ordinal, waits=waits):
            return {"kind": "busy", "number": ordinal + 1, "waits": waits}
        case DetachedBlock(ordinal=ordinal):
            return {"kind": "late", "number": ordinal + 1}


def _end_of(prompt: str) -> str:
    """The end of a long prompt, which says what it asks for."""
    return prompt if len(prompt := prompt.strip()) <= LONGEST else f"… {prompt[2 - LONGEST :]}"


class BarState:
    """Those of all conversations; may be used from any thread."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._asked: dict[str, Approval] = {}
        self._words: dict[str, tuple[str, bool]] = {}
        """The code and the decision about a block, by its id; each is used for one run."""
        self._edits: dict[str, str] = {}
        """What is to run in place of a block's code, by its id."""
        self._queries: dict[str, tuple[InputRequest, Future[Secret]]] = {}
        self._busy: dict[str, RunningBlock] = {}
        self._late: dict[str, list[DetachedBlock]] = {}
        self._lock = Lock()

    def ask(self, conversation: str, block: str, run: Run) -> bool | None:
        """The decision about a block, given once; None: it waits for one, and blocks nothing else."""
        source = run.cell.source
        with self._lock:
            code, word = self._words.pop(block, ("", False))
            if code == source:
                self._asked.pop(conversation, None)
                return word
            ask = self._asked.get(conversation)
            if ask is None or (ask.block, ask.source) != (block, source):
                self._asked[conversation] = Approval(next(self._numbers), block, run.ordinal, source)
        return None

    def answer(self, conversation: str, number: int, *, run: bool) -> bool:
        """Decide about block `number`; False if it does not wait (any more)."""
        with self._lock:
            ask = self._asked.get(conversation)
            if ask is None or ask.number != number:
                return False
            self._words[ask.block] = ask.source, run
            return True

    def decide(self, block: str, source: str, *, run: bool, edited: str = "") -> None:
        """Decide about the block of that id with this code; `edited` is what runs in its place."""
        with self._lock:
            self._words[block] = source, run
            self._edits.pop(block, None)
            if edited:
                self._edits[block] = edited

    def edited(self, block: str) -> str:
        """What runs in place of the code of a block that may run; given once, empty if nothing does."""
        with self._lock:
            return self._edits.pop(block, "")

    def withdraw(self, conversation: str) -> None:
        """Note that the waiting block no longer waits: decisions about it are dropped."""
        with self._lock:
            ask = self._asked.pop(conversation, None)
            if ask is not None:
                self._words.pop(ask.block, None)
                self._edits.pop(ask.block, None)

    def inquire(self, conversation: str, question: Question) -> Future[Secret]:
        """Show a program's request for input; gives the future answer."""
        answer: Future[Secret] = Future()
        query = InputRequest(next(self._numbers), question.prompt, question.password, question.choices)
        with self._lock:
            self._queries[conversation] = (query, answer)
        return answer

    def reply(self, conversation: str, number: int, line: Secret | None) -> bool:
        """Answer request `number`, or cancel it with None.

        False if it is not open (any more).
        """
        with self._lock:
            query, answer = self._queries.get(conversation, (None, None))
            if query is None or answer is None or query.number != number:
                return False
            del self._queries[conversation]
        if line is None:
            return answer.cancel()
        if answer.set_running_or_notify_cancel():
            answer.set_result(line)
            return True
        return False

    def settle(self, conversation: str) -> None:
        """Note that the program no longer asks."""
        with self._lock:
            _, answer = self._queries.pop(conversation, (None, None))
        if answer is not None:
            answer.cancel()

    def begin(self, conversation: str, ordinal: int) -> None:
        """Note that a block starts."""
        self.withdraw(conversation)
        with self._lock:
            self._busy[conversation] = RunningBlock(ordinal)

    def prepare(self, conversation: str, words: str) -> None:
        """Note what the block waits for before it runs; empty: for nothing any more."""
        with self._lock:
            if (busy := self._busy.get(conversation)) is not None:
                self._busy[conversation] = RunningBlock(busy.ordinal, words)

    def go_on(self, conversation: str, late: DetachedBlock) -> None:
        """Note that a block keeps running in the background."""
        with self._lock:
            self._late.setdefault(conversation, []).append(late)

    def end(self, conversation: str, late: DetachedBlock) -> None:
        """Note that a background block has ended."""
        with self._lock:
            self._late[conversation].remove(late)
            if not self._late[conversation]:
                del self._late[conversation]

    def clear(self, conversation: str) -> None:
        """Note that no block of the reply runs any more; a request for input is withdrawn."""
        with self._lock:
            self._busy.pop(conversation, None)
        self.settle(conversation)

    def busy(self, conversation: str) -> RunningBlock | None:
        """The running block."""
        with self._lock:
            return self._busy.get(conversation)

    def query(self, conversation: str) -> InputRequest | None:
        """The open request for input."""
        with self._lock:
            return self._queries.get(conversation, (None,))[0]

    def glance(self, conversation: str) -> InputRequest | Approval | RunningBlock | DetachedBlock | None:
        """What the status bar should show now."""
        with self._lock:
            if conversation in self._queries:
                return self._queries[conversation][0]
            ask = self._asked.get(conversation)
            if ask is not None and ask.block not in self._words:
                return ask
            return self._busy.get(conversation) or next(iter(self._late.get(conversation, ())), None)
