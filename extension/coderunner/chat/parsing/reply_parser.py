"""A reply as events: fences and text from `fence_parser`, with the thought taken out by `reasoning`."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coderunner.chat.parsing import fence_parser
from coderunner.chat.parsing.fence_parser import FenceParser
from coderunner.chat.parsing.reasoning import Kind, Span, Thoughts
from coderunner.text.line_splitter import LineSplitter, several
from coderunner.text.surrogates import readable


@dataclass(frozen=True, slots=True)
class Thought:
    """Text that is thought, or a tag around it."""

    text: str
    stray: bool = False
    """A closing tag without an opening one: what stands before it was thought, too."""


Event = fence_parser.Event | Thought


def answers(event: Event, *, so_far: bool) -> bool:
    """Whether a reply says anything to a reader that is no thought, with this event and what was so far."""
    if isinstance(event, Thought):
        return so_far and not event.stray
    return so_far or readable(event.text)


class ReplyParser:
    """Reads a reply as a page renders it: thought first taken out, then CommonMark.

    The iterators are lazy: what a caller does not take from one is not read, so that nothing which the
    model said past a certain event has an effect.
    """

    __slots__ = ("_fences", "_lines", "_thoughts")

    def __init__(self, *, thinking: bool = False) -> None:
        self._lines = LineSplitter()
        self._thoughts = Thoughts(prompted=thinking)
        self._fences = FenceParser()

    @property
    def ending(self) -> str:
        """What closes the thought that is open; empty where none is."""
        return self._thoughts.ending

    def receive(self, delta: str) -> Iterable[Event]:
        """The events that are certain by now."""
        text = self._lines.certain(delta)
        if ("\n" in text or "\r" in text) and several(text):
            return self._read_lines(text)
        return self._read(text) if text else ()

    def text(self, delta: str) -> str | None:
        """The text that is certain by now, where the delta only goes on in a line of text; it is read then.

        None where there may be more to tell: nothing is read. `receive` would give the same.
        """
        if not self._fences.plain or "\n" in delta or "\r" in delta or self._lines.carries:
            return None
        text = self._thoughts.visible(delta)
        if text:
            self._fences.go_on(text)
        return text

    def thinks(self, delta: str) -> bool:
        """Whether the delta only goes on in a thought; it is read then, and is one such event."""
        return (
            self._thoughts.inside
            # Code is no thought, whatever it says. And half a line end is not the delta's own.
            and not (self._fences.inside or self._lines.carries or delta.endswith("\r"))
            and self._thoughts.thinks(delta)
        )

    def close(self) -> Iterator[Event]:
        """The rest, now that the reply is over."""
        for piece in self._lines.close():
            yield from self._read(piece)
        for span in self._thoughts.close():
            yield from self._span(span)
        yield from self._fences.close()

    def pass_over(self, text: str) -> None:
        """Read text of ours, whole lines, for what it does to the lines after it."""
        self._fences.receive(text)

    def discard(self) -> None:
        """Forget what was received and not yet read."""
        self._lines = LineSplitter()

    def _read_lines(self, text: str) -> Iterator[Event]:
        for piece in self._fences.cut(text):
            yield from self._read(piece)

    def _read(self, piece: str) -> Sequence[Event]:
        """The events of one piece. None of a piece follows on one that ends a block."""
        if not self._fences.inside:
            return self._read_text(piece)
        # A tag in code is code. A fence opens at the end of a line, where no tag is half-read.
        events = self._fences.read_inside(piece)
        outside = self._fences.outside()
        return [*events, *self._read_text(outside)] if outside else events

    def _read_text(self, piece: str) -> Sequence[Event]:
        text = self._thoughts.visible(piece)
        if text is not None:
            return self._fences.read(text) if text else ()
        events: list[Event] = []
        for span in self._thoughts.receive(piece):
            events += self._span(span)
        return events

    def _span(self, span: Span) -> Sequence[Event]:
        if span.kind is Kind.VISIBLE:
            return self._fences.read(span.text)
        if span.kind is Kind.THOUGHT:
            return [*self._fences.flush(), Thought(span.text)]
        before = self._fences.close()
        self._fences = FenceParser()  # what it has read was thought
        return [*before, Thought(span.text, stray=True)]
