"""What the components of the page show of a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.page.message_html import Drawing, Html
from coderunner.runner import without_tags

ChatMessages = list[dict[str, Any]]
"""Messages as Gradio's chat component takes them."""

MessageParts = list[tuple[str, list[Html]]]
"""The role of each message and the HTML of its parts."""

FEW = 12
"""The most messages of which the chat component shows each by itself when a conversation is opened."""


def earlier(messages: Sequence[Message]) -> int:
    """How many of a conversation's messages are one piece of the chat when it is opened.

    The component makes several objects for each part of a message, some milliseconds of a page's time; the
    last turn is left to it, since it has the buttons for that.
    """
    if len(messages) <= FEW:
        return 0
    return max((at for at, message in enumerate(messages) if message.role == "user"), default=0)


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Messages in one piece, and what it was drawn of."""

    messages: Sequence[Message]
    versions: Sequence[Sequence[int]]
    html: Html

    def is_of(self, messages: Sequence[Message], versions: Sequence[Sequence[int]]) -> bool:
        same = len(messages) == len(self.messages) and all(map(_is, messages, self.messages))
        return same and versions == self.versions


def _is(one: object, other: object) -> bool:
    return one is other


class ComponentValues:
    """The values of the page's components, the same for each page that shows a conversation."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._writer = writer
        self._drawing = Drawing(without_tags)
        self._html_props = _html_props()
        self._earlier: dict[str, _Earlier] = {}
        """The last ones of each conversation."""

    def conversation(self, conversation: Conversation, earlier: int = 0) -> list[Any]:
        """For the chat, the message box and the id; the first `earlier` messages are one piece."""
        return [self.messages(conversation, earlier), self.box(conversation), conversation.id]

    def surroundings(self, conversation: Conversation, missing: str = "") -> list[Any]:
        """For the kernel's status, the banner and the footnote; `missing` is said in the banner."""
        banner = html_fragments.banner(self._writer.choices, missing)
        return [self.status(conversation), banner, self.footnote(conversation)]

    def box(self, conversation: Conversation, value: str | None = None) -> gr.Textbox:
        """For the message box, with a new text unless `value` is None."""
        changes: dict[str, Any] = {} if value is None else {"value": value}
        return gr.Textbox(submit_btn=not conversation.busy, stop_btn=conversation.busy, **changes)

    def status(self, conversation: Conversation) -> str:
        """For the kernel's status."""
        status = self._writer.session(conversation.id).status
        from_file = sum(block.imported for block in conversation.blocks())
        packages = len(self._writer.installed(conversation.id))
        return html_fragments.status(
            status, self._writer.choices, conversation.id, from_file=from_file, packages=packages
        )

    def footnote(self, conversation: Conversation) -> str:
        """For the line below the message box."""
        return html_fragments.footnote(self._writer.choices, always=conversation.always)

    def messages(self, conversation: Conversation, earlier: int = 0) -> ChatMessages:
        """For the chat."""
        return self.chat(self.message_parts(conversation, earlier))

    def message_parts(self, conversation: Conversation, earlier: int = 0) -> MessageParts:
        """What the chat shows; equal to an earlier one where nothing has changed."""
        versions, contents = conversation.versions, self._drawing.contents
        shown: MessageParts = [
            (message.role, contents(message, versions.get(message.number or 0, ())))
            for message in conversation.messages[earlier:]
        ]
        return [("assistant", [self._in_one(conversation, earlier)]), *shown] if earlier else shown

    def _in_one(self, conversation: Conversation, count: int) -> Html:
        """The first messages of a conversation as one piece; the same object while nothing in it changes."""
        messages, known = conversation.messages[:count], conversation.versions
        versions = [known.get(message.number or 0, ()) for message in messages]
        before = self._earlier.get(conversation.id)
        if before is None or not before.is_of(messages, versions):
            rows = "".join(map(self._drawing.row, messages, versions))
            if len(self._earlier) >= MOST_EARLIER:
                self._earlier.clear()
            html = Html(f'<div class="cr-earlier">{rows}</div>')
            before = self._earlier[conversation.id] = _Earlier(messages, versions, html)
        return before.html

    def chat(self, messages: MessageParts) -> ChatMessages:
        """For the chat, from what `message_parts` gave."""
        return [
            {
                "role": role,
                "content": [
                    {
                        "type": "component",
                        "component": "html",
                        "value": part.html,
                        "constructor_args": {},
                        "props": self._html_props,
                    }
                    for part in parts
                ],
            }
            for role, parts in messages
        ]


MOST_EARLIER = 20
"""Conversations of which these pieces are kept, some 200 kB each."""


def _html_props() -> dict[str, Any]:
    """What the chat component needs to know of an HTML part, the same for all of them."""
    part = gr.HTML(
        "", elem_classes="cr-html", apply_default_css=False, padding=False, js_on_load=None, render=False
    )
    props: dict[str, Any] = part.get_config()
    return {name: value for name, value in props.items() if name != "value"}
