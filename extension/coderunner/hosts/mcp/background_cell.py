"""A cell that outlives tool calls: they wait for it, send it input and stop it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import Literal

from coderunner.hosts.mcp.apps.app_blocks import Hear
from coderunner.outputs import Output, Question, Result, Status, Stream
from coderunner.runner import (
    Cell,
    Change,
    Connection,
    Ended,
    OutputDelta,
    Preparing,
    Run,
    RunOptions,
    Session,
    Shown,
    run_cell,
)
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)

TICK = 0.5
"""Seconds between two progress notifications: often enough for a person who waits."""
LAST_WORDS = 200
"""Characters of the last output in a progress notification."""

STARTS = "The kernel is still starting"
FAILED = "an error in CodeRunner itself; see its log"

Tell = Callable[[float, str], Awaitable[None]]
"""Called with the seconds since the call of the cell, and its last output or what it waits for."""


class BackgroundCell:
    """One cell, from the call that starts it to the one that reports its end."""

    def __init__(
        self, source: str, kernel: Session, options: RunOptions, shown: tuple[str, Hear] | None = None
    ) -> None:
        """`shown`: the name of the block that shows it, and what hears of it."""
        self.block = shown[0] if shown else ""
        """The name of the block that shows it; empty where none does."""
        self._hear = shown[1] if shown else None
        self.result: Result | None = None
        """Its result; None while it runs."""
        self.question: Question | None = None
        """Its open request for input."""
        self.told = False
        """Its end was reported."""
        self._kernel = kernel
        self._room = self._cut = ""
        self._called = monotonic()
        self._began = 0.0
        self._outputs: list[Output] = []
        self._news = OutputDelta()
        self._answer: Future[Secret] | None = None
        self._stop = asyncio.Event()
        self._settled = asyncio.Event()
        self._task = asyncio.create_task(
            self._drive(Run(Cell(source), 0), kernel, replace(options, ask=self._ask))
        )

    @property
    def waits(self) -> str:
        """What it waits for before it runs, in a few words."""
        starts = self.result is None and self._kernel.status.state == "starting"
        return self._room or (STARTS if starts else "")

    @property
    def state(self) -> Literal["running", "waiting_for_input", "waiting_for_kernel"]:
        """What it does until it ends."""
        if self.question is not None:
            return "waiting_for_input"
        return "waiting_for_kernel" if self.waits else "running"

    @property
    def seconds(self) -> float:
        """How long it has run, or has waited for its kernel."""
        if self.result is not None:
            return self.result.duration
        now = self._kernel.status
        if not self._began and now.state in ("idle", "busy"):
            # Kept, so that it never goes down: the kernel is idle again while its end is looked at.
            self._began = max(self._called, now.since)
        return monotonic() - (self._began or self._called)

    async def settle(self, within: float, tell: Tell) -> None:
        """Wait until it ends or asks for input, for at most `within` seconds."""
        until = monotonic() + within
        while not self._settled.is_set() and (left := until - monotonic()) > 0:
            try:
                async with asyncio.timeout(min(TICK, left)):
                    await self._settled.wait()
            except TimeoutError:
                await tell(monotonic() - self._called, self.waits or self._cut or self._last_words())

    def answer(self, text: Secret) -> bool:
        """Send it input; False if it does not ask for any."""
        answer, self._answer, self.question = self._answer, None, None
        if answer is None or answer.done():
            return False
        self._settled.clear()
        answer.set_result(text)
        return True

    def stop(self) -> None:
        """Interrupt it; returns at once."""
        self._stop.set()
        if self.result is None:
            self._settled.clear()

    def news(self) -> list[Output]:
        """Its output since the last call of this."""
        return [
            new
            for index, output in enumerate(self._outputs)
            for new in self._news.receive(Change(index, output))
        ]

    async def close(self) -> None:
        """Stop it and wait for its end, at most as long as its kernel takes to stop."""
        self.stop()
        await asyncio.wait({self._task})

    async def _drive(self, run: Run, kernel: Session, options: RunOptions) -> None:
        try:
            async for event in run_cell(run, kernel, options, self._stop, []):
                if self._hear is not None:
                    self._hear(event)
                match event:
                    case Preparing(words):
                        self._room = words
                    case Connection():
                        self._cut = event.words
                    case Shown(change):
                        self._show(change)
                    case Ended(result):
                        self._end(result)
        except Exception:
            # Nothing awaits this task, so a call that waits for the cell would wait forever.
            log.exception("running a cell failed")
        finally:
            if self.result is None:
                self._end(Result(tuple(self._outputs), Status.LOST, duration=self.seconds, detail=FAILED))
                if self._hear is not None and self.result is not None:
                    self._hear(Ended(self.result, 0))
            self._settled.set()

    def _end(self, result: Result) -> None:
        self._outputs = list(result.outputs)
        self.result, self.question, self._room = result, None, ""

    def _show(self, change: Change) -> None:
        if change.output is None:
            list(self._news.receive(change))
            del self._outputs[change.index :]
        else:
            self._outputs[change.index : change.index + 1] = [change.output]

    def _ask(self, question: Question) -> Future[Secret]:
        self.question, self._answer = question, Future()
        self._answer.add_done_callback(self._withdraw)
        self._settled.set()
        return self._answer

    def _withdraw(self, answer: Future[Secret]) -> None:
        if answer.cancelled() and answer is self._answer:
            self.question = self._answer = None

    def _last_words(self) -> str:
        texts = [output.text for output in self._outputs if isinstance(output, Stream)]
        return texts[-1][-LAST_WORDS:] if texts else ""
