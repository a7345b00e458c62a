"""What the components of the page show of a conversation."""

from typing import Any

import gradio as gr

from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.page import html_fragments
from coderunner.hosts.app.page.message_html import Drawing, Html
from coderunner.runner import without_tags

ChatMessages = list[dict[str, Any]]
"""Messages as Gradio's chat component takes them."""

MessageParts = list[tuple[str, list[Html]]]
"""The role of each message and the HTML of its parts."""


class ComponentValues:
    """The values of the page's components, the same for each page that shows a conversation."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._writer = writer
        self._drawing = Drawing(without_tags)
        self._html_props = _html_props()

    def conversation(self, conversation: Conversation) -> list[Any]:
        """For the chat, the message box and the id."""
        return [self.messages(conversation), self.box(conversation), conversation.id]

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
        return html_fragments.status(status, self._writer.choices, from_file=from_file)

    def footnote(self, conversation: Conversation) -> str:
        """For the line below the message box."""
        return html_fragments.footnote(self._writer.choices, always=conversation.always)

    def messages(self, conversation: Conversation) -> ChatMessages:
        """For the chat."""
        return self.chat(self.message_parts(conversation))

    def message_parts(self, conversation: Conversation) -> MessageParts:
        """What the chat shows; equal to an earlier one where nothing has changed."""
        messages = enumerate(conversation.messages)
        return [(message.role, self._drawing.contents(message, number)) for number, message in messages]

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


def _html_props() -> dict[str, Any]:
    """What the chat component needs to know of an HTML part, the same for all of them."""
    part = gr.HTML(
        "", elem_classes="cr-html", apply_default_css=False, padding=False, js_on_load=None, render=False
    )
    props: dict[str, Any] = part.get_config()
    return {name: value for name, value in props.items() if name != "value"}
