"""Input that programs ask a person for, and the answers to come."""

import secrets
from concurrent.futures import Future

from coderunner.secret_value import Secret


class InputRequests:
    """The open requests by ticket: whoever has a ticket may answer once. May be used from any thread."""

    def __init__(self) -> None:
        self._awaited: dict[str, Future[Secret]] = {}

    def __len__(self) -> int:
        """The number of open requests."""
        return len(self._awaited)

    def expect(self) -> tuple[str, Future[Secret]]:
        """A ticket that cannot be guessed, and the answer to come."""
        ticket, answer = secrets.token_urlsafe(18), Future[Secret]()
        self._awaited[ticket] = answer
        return ticket, answer

    def give(self, ticket: str, text: Secret | None) -> bool:
        """Answer; None: the person declines. False if no request waits: only the first answer counts."""
        answer = self._awaited.pop(ticket, None)
        if answer is None or answer.done():
            return False
        if text is None:
            return answer.cancel()
        answer.set_result(text)
        return True

    def forget(self, ticket: str) -> None:
        """Close the request without an answer."""
        self._awaited.pop(ticket, None)
