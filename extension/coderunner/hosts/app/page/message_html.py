"""The messages of a conversation as safe HTML. Pure.

Everything from a model is escaped here. A block is a custom element, whose content comes from
`coderunner.page`.
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
    """Safe HTML elements."""

    html: str


def _same(thought: str) -> str:
    return thought


class Drawing:
    """Renders messages, and caches the HTML of parts that stay the same, since each update needs all."""

    def __init__(self, bare: Callable[[str], str] = _same) -> None:
        """`bare` removes the tags around a thought."""
        self._bare = bare
        self._cache: dict[int, tuple[Part | Message, tuple[Html, ...]]] = {}
        self._growing: dict[str, markdown_html.Growing] = {}
        """The growing text of each reply."""

    def contents(self, message: Message, number: int = 0) -> list[Html]:
        """The HTML parts of a message; never empty. `number`: its index in the conversation."""
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
        # By identity: parts contain dictionaries, which cannot be hashed.
        kept = self._cache.get(id(what))
        if kept is None or kept[0] is not what:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            kept = self._cache[id(what)] = (what, draw())
        return kept[1]


OPEN = re.compile(r"(?:</[a-z0-9]+>\s*)+\Z")
"""The end of a growing text. Browsers close elements by themselves, so text that only grows is sent once."""

CACHED = 1000
"""The most parts and messages in the cache: more than a long conversation has."""

DOTS = '<div class="cr-dots" role="status" aria-label="Writing"><i></i><i></i><i></i></div>'


def foot(message: Message) -> str:
    """The line below a finished reply."""
    unit = "token" if message.tokens == 1 else "tokens"
    tokens = f"<span>{message.tokens:,} {unit}</span>" if message.tokens else ""
    return (
        '<div class="cr-foot">'
        # Without its text: the page has that already, and a click can ask for it as the model wrote it.
        f'<button type="button" data-cr="copy-text" data-cr-reply="{escape(message.reply)}">Copy</button>'
        f"{tokens}</div>"
    )


def said(text: str, number: int) -> str:
    """A person's message, number `number` of the conversation, to be copied and edited as typed."""
    return (
        f'<div class="cr-own" data-cr-message="{number}" data-cr-text="{escape(text)}">'
        f'<div class="cr-said">{markdown_html.typed(text)}</div>'
        '<div class="cr-deeds"><button type="button" data-cr="copy-own">Copy</button>'
        '<button type="button" data-cr="edit">Edit</button></div></div>'
    )


def _moves(last: Part) -> bool:
    """Whether its look already shows that the reply goes on."""
    return isinstance(last, Prose) or (isinstance(last, Block) and last.state in LIVE)


LIVE = (State.WRITING, State.WAITING, State.QUEUED, State.RUNNING)

LATE = " before this message"


def _drawn(part: Part, bare: Callable[[str], str]) -> tuple[str, ...]:
    match part:
        case Prose(text):
            return markdown_html.whole(text)
        case Thought(text):
            # The browser closes its elements, so the HTML grows only at its end.
            shown = escape(bare(text).strip(), quote=False)
            return (f'<details class="cr-thought cr-fold"><summary>Thought</summary><div>{shown}',)
        case Notice(text):
            return (f'<div class="cr-notice" role="status">{escape(text, quote=False)}</div>',)
        case Block(id=identity):
            return (placeholder(identity),)
