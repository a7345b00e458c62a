"""One assistant turn as a state machine: deltas, ends and results in, steps for a driver out.

::

    start ──▶ generating ───────── Run ────────▶ running
              │    ▲ └─ receive                  │    │
              │    └─────── receive_result ──────┘    │
              │ close, stop, exceed, or a block       │ stop, exceed
              ▼ that a guard keeps from running       ▼
             done ◀───────────────────────────────────┘

The whole table stands at the end of this file. The turn does nothing by itself: it says which text to append,
what to run and when to let the model go on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import chain
from typing import Literal

from coderunner.chat.loop_guard import NOT_RUN, LoopGuard
from coderunner.chat.parsing.fence_parser import Text
from coderunner.chat.parsing.reply_parser import Event, ReplyParser, Thought, answers
from coderunner.chat.results.edited_code import edited_before_it_ran
from coderunner.chat.results.made_files import NO_LINKS
from coderunner.chat.results.result_text import DEFAULT_LIMITS, Heading, Limits, for_model
from coderunner.chat.runnable_block import SPACE, RunnableBlock, unanswered_cell
from coderunner.chat.steps import Finish, Generate, MergedSteps, Part, Prepare, Run, Say, Step, TurnResult
from coderunner.languages import PYTHON, Language, refusal
from coderunner.outputs import Cell, Result
from coderunner.text.surrogates import readable

# More blocks than this in one reply are a loop more often than an answer.
MAX_CELLS = 8

# An enumeration looks its members up at each access, and these are needed for each delta.
_TEXT, _THOUGHT, _CODE = Part.TEXT, Part.THOUGHT, Part.CODE


class State(StrEnum):
    """What a turn waits for."""

    GENERATING = auto()
    """The model's next delta, or its end."""
    RUNNING = auto()
    """A result."""
    DONE = auto()
    """Nothing."""


class Turn:
    """Reads one reply and says what to do about it.

    `prior` is reply text that exists already ("Continue", "Start reply with"): it is read, and never run. A
    fence that opens in it and closes in this turn runs. With `resume`, a block that ends it without a
    result runs first. `thinking` says that the prompt has opened a thought, so that the reply begins inside
    one. Where nobody says so, a block of that thought may run before its closing tag shows what it was.
    `forbidden` are the host's stop strings: results never contain one. `language` is what the kernel speaks:
    its blocks run, and those of other languages are told why they do not.
    """

    def __init__(
        self,
        *,
        prior: str = "",
        thinking: bool = False,
        resume: bool = False,
        max_cells: int = MAX_CELLS,
        limits: Limits = DEFAULT_LIMITS,
        forbidden: Sequence[str] = (),
        language: Language = PYTHON,
    ) -> None:
        self._enter(State.GENERATING)
        self._language = language
        self._reader = ReplyParser(thinking=thinking)
        self._block = RunnableBlock(language)
        self._pieces = [prior]
        self._prepared = self._answered = False
        self._ran = self._closed = 0
        self._running = Cell("")
        self._repeats = LoopGuard()
        self._max_cells = max_cells
        self._limits = limits
        self._forbidden = tuple(forbidden)
        self._waiting = unanswered_cell(prior, thinking=thinking, language=language) if resume else None
        self._ahead = self._read_prior(prior)

    @property
    def state(self) -> State:
        """What the turn waits for."""
        return self._state

    @property
    def reply(self) -> str:
        """The prior text and everything said."""
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]

    @property
    def answered(self) -> bool:
        """Whether anything was said beyond the prior text that a reader sees and that is no thought."""
        return self._ran > 0 or self._answered

    @property
    def ending(self) -> str:
        """What closes the thought that is open; empty where none is."""
        return self._reader.ending

    def start(self) -> list[Step]:
        """The first step: Generate, or Run where a block of the prior text waits for its result.

        Raises RuntimeError in a turn that has started already and does not wait for a model.
        """
        return self._row.start(self)

    def receive(self, delta: str) -> list[Step]:
        """What the model said. What it says after a closed block, before the result is given, is dropped."""
        return self._row.delta(self, delta)

    def close(self) -> list[Step]:
        """The model's stream has ended."""
        return self._row.end(self)

    def receive_result(
        self,
        result: Result,
        *,
        pictures: Sequence[str] = (),
        late: Sequence[TurnResult] = (),
        edited: Cell | None = None,
        links: Mapping[str, str] = NO_LINKS,
    ) -> list[Step]:
        """The result of the cell of the last Run: says the result and asks for the rest of the reply.

        What has come by now of earlier cells, `late`, is said first. `edited` is what ran in its place, since
        a person has changed it: that is said, too. `pictures` and `links` are as of `for_model`. Raises
        RuntimeError where nothing was to be run.
        """
        return self._row.result(self, [*late, TurnResult(result, pictures, Heading.RESULT, edited, links)])

    def stop(self) -> list[Step]:
        """A person wants no more. To keep a result that is known, give it first."""
        return self._row.stop(self)

    def exceed(self, why: str) -> list[Step]:
        """The reply has had all that it may have: what runs or is being written ends here."""
        return self._row.exceed(self, why)

    # What the table refers to

    def _start(self) -> list[Step]:
        if self._waiting is not None:
            return self._run(self._waiting)
        warm: list[Step] = [Prepare()] if self._block.open else []
        self._prepared = self._block.open
        return [*warm, Generate(self.reply, "")]

    def _hear(self, delta: str) -> list[Step]:
        if not self._ahead and delta:
            # Most deltas are one of these two, and what they cost is what a reply costs.
            if (text := self._reader.text(delta)) is not None:
                self._answered = self._answered or readable(text)
                return self._hear_more(text, _TEXT)
            if self._reader.thinks(delta):
                return self._hear_more(delta, _THOUGHT)
        steps = self._read(self._reader.receive(delta))
        if self._state is not State.GENERATING:
            self._reader.discard()
        return steps

    def _end(self) -> list[Step]:
        steps = self._read(self._reader.close())
        return steps if self._state is not State.GENERATING else [*steps, self._finish("end")]

    def _break_off(self) -> list[Step]:
        self._enter(State.DONE)  # so that a closing fence which was still held back runs nothing
        return [*self._read(self._reader.close()), self._finish("stop")]

    def _answer(self, results: Sequence[TurnResult]) -> list[Step]:
        text = "\n".join(map(self._words, results))
        if word := self._repeats.receive(results[-1].edited or self._running, results[-1].result):
            text += f"({word})\n"
        said = self._say_below(text)
        self._enter(State.GENERATING)
        return [said, Generate(self.reply, text)]

    def _words(self, answer: TurnResult) -> str:
        ran = answer.edited or self._running
        told = for_model(
            answer.result,
            self._limits,
            forbidden=self._forbidden,
            pictures=answer.pictures,
            links=answer.links,
            heading=answer.heading,
            code=ran.source if answer.heading is Heading.RESULT else "",
        )
        if answer.edited is None:
            return told
        changed = edited_before_it_ran(self._running.source, ran.source, forbidden=self._forbidden)
        return f"{changed}{told}"

    def _stop(self) -> list[Step]:
        return [self._finish("stop")]

    def _cut_off(self, why: str) -> list[Step]:
        self._enter(State.DONE)
        said = self._read(self._reader.close())
        return [*said, self._say_below(f"(stopped: {why})\n", Part.TEXT), self._finish("limit")]

    def _nothing_more(self, _why: str) -> list[Step]:
        return []

    def _started(self) -> list[Step]:
        message = f"the turn has started already; it is {self._state}"
        raise RuntimeError(message)

    def _unasked(self, results: Sequence[TurnResult]) -> list[Step]:
        message = f"no cell waits for a result ({results[-1].result.status})"
        raise RuntimeError(message)

    def _drop(self, _delta: str) -> list[Step]:
        return []

    def _too_late(self, _results: Sequence[TurnResult]) -> list[Step]:
        return []

    def _nothing(self) -> list[Step]:
        return []

    # What they are made of

    def _hear_more(self, text: str, part: Part) -> list[Step]:
        if not text:
            return []
        self._pieces.append(text)
        return [Say(text, part)]

    def _enter(self, state: State) -> None:
        self._state, self._row = state, _TABLE[state]

    def _read_prior(self, prior: str) -> int:
        """Read what the reply holds already. Returns how much of its end is not yet in an event."""
        kept = prior.rstrip(SPACE) if self._waiting is not None else prior
        closed = self._reader.close() if self._waiting is not None else ()
        rest = self._reader.receive(prior[len(kept) :])
        read = 0
        for event in chain(self._reader.receive(kept), closed, rest):
            self._closed += self._block.follow(event) is not None
            read += len(event.text)
        return len(prior) - read

    def _read(self, events: Iterable[Event]) -> list[Step]:
        said = MergedSteps()
        for event in events:
            before = self._ahead
            if before < len(event.text) and not (self._answered and type(event) is not Thought):
                self._answered = answers(event, so_far=self._answered)
            if type(event) is Text or type(event) is Thought:
                self._say(said, event.text, _TEXT if type(event) is Text else _THOUGHT)
                continue
            part = _CODE if self._block.open else _TEXT
            cell = self._block.follow(event)
            self._closed += cell is not None
            if part is _TEXT and self._block.open:
                part = _CODE  # It has opened the block.
            self._say(said, event.text, part)
            if part is _CODE and not self._prepared:
                self._prepared = True
                said.add(Prepare())
            # A closing fence that the prior text held already is none of this turn's.
            if cell and self._state is State.GENERATING and len(event.text.rstrip(SPACE)) > before:
                return [*said.steps(), *self._run(cell)]
        return said.steps()

    def _say(self, said: MergedSteps, text: str, part: Part) -> None:
        """Say what is new of a text."""
        if self._ahead:
            text, self._ahead = text[self._ahead :], max(self._ahead - len(text), 0)
        if text:
            self._pieces.append(text)
            said.say(text, part)

    def _say_below(self, text: str, part: Part = Part.RESULT) -> Say:
        """Say a text of ours on lines of its own. It is read as the page reads it, and nothing in it runs."""
        if self._pieces[-1] and not self._pieces[-1].endswith(("\n", "\r")):
            text = f"\n{text}"
        self._pieces.append(text)
        self._answered = True
        self._reader.pass_over(text)
        return Say(text, part)

    def _run(self, cell: Cell) -> list[Step]:
        if self._repeats.stuck(cell):
            return self._refuse(NOT_RUN)
        if self._ran >= self._max_cells:
            return self._refuse(f"this reply has already run {self._ran} blocks")
        self._enter(State.RUNNING)
        self._running = cell
        self._prepared = True
        self._ran += 1
        why = refusal(self._language) if cell.language != self._language.name else ""
        return [Run(cell, self._closed - 1, why)]

    def _refuse(self, why: str) -> list[Step]:
        return [self._say_below(f"Result: (not run: {why})\n"), self._finish("limit")]

    def _finish(self, reason: Literal["end", "stop", "limit"]) -> Finish:
        self._enter(State.DONE)
        return Finish(reason)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a turn does in one state, for each thing that can happen to it."""

    start: Callable[[Turn], list[Step]]
    delta: Callable[[Turn, str], list[Step]]
    end: Callable[[Turn], list[Step]]
    result: Callable[[Turn, Sequence[TurnResult]], list[Step]]
    stop: Callable[[Turn], list[Step]]
    exceed: Callable[[Turn, str], list[Step]]


# fmt: off
_TABLE: Mapping[State, _Row] = {
    State.GENERATING: _Row(
        start=Turn._start,   delta=Turn._hear, end=Turn._end,     result=Turn._unasked,
        stop=Turn._break_off, exceed=Turn._cut_off,
    ),
    State.RUNNING: _Row(
        start=Turn._started, delta=Turn._drop, end=Turn._nothing, result=Turn._answer,
        stop=Turn._stop,      exceed=Turn._refuse,
    ),
    State.DONE: _Row(
        start=Turn._started, delta=Turn._drop, end=Turn._nothing, result=Turn._too_late,
        stop=Turn._nothing,   exceed=Turn._nothing_more,
    ),
}
# fmt: on
