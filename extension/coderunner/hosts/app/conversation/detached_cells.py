"""Blocks that run on after their deadline: what they show and ask, and how they end."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeVar

from coderunner.hosts.app.conversation.rerun import ChangeBlock
from coderunner.outputs import Question, Result
from coderunner.page import block_transitions
from coderunner.page.server.input_requests import InputRequests
from coderunner.runner import Change, Late, LateOutputRecorder
from coderunner.secret_value import Secret

Told = TypeVar("Told")


class DetachedCells:
    """The detached cells of one conversation; used in its event loop only."""

    def __init__(self, change: ChangeBlock, ended: Callable[[], None], answers: InputRequests) -> None:
        """`ended` is called when one has ended."""
        self._change = change
        self._ended = ended
        self._running: dict[str, Late] = {}
        self._answers = answers

    @property
    def busy(self) -> bool:
        """Whether one is running."""
        return bool(self._running)

    def listen(self, ticket: str, later: LateOutputRecorder | None) -> None:
        """Show the outputs of a block's threads and tasks after its end."""
        loop = asyncio.get_running_loop()

        def show(told: Change) -> None:
            self._change(ticket, lambda b: block_transitions.showed_later(b, told.index, told.output))

        if later is not None and ticket:
            later.listen(lambda told: _call_in_loop(loop, show, told))

    def follow(self, ticket: str, running: Late, result: Result) -> None:
        """Show the further outputs and the end of a block, wherever it is by then; `result`: so far."""
        loop = asyncio.get_running_loop()
        self._running[ticket] = running
        began = loop.time() - result.duration

        def show(told: Change) -> None:
            elapsed = loop.time() - began
            self._change(ticket, lambda b: block_transitions.late_showed(b, told.index, told.output, elapsed))

        def lose(lost: bool) -> None:  # noqa: FBT001 - as it is told
            self._change(ticket, lambda b: block_transitions.cut_off(b, lost))

        def ask(question: Question) -> Future[Secret]:
            own, answer = self._answers.expect()
            asked = replace(question, id=own)
            _call_in_loop(loop, lambda answer: self._inquire(ticket, asked, answer), answer)
            answer.add_done_callback(lambda _: _call_in_loop(loop, self._settle(ticket), asked))
            return answer

        running.listen(
            lambda told: _call_in_loop(loop, show, told), ask, lambda lost: _call_in_loop(loop, lose, lost)
        )
        running.settled.add_done_callback(lambda done: _call_in_loop(loop, self._end(ticket), done.result()))

    def act(self, ticket: str, verb: str) -> bool:
        """Handle a button of a detached cell; False if the ticket belongs to none."""
        if verb != "stop" or ticket not in self._running:
            return False
        self._running[ticket].interrupt()
        return True

    def _inquire(self, ticket: str, question: Question, answer: Future[Secret]) -> None:
        if not answer.done():
            self._change(ticket, lambda b: block_transitions.inquired(b, question))

    def _settle(self, ticket: str) -> Callable[[Question], None]:
        def settle(question: Question) -> None:
            self._answers.forget(question.id)
            self._change(ticket, lambda b: block_transitions.settled(b, question))

        return settle

    def _end(self, ticket: str) -> Callable[[Result], None]:
        def end(final: Result) -> None:
            self._running.pop(ticket, None)
            self._change(ticket, lambda b: block_transitions.ended(b, final))
            self._ended()

        return end


def _call_in_loop(loop: asyncio.AbstractEventLoop, act: Callable[[Told], None], told: Told) -> None:
    """Call `act` in the loop, from any thread; nothing happens if the loop has ended."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(act, told)
