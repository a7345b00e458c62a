"""Tells whether a message of a kernel is missing, by the numbers in their ids.

Pure. ipykernel, like every kernel that stands on jupyter_client's `Session`, gives its messages ids that end
in a running number (`…_17`, `…_18`), over all its channels; the first that answers a request says that the
kernel is busy. A number that never came may be an answer to somebody else; that none is missing, though, is
certain.
"""

from coderunner.kernel.protocol.messages import Message

WIDEST_GAP = 10_000
"""Numbers missing at once above which nobody counts any more."""


class MessageGaps:
    """The numbers of what came since one request was sent."""

    __slots__ = (
        "_answer",
        "_begun",
        "_doubt",
        "_highest",
        "_lowest",
        "_missing",
        "_own",
        "_request",
        "_rest",
        "_series",
    )

    def __init__(self, request: str) -> None:
        self._request = request
        self._series = ""
        self._lowest = self._highest = self._own = -1
        self._missing: set[int] = set()
        self._answer = self._rest = -1
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
            if message.content.get("execution_state") == "idle":
                self._rest = max(self._rest, number)
            if message.channel == "shell":
                self._answer = number
        if number == self._highest + 1:
            self._highest = number
        else:
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
    def early(self) -> bool:
        """The word that the kernel is at rest is older than its reply: a program said it, not the kernel."""
        return 0 <= self._rest < self._answer

    @property
    def unnumbered(self) -> bool:
        """The kernel does not number its messages: nothing tells which of them was its last."""
        return self._doubt

    @property
    def whole(self) -> bool:
        """Every message came from the first to the last that answers the request."""
        return self._begun and not self._doubt and not self.gap

    @property
    def gap(self) -> bool:
        """Between messages that answer the request others did not come, whoever they were for."""
        return any(number < self._own for number in self._missing)
