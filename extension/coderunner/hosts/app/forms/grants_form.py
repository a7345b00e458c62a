"""The part of the drawer that shows what code of a chat may reach, allows more and takes it back."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

import gradio as gr

from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.hosts.app.forms import toast
from coderunner.hosts.app.forms.event_options import COMMAND, STREAM
from coderunner.hosts.app.forms.findings import finding
from coderunner.runner import ChatGrants, GrantKind, NotGrantable, Reach

OWN = "Code in this chat uses its own folder, {folder}"
ONLY = f"{OWN}. When a block needs more, it says so, and you can allow it there or here."
MORE = f"{OWN}, and what you allowed. Remove a tick to take that back."

KINDS: dict[str, GrantKind] = {
    "Read a folder": "read",
    "Read and write a folder": "write",
    "Reach a domain": "network",
    "Install packages with pip": "packages",
}
EXAMPLES: dict[GrantKind, tuple[str, str]] = {
    "read": ("Folder or file", "~/data"),
    "write": ("Folder or file", "~/data"),
    "network": ("Domain", "example.org"),
    "packages": ("", ""),
}
"""The label of the field, and an example."""


class GrantsForm:
    """A ticked line for each grant of the chat, what settings grant to all chats, and a field for more."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._granted = ChatGrants(writer.sessions, lambda: writer.choices.where)
        self._shown: dict[str, tuple[str, Reach]] = {}
        """What each page shows: the conversation, and its grants."""
        self.words = _html("cr-reach")
        self.list = gr.CheckboxGroup([], label="Allowed in this chat", visible=False, elem_id="cr-grants")
        first, kind = next(iter(KINDS.items()))
        label, example = EXAMPLES[kind]
        with gr.Column(visible=False, elem_id="cr-allow") as self.more:
            self.kind = gr.Dropdown(
                list(KINDS), value=first, label="Allow code in this chat to", elem_id="cr-allow-kind"
            )
            self.text = gr.Textbox(label=label, placeholder=example, max_lines=1, elem_id="cr-allow-text")
            self.allow = gr.Button("Allow", size="sm", elem_id="cr-allow-add")
        self.said = _html("cr-allow-said")

    @property
    def shown(self) -> list[Any]:
        """The components that `news` is for."""
        return [self.words, self.list, self.more, self.said]

    def listen(self, identity: gr.BrowserState, known: Callable[[str], Awaitable[object]]) -> None:
        """Connect the form to its handlers. `known`: the conversation of an id; None: there is none."""

        async def allow(identity: str, kind: str, text: str, request: gr.Request) -> list[Any]:
            if await known(identity) is None:
                return [gr.skip()] * 5
            return await self._allow(str(request.session_hash), identity, KINDS[kind], text)

        async def keep(identity: str, kept: list[str], request: gr.Request) -> list[Any]:
            return await self._keep(str(request.session_hash), identity, kept)

        typed = [identity, self.kind, self.text]
        self.kind.input(self._ask_for, [self.kind], [self.text], **COMMAND)
        self.list.input(keep, [identity, self.list], self.shown, **STREAM)
        self.allow.click(allow, typed, [*self.shown, self.text], **STREAM)
        self.text.submit(allow, typed, [*self.shown, self.text], **STREAM)

    def news(self, page: str, conversation: str) -> list[Any]:
        """What has changed for a page since it was last given its news."""
        before, now = self._shown.get(page), (conversation, self._granted.of(kernel_label(conversation)))
        if before == now:
            return [gr.skip()] * 4
        self._shown[page] = now
        own = list(now[1].own)
        same = before is not None and before[0] == conversation
        return [
            _words(now[1]),
            gr.CheckboxGroup(choices=own, value=own, visible=bool(own)),
            gr.Column(visible=not now[1].why_not),
            gr.skip() if same else "",
        ]

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._shown.pop(page, None)

    async def _ask_for(self, kind: str) -> gr.Textbox:
        label, example = EXAMPLES[KINDS[kind]]
        return gr.Textbox(label=label, placeholder=example, visible=bool(label))

    async def _allow(self, page: str, conversation: str, kind: GrantKind, text: str) -> list[Any]:
        """Allow what is typed, which stays in the field if it cannot be."""
        try:
            said = finding(await self._granted.add(kernel_label(conversation), kind, text), ok=True)
        except NotGrantable as why:
            return [*self.news(page, conversation)[:3], finding(str(why), ok=False), gr.skip()]
        return [*self.news(page, conversation)[:3], said, ""]

    async def _keep(self, page: str, conversation: str, kept: list[str]) -> list[Any]:
        """Take back what is not ticked any more."""
        _, shown = self._shown.get(page, ("", Reach()))
        if said := await self._granted.keep(kernel_label(conversation), shown.own, kept):
            toast.info(said, seconds=6)
        self._shown.pop(page, None)
        return self.news(page, conversation)


def _words(reach: Reach) -> str:
    title = '<h4 class="cr-h4">What code may reach</h4>'
    if reach.why_not:
        return f'{title}<div class="cr-help"><p>{escape(reach.why_not)}</p></div>'
    folder = escape(reach.folder, quote=False)
    own = f"<p>{(MORE if reach.own else ONLY).format(folder=folder)}</p>"
    listed = escape(", ".join(reach.everywhere))
    everywhere = f"<p>All chats, by settings: {listed}.</p>" if listed else ""
    return f'{title}<div class="cr-help">{own}{everywhere}</div>'


def _html(name: str) -> gr.HTML:
    return gr.HTML(
        "",
        elem_id=name,
        elem_classes="cr-html",
        apply_default_css=False,
        padding=False,
        js_on_load=None,
    )
