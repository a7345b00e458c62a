"""A conversation as what the page shows: HTML of ours. Pure.

Whatever comes from a model is escaped here. A block is an element that the page room fills.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from coderunner.hosts.app.conversation.message_parts import Message, Notice, Part, Prose, Thought
from coderunner.hosts.app.markdown import markdown_html
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import placeholder, read


@dataclass(frozen=True, slots=True)
class Html:
    """Elements of ours."""

    html: str


def _same(thought: str) -> str:
    return thought


class Drawing:
    """Draws messages and keeps what it drew of what stays the same, since each frame asks for all."""

    def __init__(self, bare: Callable[[str], str] = _same) -> None:
        """`bare` gives a thought without the tags that it came in."""
        self._bare = bare
        self._kept: dict[int, tuple[Part | Message, tuple[Html, ...]]] = {}
        self._growing: dict[str, markdown_html.Growing] = {}
        """What is being written in each reply."""

    def contents(self, message: Message, number: int = 0) -> list[Html]:
        """What one message shows, in order; never empty. `number`: which one of its conversation it is."""
        if message.role == "user":
            own = self._keep(message, lambda: (Html(said(message.text, number)),))
            return [*own, *([Html(read(message.late, LATE))] if message.late else [])]
        *before, last = message.parts or (None,)
        shown = [html for part in before if part is not None for html in self._part(part)]
        shown += self._last(message, last) if last is not None else []
        if message.finished:
            return [*shown, Html(foot(message))]
        return shown if shown and _moves(message.parts[-1]) else [*shown, Html(DOTS)]

    def _last(self, message: Message, part: Part) -> tuple[Html, ...]:
        if message.finished or not isinstance(part, Prose):
            self._growing.pop(message.reply, None)
            return self._part(part)
        before = self._growing.get(message.reply, markdown_html.Growing())
        now = self._growing[message.reply] = markdown_html.grown(before, part.text)
        *done, open_ = now.all
        return tuple(map(Html, (*done, OPEN.sub("", open_))))

    def _part(self, part: Part) -> tuple[Html, ...]:
        return self._keep(part, lambda: tuple(map(Html, _drawn(part, self._bare))))

    def _keep(self, what: Part | Message, draw: Callable[[], tuple[Html, ...]]) -> tuple[Html, ...]:
        # By identity: parts hold dictionaries of the kernel's, which have no hash.
        kept = self._kept.get(id(what))
        if kept is None or kept[0] is not what:
            if len(self._kept) >= KEPT:
                self._kept.clear()
            kept = self._kept[id(what)] = (what, draw())
        return kept[1]


OPEN = re.compile(r"(?:</[a-z0-9]+>\s*)+\Z")
"""The end of what is being written: browsers close elements by themselves; what only grows is sent once."""

KEPT = 1000
"""Parts and messages whose drawing is kept: more than a long conversation has."""

DOTS = '<div class="cr-dots" role="status" aria-label="Writing"><i></i><i></i><i></i></div>'


def foot(message: Message) -> str:
    """The quiet line below a finished reply."""
    unit = "token" if message.tokens == 1 else "tokens"
    tokens = f"<span>{message.tokens:,} {unit}</span>" if message.tokens else ""
    return (
        '<div class="cr-foot">'
        # Not its text: the page has been sent that once, and a click can ask for it as the model wrote it.
        f'<button type="button" data-cr="copy-text" data-cr-reply="{escape(message.reply)}">Copy</button>'
        f"{tokens}</div>"
    )


def said(text: str, number: int) -> str:
    """What a person said: message `number` of the conversation, to be copied and edited as it was typed."""
    return (
        f'<div class="cr-own" data-cr-message="{number}" data-cr-text="{escape(text)}">'
        f'<div class="cr-said">{markdown_html.typed(text)}</div>'
        '<div class="cr-deeds"><button type="button" data-cr="copy-own">Copy</button>'
        '<button type="button" data-cr="edit">Edit</button></div></div>'
    )


def _moves(last: Part) -> bool:
    """Its look already says that the reply goes on."""
    return isinstance(last, Prose) or (isinstance(last, Block) and last.state in LIVE)


LIVE = (State.WRITING, State.WAITING, State.QUEUED, State.RUNNING)

LATE = " before this message"


def _drawn(part: Part, bare: Callable[[str], str]) -> tuple[str, ...]:
    match part:
        case Prose(text):
            return markdown_html.whole(text)
        case Thought(text):
            # The browser closes its elements: so what is shown of one grows only at its end.
            shown = escape(bare(text).strip(), quote=False)
            return (f'<details class="cr-thought cr-fold"><summary>Thought</summary><div>{shown}',)
        case Notice(text):
            return (f'<div class="cr-notice" role="status">{escape(text, quote=False)}</div>',)
        case Block(id=identity):
            return (placeholder(identity),)
