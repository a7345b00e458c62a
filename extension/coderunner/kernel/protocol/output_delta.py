"""What is new of what a cell shows, for those who can only add to what they have told.

Pure.
"""

from collections.abc import Iterator
from operator import itemgetter

from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.outputs import NOTHING_OMITTED, Omission, Output, Stream


class OutputDelta:
    """Remembers what was told of each output of one cell."""

    def __init__(self) -> None:
        self._texts: dict[int, int] = {}
        """How many characters of the text at each index were told, or were missing then."""
        self._others: dict[int, Output] = {}

    def receive(self, change: Change) -> Iterator[Output]:
        """Return what a change has to add: the rest of a text, or an output whole; nothing where it is known.

        Of a text that grew faster than it was told, `Stream.omitted` counts what is missing before the rest.
        What was cleared is told anew when it is shown anew.
        """
        match change.output:
            case None:
                self._forget(change.index)
            case Stream() as stream:
                yield from self._rest(change.index, stream)
            case output if self._others.get(change.index) != output:
                self._others[change.index] = output
                yield output

    def _forget(self, index: int) -> None:
        self._texts = {at: told for at, told in self._texts.items() if at < index}
        self._others = {at: told for at, told in self._others.items() if at < index}

    def _rest(self, index: int, stream: Stream) -> Iterator[Stream]:
        """The rest of the head, and that of the tail with what is missing between the two."""
        told, missing = self._texts.get(index, 0), stream.omitted.characters
        at = stream.omitted.at if missing else len(stream.text)
        lost = max(at + missing - max(told, at), 0)
        head, tail = stream.text[told:at], stream.text[at + max(told - at - missing, 0) :]
        self._texts[index] = missing + len(stream.text)
        if head:
            yield Stream(stream.name, head)
        if tail:
            yield Stream(stream.name, tail, Omission(0, 0, lost) if lost else NOTHING_OMITTED)


class UnsentOutput:
    """What one cell showed since this was last taken: each output once, of a text only what is new."""

    def __init__(self) -> None:
        self._news = OutputDelta()
        self._changed: dict[int, Output] = {}

    def receive(self, change: Change) -> None:
        """Take note of a change."""
        if change.output is None:
            list(self._news.receive(change))
            self._changed = {at: output for at, output in self._changed.items() if at < change.index}
        else:
            self._changed[change.index] = change.output

    def take(self) -> tuple[Output, ...]:
        """Return what is new, in order."""
        changed, self._changed = sorted(self._changed.items(), key=itemgetter(0)), {}
        return tuple(new for at, output in changed for new in self._news.receive(Change(at, output)))
