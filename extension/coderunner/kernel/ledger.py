"""Tells whether a message of a kernel is missing, by the numbers in their ids.

Pure. ipykernel, like every kernel that stands on jupyter_client's `Session`, gives its messages ids that end
in a running number (`…_17`, `…_18`), over all its channels; the first that answers a request says that the
kernel is busy. A number that never came may be an answer to somebody else; that none is missing, though, is
certain.
"""

from coderunner.kernel.messages import Message

WIDEST_GAP = 10_000
"""Numbers missing at once above which nobody counts any more."""


class Ledger:
    """The numbers of what came since one request was sent."""

    __slots__ = ("_begun", "_doubt", "_highest", "_lowest", "_missing", "_own", "_request", "_series")

    def __init__(self, request: str) -> None:
        self._request = request
        self._series = ""
        self._lowest = self._highest = self._own = -1
        self._missing: set[int] = set()
        self._doubt = self._begun = False

    def note(self, message: Message) -> None:
        """Take note of a message, whoever it is for."""
        series, _, digits = message.id.rpartition("_")
        own = message.parent == self._request
        if not digits.isdecimal() or len(digits) > 18:
            self._doubt = self._doubt or own
            return
        number = int(digits)
        if not self._series and own:
            self._series, self._lowest, self._highest = series, number, number - 1
        if series != self._series or not series:
            return
        if own:
            self._own = max(self._own, number)
            self._begun = self._begun or message.content.get("execution_state") == "busy"
        self._enter(number, own=own)

    def _enter(self, number: int, *, own: bool) -> None:
        if not self._lowest - WIDEST_GAP <= number <= self._highest + WIDEST_GAP:
            self._doubt = self._doubt or own or number > self._highest
        elif number > self._highest:
            self._missing.update(range(self._highest + 1, number))
            self._highest = number
        elif number < self._lowest and own:
            # The reply is quicker than the first words on iopub; what was noted in between is not known.
            self._missing.update(range(number + 1, self._lowest))
            self._lowest = number
        else:
            self._missing.discard(number)

    @property
    def whole(self) -> bool:
        """Every message came from the first to the last that answers the request."""
        if self._doubt or not self._begun:
            return False
        return not any(number < self._own for number in self._missing)
