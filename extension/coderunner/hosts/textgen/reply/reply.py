"""One reply in the webui, from its prompt to its end: the model's text with the results of its code.

The webui takes text that only grows: nothing that was given is ever taken back. This module follows its rules
about Stop, stop strings and the rate of updates.
"""

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from coderunner.ending_sentences import how_a_reply_ended
from coderunner.errors import CodeRunnerError
from coderunner.hosts.textgen.reply import output_placeholders, token_budget
from coderunner.hosts.textgen.reply.thought_tag_masking import ThoughtTagMasking
from coderunner.hosts.textgen.webui import webui_api
from coderunner.hosts.textgen.webui.loader_errors import LOADER_ERRORS
from coderunner.outputs import Aftermath, Result, Status
from coderunner.runner import (
    STOPPED,
    Beat,
    Ended,
    Event,
    Generate,
    Kernel,
    Part,
    Preparing,
    RunOptions,
    Say,
    Started,
    Turn,
    Waiting,
    converse_sync,
)

log = logging.getLogger(__name__)

APART = 0.002
"""Seconds between two updates: the webui drops one that comes within 1 ms of the one before."""

HEED = 5.0
"""Seconds for which a program may ignore Stop; then the reply ends without it."""

Base = Callable[[str, webui_api.State], Generator[str]]
"""The webui's own reply to a prompt: the text of the call, longer each time."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt and the parameters of the webui."""

    question: str
    """Ends with the existing part of the reply, byte for byte."""
    prior: str
    state: webui_api.State
    stops: Sequence[str]


@dataclass(slots=True)
class Speech:
    """The model's part of a reply: each call continues the whole reply so far."""

    prompt: Prompt
    base: Base
    exhausted: bool = False
    """The reply ended because the context is full, not because the model was done."""
    why: str = ""
    """Why the model's latest text ended too early, as a sentence for the user."""

    def generate(self, step: Generate) -> Generator[str]:
        """Give the model's next text, up to a stop string. Closing it closes the model's stream."""
        prompt = self.prompt
        more = step.reply[len(prompt.prior) :]
        state = token_budget.go_on(prompt.state, prompt.question, more, webui_api.tokens)
        if state is None:
            self.exhausted = True
            return
        stops = Stops(prompt.stops, more)
        text = ""
        with closing(self.base(prompt.question + more, state)) as texts:
            for text in LOADER_ERRORS.listen(texts):
                yield stops.receive(text)
                if stops.found:
                    return
        self.why = LOADER_ERRORS.take()
        if not self.why and token_budget.used_up(state, prompt.question + more, text, webui_api.tokens):
            self.why = how_a_reply_ended("length", empty=False)


class Stops:
    """Cuts a growing text at the first stop string: a back-end that batches may deliver past it."""

    def __init__(self, stops: Sequence[str], before: str) -> None:
        self._stops = stops
        self._longest = max(map(len, stops), default=0)
        self._before = before[-self._longest :] if self._longest else ""
        self._seen = 0
        self.found = False

    def receive(self, text: str) -> str:
        """Take the whole text so far; give the new part."""
        start = max(0, len(self._before) + self._seen - self._longest)
        window = (self._before + text)[start:]
        cuts = [at for stop in self._stops if (at := window.find(stop)) >= 0]
        end = len(text)
        if cuts:
            self.found = True
            end = max(start + min(cuts) - len(self._before), self._seen)
        new = text[self._seen : end]
        self._seen = max(self._seen, end)
        return new


class Page:
    """The text of the reply, and whether the webui has the latest of it."""

    def __init__(self, hidden: ThoughtTagMasking, before: str = "") -> None:
        """`before`: the reply so far with its markers, which the webui already has."""
        self.text = ""
        self._before = before
        self._placed = output_placeholders.opened(before)
        self._open = ""
        """The block whose result is next, or is being said."""
        self._told = False
        """A part of its result was said."""
        self.owed = False
        """The text has a result that the webui does not have yet."""
        self._hidden = hidden
        self._last = 0.0

    def place(self, identity: str) -> None:
        """Put the marker of a block below its fence, which was said last."""
        if identity == self._open:
            return
        self._open, self._told = identity, False
        if identity not in self._placed:
            ended = (self.text or self._before).endswith("\n")
            # If the fence ended without a line break, the text of the result begins with one.
            self.text += (
                output_placeholders.opening(identity) + "\n"
                if ended
                else f"\n{output_placeholders.opening(identity)}"
            )

    def say(self, say: Say) -> None:
        """Add what may be shown now."""
        if say.part is Part.RESULT:
            self._told = True
        else:
            self._end_place()
        self.text += self._hidden.receive(say.text, say.part)
        self.owed = self.owed or say.part is Part.RESULT

    def _end_place(self) -> None:
        if self._open and self._told:
            self.text += f"{output_placeholders.closing(self._open)}\n"
            self._open = ""

    def add(self, sentence: str) -> None:
        """Add a sentence of ours as a paragraph."""
        self._end_place()
        self.text += self._hidden.close()
        self.text += f"{'' if self.text.endswith(chr(10)) else chr(10)}\n{sentence}\n"

    def close(self) -> None:
        """Nothing more will be said."""
        self.text += self._hidden.close()
        self._end_place()

    @property
    def early(self) -> bool:
        """An update now would be dropped."""
        return time.monotonic() - self._last < APART

    def update(self) -> str:
        """The next update; waits if it would be dropped."""
        time.sleep(max(0.0, self._last + APART - time.monotonic()))
        self._last, self.owed = time.monotonic(), False
        return self.text


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that one reply needs."""

    turn: Turn
    speech: Speech
    kernel: Kernel
    options: RunOptions
    tags: Sequence[str]
    stopped: Callable[[], bool]
    api: bool = False
    streams: bool = True
    """The page shows the reply while it is written; otherwise it gets only the end."""
    watch: Callable[[Event], str] = lambda _event: ""
    """Called with each event; gives the id of a block that has its place in the reply from now on."""
    before: str = ""
    """The existing part of the reply, as the webui has it."""
    draws: bool = False
    """The page shows an element in place of our markers."""

    def give(self) -> Generator[str]:
        """Give the reply, longer each time. Closing it, from any thread, only posts an interrupt."""
        drawn = bool(webui_api.answer(self.speech.prompt.prior).strip())
        hidden = ThoughtTagMasking(
            self.tags, drawn=drawn, markers=output_placeholders.thought if self.draws else None
        )
        page = Page(hidden, self.before)
        try:
            yield from self._go(page)
            if self.speech.exhausted and not self.stopped():
                page.add(token_budget.exhausted(self.speech.prompt.state))
        except CodeRunnerError as failure:
            page.add(f"CodeRunner stopped: {failure}.")
        except Exception as failure:
            log.exception("a reply ended early")
            page.add(f"CodeRunner stopped with {type(failure).__name__}; see the webui's log.")
        page.close()
        yield from self._end(page)

    def _go(self, page: Page) -> Generator[str]:
        patience = Patience(self.stopped)
        events = converse_sync(
            self.turn, self.speech.generate, self.kernel, self.options, stopped=self.stopped
        )
        with closing(events):
            for event in events:
                if identity := self.watch(event):
                    page.place(identity)
                if isinstance(event, Say):
                    page.say(event)
                if isinstance(event, Waiting):
                    return  # the page presses Continue once the user has approved
                if isinstance(event, Ended) and event.result is STOPPED:
                    return  # it was not declined: the block stays as it is, and Continue asks again
                if patience.lost(event):
                    self._leave_it_running(page)
                    return
                # After Stop, the webui drops what we give and closes us.
                if _is_seen(event, page) and not self.stopped():
                    yield page.update()

    def _leave_it_running(self, page: Page) -> None:
        if self.turn.state == "running":
            for step in self.turn.receive_result(STUCK):
                if isinstance(step, Say):
                    page.say(step)

    def _end(self, page: Page) -> Generator[str]:
        """The last update, also after Stop: the results of code should stay in the reply."""
        if not self.stopped():
            yield page.update()
        elif not self.api and (page.owed or not self.streams):
            webui_api.set_stopped(False)
            try:
                yield page.update()
            finally:
                # Without streaming the webui keeps only the last update, and none while the flag is set.
                webui_api.set_stopped(self.streams)


def _is_seen(event: Event, page: Page) -> bool:
    """Whether to update the page: always, but for text only as often as it accepts."""
    match event:
        case Say():
            return page.owed or not page.early
        case Beat() | Started() | Preparing():
            return True
    return False


STUCK = Result(status=Status.INTERRUPTED, aftermath=Aftermath.BUSY)


class Patience:
    """Limits the wait for a program that ignores Stop."""

    def __init__(self, stopped: Callable[[], bool]) -> None:
        self._stopped = stopped
        self._since: float | None = None

    def lost(self, event: Event) -> bool:
        """Whether the wait after Stop has become too long."""
        if self._since is None:
            self._since = time.monotonic() if self._stopped() else None
            return False
        return isinstance(event, Beat) and time.monotonic() - self._since > HEED
