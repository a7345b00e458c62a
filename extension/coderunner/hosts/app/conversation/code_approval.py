"""Whether a cell may run: as the settings say, or as the person answers."""

import secrets
from collections.abc import Callable
from concurrent.futures import Future

from coderunner.hosts.app.choices.choices import Approve
from coderunner.runner import Run, granted


class CodeApproval:
    """The approvals of one conversation; used in its event loop only."""

    def __init__(self, mode: Callable[[], Approve]) -> None:
        self._mode = mode
        self.always = False
        """The person has said that cells of this conversation run without a question."""
        self._questions: dict[str, Future[bool]] = {}
        self._source = ""
        """The code that the person put in place of that which waited."""

    def __bool__(self) -> bool:
        """Whether a cell waits for an answer."""
        return bool(self._questions)

    def __contains__(self, ticket: str) -> bool:
        """Whether the cell of that ticket waits for an answer."""
        return ticket in self._questions

    def off(self) -> bool:
        """Code does not run at all."""
        return self._mode() == "off"

    @property
    def ticket(self) -> str:
        """The ticket of the cell that waits; only while one does."""
        return next(iter(self._questions))

    def ask(self, run: Run) -> Future[bool]:
        """Whether the cell may run; done at once unless the person has to answer."""
        if self._mode() == "auto" or self.always:
            return granted(run)
        question: Future[bool] = Future()
        self._questions = {secrets.token_urlsafe(18): question}
        return question

    def edited(self, _run: Run) -> str:
        """The code that the person put in place of the cell's; given once, empty if they changed nothing."""
        source, self._source = self._source, ""
        return source

    def decide(self, ticket: str, verb: str, source: str = "") -> bool:
        """Answer for a cell that waits; False where `verb` is no answer, or there has been one already.

        `source` is what the person wants to run in its place.
        """
        question = self._questions[ticket]
        if verb not in ("run", "always", "skip") or question.done():
            return False
        self.always = self.always or verb == "always"
        self._source = source
        question.set_result(verb != "skip")
        return True

    def clear(self) -> None:
        """No cell waits any more."""
        self._questions.clear()
