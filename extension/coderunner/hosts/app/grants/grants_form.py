"""The part of the drawer that lists what a chat may reach beyond its folder."""

from html import escape
from typing import Any

import gradio as gr

from coderunner.hosts.app.grants.chat_grants import ChatGrants, GrantedInChats

OWN = "Code in this chat uses its own folder, {folder}"
ONLY = f"{OWN}. When a block needs more, it says so, and you can allow it there."
MORE = f"{OWN}, and what you allowed. Remove a tick to take that back."


class GrantsForm:
    """A ticked line for each grant of the chat, and what settings grant to all chats."""

    def __init__(self, granted: GrantedInChats) -> None:
        self._granted = granted
        self._shown: dict[str, tuple[str, ChatGrants]] = {}
        """What each page shows: the conversation, and its grants."""
        self.words = gr.HTML(
            "",
            visible=granted.sandboxed,
            elem_id="cr-reach",
            elem_classes="cr-html",
            apply_default_css=False,
            padding=False,
            js_on_load=None,
        )
        self.list = gr.CheckboxGroup([], label="Allowed in this chat", visible=False, elem_id="cr-grants")

    @property
    def shown(self) -> list[Any]:
        """The components that `news` is for."""
        return [self.words, self.list]

    def news(self, page: str, conversation: str) -> list[Any]:
        """What has changed for a page since it was last given its news."""
        now = (conversation, self._granted.of(conversation))
        if self._shown.get(page) == now:
            return [gr.skip(), gr.skip()]
        self._shown[page] = now
        own = list(now[1].own)
        return [_words(now[1]), gr.CheckboxGroup(choices=own, value=own, visible=bool(own))]

    async def keep(self, page: str, conversation: str, kept: list[str]) -> tuple[list[Any], str]:
        """Take back what is not ticked any more; gives the news, and a sentence about it."""
        said = await self._granted.keep(conversation, kept)
        self._shown.pop(page, None)
        return self.news(page, conversation), said

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._shown.pop(page, None)


def _words(grants: ChatGrants) -> str:
    folder = escape(grants.folder, quote=False)
    own = f"<p>{(MORE if grants.own else ONLY).format(folder=folder)}</p>"
    listed = escape(", ".join(grants.everywhere))
    everywhere = f"<p>All chats, by settings: {listed}.</p>" if listed else ""
    return f'<h4 class="cr-h4">What code may reach</h4><div class="cr-help">{own}{everywhere}</div>'
