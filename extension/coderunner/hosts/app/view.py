"""A conversation as what the page shows: Markdown of the model's, HTML of ours. Pure.

Whatever comes from a model is escaped here. A block is an element that the page room fills.
"""

from dataclasses import dataclass
from html import escape

from coderunner.hosts.app.transcript import Message, Notice, Part, Prose, Thought
from coderunner.page.block import Block, State
from coderunner.page.view import placeholder, read


@dataclass(frozen=True, slots=True)
class Markdown:
    """Text that the page renders as Markdown and sanitises."""

    text: str


@dataclass(frozen=True, slots=True)
class Html:
    """Elements of ours."""

    html: str


class Drawing:
    """Draws messages and keeps what it drew of parts that stay the same, since each frame asks for all."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Part, Markdown | Html]] = {}

    def contents(self, message: Message) -> list[Markdown | Html]:
        """What one message shows, in order; never empty."""
        if message.role == "user":
            return [Markdown(message.text), *([Html(read(message.late, LATE))] if message.late else [])]
        shown = [self._part(part) for part in message.parts]
        if message.finished:
            return [*shown, Html(foot(message))]
        return shown if shown and _moves(message.parts[-1]) else [*shown, Html(DOTS)]

    def _part(self, part: Part) -> Markdown | Html:
        # By identity: parts hold dictionaries of the kernel's, which have no hash.
        kept = self._kept.get(id(part))
        if kept is None or kept[0] is not part:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            kept = self._kept[id(part)] = (part, _drawn(part))
        return kept[1]


KEPT = 1000
"""Parts whose drawing is kept: more than a long conversation has."""

DOTS = '<div class="cr-dots" role="status" aria-label="Writing"><i></i><i></i><i></i></div>'


def foot(message: Message) -> str:
    """The quiet line below a finished reply."""
    tokens = f"<span>{message.tokens:,} tokens</span>" if message.tokens else ""
    return (
        '<div class="cr-foot">'
        f'<button type="button" data-cr="copy-text" data-cr-text="{escape(message.text)}">Copy</button>'
        f"{tokens}</div>"
    )


def _moves(last: Part) -> bool:
    """Its look already says that the reply goes on."""
    return isinstance(last, Prose) or (isinstance(last, Block) and last.state in LIVE)


LIVE = (State.WRITING, State.WAITING, State.QUEUED, State.RUNNING)

LATE = " of earlier blocks"


def _drawn(part: Part) -> Markdown | Html:
    match part:
        case Prose(text):
            return Markdown(text)
        case Thought(text):
            return Html(
                '<details class="cr-thought cr-fold"><summary>Thought</summary>'
                f"<div>{escape(text.strip(), quote=False)}</div></details>"
            )
        case Notice(text):
            return Html(f'<div class="cr-notice" role="status">{escape(text, quote=False)}</div>')
        case Block(id=identity):
            return Html(placeholder(identity))
