"""The part of the drawer that shows what code of a chat may reach, allows more and takes it back."""

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

import gradio as gr

from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.hosts.app.forms import toast
from coderunner.hosts.app.forms.event_options import COMMAND, STREAM
from coderunner.hosts.app.forms.findings import finding
from coderunner.runner import GRANT_CHOICES, GRANT_FIELDS, ChatGrants, GrantKind, NotGrantable, Reach


class GrantsForm:
    """A ticked line for each grant of the chat, what settings grant to all chats, and a field for more."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._granted = ChatGrants(writer.sessions, lambda: writer.choices.where)
        self._shown: dict[str, tuple[str, Reach]] = {}
        """What each page was sent last: the conversation, and its grants."""
        self.words = _html("cr-reach")
        self.list = gr.CheckboxGroup([], label="Allowed in this chat", visible=False, elem_id="cr-grants")
        first, kind = next(iter(GRANT_CHOICES.items()))
        label, example = GRANT_FIELDS[kind]
        with gr.Column(visible=False, elem_id="cr-allow") as self.more:
            self.kind = gr.Dropdown(
                list(GRANT_CHOICES), value=first, label="Allow code in this chat to", elem_id="cr-allow-kind"
            )
            self.text = gr.Textbox(label=label, placeholder=example, max_lines=1, elem_id="cr-allow-text")
            self.allow = gr.Button("Allow", size="sm", elem_id="cr-allow-add")
        self.said = _html("cr-allow-said")
        self.seen = gr.Textbox("", visible="hidden", elem_id="cr-grants-seen")

    @property
    def shown(self) -> list[Any]:
        """The components that `news` is for."""
        return [self.words, self.list, self.seen, self.more, self.said]

    def listen(self, identity: gr.BrowserState, known: Callable[[str], Awaitable[object]]) -> None:
        """Connect the form to its handlers. `known`: the conversation of an id; None: there is none."""

        async def allow(identity: str, kind: str, text: str, request: gr.Request) -> list[Any]:
            if await known(identity) is None:
                return [gr.skip()] * 6
            return await self._allow(str(request.session_hash), identity, GRANT_CHOICES[kind], text)

        async def keep(identity: str, seen: str, kept: list[str], request: gr.Request) -> list[Any]:
            return await self._keep(str(request.session_hash), identity, seen, kept)

        typed = [identity, self.kind, self.text]
        self.kind.input(self._ask_for, [self.kind], [self.text], **COMMAND)
        self.list.input(keep, [identity, self.seen, self.list], self.shown, **STREAM)
        self.allow.click(allow, typed, [*self.shown, self.text], **STREAM)
        self.text.submit(allow, typed, [*self.shown, self.text], **STREAM)

    async def news(self, page: str, conversation: str, seen: str | None = None) -> list[Any]:
        """What has changed for a page since it was last given its news.

        `seen`: what it shows, where it says so: of two news that are on their way, the older may arrive last.
        """
        label = kernel_label(conversation)
        before, now = self._shown.get(page), (conversation, await self._granted.look(label))
        if before == now and seen in (None, self._granted.seen(label)):
            return [gr.skip()] * 5
        self._shown[page] = now
        own = list(now[1].own)
        same = before is not None and before[0] == conversation
        return [
            _words(now[1]),
            gr.CheckboxGroup(choices=own, value=own, visible=bool(own)),
            self._granted.seen(label),
            gr.Column(visible=not now[1].why_not),
            gr.skip() if same else "",
        ]

    async def is_new(self, page: str, conversation: str, seen: str | None) -> bool:
        """Whether there are news for a page; `seen` as there, None while nothing of the form is drawn."""
        label = kernel_label(conversation)
        if self._shown.get(page) != (conversation, await self._granted.look(label)):
            return True
        return seen not in (None, self._granted.seen(label))

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._shown.pop(page, None)

    async def _ask_for(self, kind: str) -> gr.Textbox:
        label, example = GRANT_FIELDS[GRANT_CHOICES[kind]]
        return gr.Textbox(label=label, placeholder=example, visible=bool(label))

    async def _allow(self, page: str, conversation: str, kind: GrantKind, text: str) -> list[Any]:
        """Allow what is typed, which stays in the field if it cannot be."""
        try:
            said = finding(await self._granted.add(kernel_label(conversation), kind, text), ok=True)
        except NotGrantable as why:
            return [*(await self.news(page, conversation))[:-1], finding(str(why), ok=False), gr.skip()]
        return [*(await self.news(page, conversation))[:-1], said, ""]

    async def _keep(self, page: str, conversation: str, seen: str, kept: list[str]) -> list[Any]:
        """Take back what is not ticked any more."""
        if said := await self._granted.keep(kernel_label(conversation), seen, kept):
            toast.info(said, seconds=6)
        self._shown.pop(page, None)
        return await self.news(page, conversation)


def _words(reach: Reach) -> str:
    said = "".join(f"<p>{escape(each, quote=False)}</p>" for each in reach.sentences)
    return f'<h4 class="cr-h4">What code may reach</h4><div class="cr-help">{said}</div>'


def _html(name: str) -> gr.HTML:
    return gr.HTML(
        "",
        elem_id=name,
        elem_classes="cr-html",
        apply_default_css=False,
        padding=False,
        js_on_load=None,
    )
