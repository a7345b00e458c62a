"""Between a cell that asks and the person who answers: one question at a time, answered or withdrawn."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack, nullcontext
from time import monotonic
from typing import Protocol

from coderunner.outputs import Question
from coderunner.secret_value import Secret

Ask = Callable[[Question], Future[Secret]]
"""Lays a question before a person; returns the answer to come. Whoever cancels that takes the question back:
we when nobody waits for it any more, the person to have the program interrupted."""


class StdinRequest(Protocol):
    """A cell that asks."""

    def answer(self, question: str, answer: Secret) -> None:
        """Answer the question of that id."""

    def interrupt(self) -> None:
        """Ask for the end of the cell."""


class StdinRequests:
    """What one cell asks; `paused` is entered for as long as a person is waited for."""

    def __init__(
        self, ask: Ask | None, paused: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._ask = ask
        self._paused = paused
        self._pause = ExitStack()
        self._open: Future[Secret] | None = None
        self._since = 0.0
        self._waited = 0.0

    @property
    def waited(self) -> float:
        """Seconds for which a person was waited for so far."""
        return self._waited + (monotonic() - self._since if self._open is not None else 0.0)

    def receive(self, question: Question | None, cell: StdinRequest) -> None:
        """Take what the cell asks; None: it asks no more."""
        self.close()
        if question is None or self._ask is None:
            return
        answer = self._open = self._ask(question)
        self._since = monotonic()
        self._pause.enter_context(self._paused())

        def pass_on(answer: Future[Secret]) -> None:
            if answer is not self._open:
                return  # we took it back
            try:
                cell.answer(question.id, answer.result())
            except CancelledError:
                cell.interrupt()

        answer.add_done_callback(pass_on)

    def close(self) -> None:
        """Take back what is open."""
        self._waited = self.waited
        self._pause.close()
        answer, self._open = self._open, None
        if answer is not None:
            answer.cancel()
