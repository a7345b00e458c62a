"""Tells whether a message of a kernel is missing, by the numbers in their ids.

Pure. ipykernel, like every kernel that stands on jupyter_client's `Session`, gives its messages ids that end
in a running number (`…_17`, `…_18`), over all its channels. A number that never came may be an answer to
somebody else; that none is missing, though, is certain.
"""

from coderunner.kernel.messages import Message

WIDEST_GAP = 10_000
"""Numbers missing at once above which nobody counts any more."""


class Ledger:
    """The numbers of what came since one request was sent."""

    __slots__ = ("_doubt", "_highest", "_missing", "_own", "_request", "_series")

    def __init__(self, request: str) -> None:
        self._request = request
        self._series = ""
        self._highest = self._own = -1
        self._missing: set[int] = set()
        self._doubt = False

    def note(self, message: Message) -> None:
        """Take note of a message, whoever it is for."""
        series, _, digits = message.id.rpartition("_")
        own = message.parent == self._request
        if not digits.isdecimal() or len(digits) > 18:
            self._doubt = self._doubt or own
            return
        number = int(digits)
        if not self._series and own:
            self._series, self._highest = series, number - 1
        if series != self._series or not series:
            return
        if number > self._highest + WIDEST_GAP:
            self._doubt = True
        elif number > self._highest:
            self._missing.update(range(self._highest + 1, number))
        else:
            self._missing.discard(number)
        self._highest = max(self._highest, number)
        if own:
            self._own = max(self._own, number)

    @property
    def whole(self) -> bool:
        """Every message came from the first to the last that answers the request."""
        return self._own >= 0 and not self._doubt and not any(number < self._own for number in self._missing)
