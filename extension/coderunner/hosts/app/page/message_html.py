"""The messages of a conversation as safe HTML. Pure.

Everything from a model is escaped here. A block is a custom element, whose content comes from
`coderunner.page`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.conversation.message_parts import Message, Notice, Part, Prose, Thought
from coderunner.hosts.app.markdown import markdown_html
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import placeholder, read
from coderunner.text import terminal_text
from coderunner.text.file_sizes import in_words


@dataclass(frozen=True, slots=True)
class Html:
    """Safe HTML elements."""

    html: str
    closing: str = ""
    """The ends of elements that `html` leaves to the browser."""


def _same(thought: str) -> str:
    return thought


class Drawing:
    """Renders messages, and caches the HTML of parts that stay the same, since each update needs all."""

    def __init__(self, bare: Callable[[str], str] = _same) -> None:
        """`bare` removes the tags around a thought."""
        self._bare = bare
        self._cache: dict[int, tuple[Part | Message, object, tuple[Html, ...]]] = {}
        self._growing: dict[str, markdown_html.Growing] = {}
        """The growing text of each reply."""

    def contents(self, message: Message, versions: Sequence[int] = ()) -> list[Html]:
        """The HTML parts of a message; never empty. `versions`: the numbers of all its versions."""
        if message.role == "user":
            own = self._keep(message, lambda: (Html(said(message, versions)),), versions)
            return [*own, *([Html(read(message.late, LATE))] if message.late else [])]
        *before, last = message.parts or (None,)
        shown = [html for part in before if part is not None for html in self._part(part)]
        shown += self._last(message, last) if last is not None else []
        if message.finished:
            return [*shown, Html(foot(message, versions))]
        return shown if shown and _moves(message.parts[-1]) else [*shown, Html(DOTS)]

    def row(self, message: Message, versions: Sequence[int] = ()) -> str:
        """A finished message as one row, as the chat component shows it."""
        whole = "".join(part.html + part.closing for part in self.contents(message, versions))
        who = "user" if message.role == "user" else "bot"
        return (
            f'<div class="message-row bubble {who}-row"><div class="flex-wrap"><div class="message {who}">'
            f"{whole}</div></div></div>"
        )

    def _last(self, message: Message, part: Part) -> tuple[Html, ...]:
        if message.finished or not isinstance(part, Prose):
            self._growing.pop(message.reply, None)
            return self._part(part)
        before = self._growing.get(message.reply, markdown_html.Growing())
        now = self._growing[message.reply] = markdown_html.grown(before, part.text)
        *done, open_ = now.all
        return tuple(map(Html, (*done, OPEN.sub("", open_))))

    def _part(self, part: Part) -> tuple[Html, ...]:
        return self._keep(part, lambda: _drawn(part, self._bare))

    def _keep(
        self, what: Part | Message, draw: Callable[[], tuple[Html, ...]], besides: object = None
    ) -> tuple[Html, ...]:
        """What is drawn of something, and of what is `besides`."""
        # By identity: parts contain dictionaries, which cannot be hashed.
        kept = self._cache.get(id(what))
        if kept is None or kept[0] is not what or kept[1] != besides:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            kept = self._cache[id(what)] = (what, besides, draw())
        return kept[2]


OPEN = re.compile(r"(?:</[a-z0-9]+>\s*)+\Z")
"""The end of a growing text. Browsers close elements by themselves, so text that only grows is sent once."""

CACHED = 1000
"""The most parts and messages in the cache: more than a long conversation has."""

DOTS = '<div class="cr-dots" role="status" aria-label="Writing"><i></i><i></i><i></i></div>'


def foot(message: Message, versions: Sequence[int] = ()) -> str:
    """The line below a finished reply."""
    unit = "token" if message.tokens == 1 else "tokens"
    tokens = f"<span>{message.tokens:,} {unit}</span>" if message.tokens else ""
    return (
        '<div class="cr-foot">'
        # Without its text: the page has that already, and a click can ask for it as the model wrote it.
        f'<button type="button" data-cr="copy-text" data-cr-reply="{escape(message.reply)}">Copy</button>'
        f"{tokens}{switch(message, versions)}</div>"
    )


def said(message: Message, versions: Sequence[int] = ()) -> str:
    """A person's message, to be copied and edited as typed."""
    files, text = message.files, message.text
    chips = f'<ul class="cr-sent-files" aria-label="Files">{"".join(map(_file, files))}</ul>' if files else ""
    bubble = f'<div class="cr-said">{markdown_html.typed(text)}</div>' if text.strip() or not files else ""
    return (
        f'<div class="cr-own" data-cr-message="{message.number or 0}" data-cr-text="{escape(text)}">'
        f"{chips}{bubble}"
        '<div class="cr-deeds"><button type="button" data-cr="copy-own">Copy</button>'
        '<button type="button" data-cr="edit">Edit</button>'
        f"{switch(message, versions)}</div></div>"
    )


def switch(message: Message, versions: Sequence[int]) -> str:
    """The buttons that go from one version of a message to another; empty where it has only one."""
    if len(versions) < 2 or message.number not in versions:
        return ""
    at = versions.index(message.number)
    before = versions[at - 1] if at else None
    after = versions[at + 1] if at + 1 < len(versions) else None
    return (
        f'<div class="cr-versions" role="group" data-cr-number="{message.number}" '
        f'aria-label="Version {at + 1} of {len(versions)}">'
        f"{_to(before, 'Previous version', '‹')}<span>{at + 1}/{len(versions)}</span>"
        f"{_to(after, 'Next version', '›')}</div>"
    )


def _to(version: int | None, label: str, sign: str) -> str:
    where = "disabled" if version is None else f'data-cr-number="{version}"'
    name = f'title="{label}" aria-label="{label}"'
    return f'<button type="button" data-cr="version" {where} {name}>{sign}</button>'


THUMBNAILS = (".png", ".jpg", ".jpeg", ".gif", ".webp")
LARGEST_THUMBNAIL = 10_000_000
"""Bytes of a picture that the page loads to show it small."""


def _file(file: Attachment) -> str:
    """A file of a message: downloads it; the page adds the conversation to the link."""
    name = escape(terminal_text.visible(file.path))
    small = file.path.lower().endswith(THUMBNAILS) and file.size <= LARGEST_THUMBNAIL
    place = f'<code-runner-thumbnail data-path="{escape(file.path)}"></code-runner-thumbnail>'
    shown = place if small else ""
    return (
        f'<li><a href="coderunner/file?path={quote(file.path, safe="", errors="replace")}" data-cr-file '
        'target="_blank" rel="noopener noreferrer" '
        f'title="{name}">{shown}<bdi>{name}</bdi><small>{in_words(file.size)}</small></a></li>'
    )


def _moves(last: Part) -> bool:
    """Whether its look already shows that the reply goes on."""
    return isinstance(last, Prose) or (isinstance(last, Block) and last.state in LIVE)


LIVE = (State.WRITING, State.WAITING, State.QUEUED, State.RUNNING)

LATE = " before this message"


def _drawn(part: Part, bare: Callable[[str], str]) -> tuple[Html, ...]:
    match part:
        case Prose(text):
            return tuple(map(Html, markdown_html.whole(text)))
        case Thought(text):
            # The browser closes its elements, so the HTML grows only at its end.
            shown = escape(bare(text).strip(), quote=False)
            begun = f'<details class="cr-thought cr-fold"><summary>Thought</summary><div>{shown}'
            return (Html(begun, "</div></details>"),)
        case Notice(text):
            return (Html(f'<div class="cr-notice" role="status">{escape(text, quote=False)}</div>'),)
        case Block(id=identity):
            return (Html(placeholder(identity)),)
