"""What programs ask a person for beside or within a reply, and the answers to come."""

import secrets
from concurrent.futures import Future

from coderunner.secret import Secret


class InputRequests:
    """Those that are waited for, by ticket: whoever has it may answer, once. May be used from any thread."""

    def __init__(self) -> None:
        self._awaited: dict[str, Future[Secret]] = {}

    def __len__(self) -> int:
        """How many are waited for."""
        return len(self._awaited)

    def expect(self) -> tuple[str, Future[Secret]]:
        """A ticket that nobody can guess, and the answer to come."""
        ticket, answer = secrets.token_urlsafe(18), Future[Secret]()
        self._awaited[ticket] = answer
        return ticket, answer

    def give(self, ticket: str, text: Secret | None) -> bool:
        """Answer; None: they will not. False where nothing waits for it (any more): the first one counts."""
        answer = self._awaited.pop(ticket, None)
        if answer is None or answer.done():
            return False
        if text is None:
            return answer.cancel()
        answer.set_result(text)
        return True

    def forget(self, ticket: str) -> None:
        """Nobody waits for that answer any more."""
        self._awaited.pop(ticket, None)
