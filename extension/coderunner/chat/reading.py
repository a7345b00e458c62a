"""A reply as events: fences and text from `fences`, with the thought taken out by `reasoning`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coderunner.characters import readable

from . import fences
from .fences import FenceParser
from .lines import Lines
from .reasoning import Kind, Span, Thoughts


@dataclass(frozen=True, slots=True)
class Thought:
    """Text that is thought, or a tag around it."""

    text: str
    stray: bool = False
    """A closing tag without an opening one: what stands before it was thought, too."""


Event = fences.Event | Thought


def answers(event: Event, *, so_far: bool) -> bool:
    """Whether a reply says anything to a reader that is no thought, with this event and what was so far."""
    if isinstance(event, Thought):
        return so_far and not event.stray
    return so_far or readable(event.text)


class ReplyReader:
    """Reads a reply as a page renders it: thought first taken out, then CommonMark.

    The iterators are lazy: what a caller does not take from one is not read, so that nothing which the
    model said past a certain event has an effect.
    """

    __slots__ = ("_fences", "_lines", "_thoughts")

    def __init__(self, *, thinking: bool = False) -> None:
        self._lines = Lines()
        self._thoughts = Thoughts(prompted=thinking)
        self._fences = FenceParser()

    @property
    def ending(self) -> str:
        """What closes the thought that is open; empty where none is."""
        return self._thoughts.ending

    def receive(self, delta: str) -> Iterator[Event]:
        """The events that are certain by now."""
        text = self._lines.certain(delta)
        if "\n" in text or "\r" in text:
            return self._read_lines(text)
        return iter(self._read(text) if text else ())

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
        self._lines = Lines()

    def _read_lines(self, text: str) -> Iterator[Event]:
        for piece in self._fences.cut(text):
            yield from self._read(piece)

    def _read(self, piece: str) -> Iterable[Event]:
        """The events of one piece. None of a piece follows on one that ends a block."""
        if not self._fences.inside:
            return self._read_text(piece)
        # A tag in code is code. A fence opens at the end of a line, where no tag is half-read.
        events = self._fences.read_inside(piece)
        outside = self._fences.outside()
        return [*events, *self._read_text(outside)] if outside else events

    def _read_text(self, piece: str) -> Iterable[Event]:
        if self._thoughts.passes(piece):
            return self._fences.read(piece)
        events: list[Event] = []
        for span in self._thoughts.receive(piece):
            events += self._fences.read(span.text) if span.kind is Kind.VISIBLE else self._span(span)
        return events

    def _span(self, span: Span) -> Iterator[Event]:
        match span.kind:
            case Kind.VISIBLE:
                yield from self._fences.read(span.text)
            case Kind.THOUGHT:
                yield from self._fences.flush()
                yield Thought(span.text)
            case Kind.STRAY:
                yield from self._fences.close()
                self._fences = FenceParser()  # what it has read was thought
                yield Thought(span.text, stray=True)
