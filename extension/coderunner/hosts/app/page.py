"""The page: where things stand on it, and which of them talk to the conversation.

The page shows the conversation and never is it: what the model gets comes from our own record, the chat
component is only ever written to.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from importlib.resources import files
from typing import Any

import gradio as gr

from coderunner.hosts.app import look
from coderunner.hosts.app.conversation import Conversation, Conversations
from coderunner.hosts.app.kernelform import KernelForm
from coderunner.hosts.app.modelform import ModelForm
from coderunner.hosts.app.offers import Offers
from coderunner.hosts.app.quiet import COMMAND, STREAM
from coderunner.hosts.app.view import Drawing, Html
from coderunner.hosts.app.writer import Writer
from coderunner.runner import Session

Messages = list[dict[str, Any]]

_HERE = files("coderunner.hosts.app")
# In the head and not as Gradio's `css`: it would put a selector of its own before each of ours.
HEAD = look.ICON + "".join(
    f"<{tag}>{_HERE.joinpath(name).read_text(encoding='utf-8')}</{tag}>"
    for tag, name in (("style", "block.css"), ("style", "page.css"), ("script", "page.js"))
)

LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]

TICK = 2.0
"""Seconds between two looks at the kernel and at what other tabs did."""

BUSY = "A reply is still being written. Stop it first."


def build(conversations: Conversations, writer: Writer, offers: Offers) -> gr.Blocks:
    """Give the page: one for all tabs; what each shows depends on the conversation that its browser names."""
    blocks = gr.Blocks(title="CodeRunner", analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        Page(conversations, writer, offers).listen(blocks)
    return blocks


class Page:
    """The parts of the page and what they do."""

    def __init__(self, conversations: Conversations, writer: Writer, offers: Offers) -> None:
        self.conversations = conversations
        self.writer = writer
        self.choices = writer.choices
        self.offers = offers
        self._drawing = Drawing()
        self._html = _html_props()
        self._following: set[str] = set()
        self._seen: dict[str, tuple[str, int]] = {}
        self._begun: dict[str, str] = {}
        self._lay_out()

    # --- where things stand -------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        # In the browser's storage: a reload and a second tab show the same conversation.
        self.identity = gr.BrowserState("", storage_key="coderunner", secret="coderunner")  # noqa: S106 - no secret
        self.timer = gr.Timer(TICK)
        # Counts the times that this page has to look at its conversation anew.
        self.pulse = gr.Number(0, visible="hidden", elem_id="cr-pulse")
        self._left()
        self._middle()
        self._right()

    def _left(self) -> None:
        with gr.Sidebar(position="left", width=264, elem_id="cr-left"):
            _piece(look.BRAND)
            self.new = gr.Button("New chat", elem_id="cr-new")
            _piece('<h4 class="cr-h4">Kernel</h4>')
            self.light = _piece("", "cr-kernel")
            with gr.Row(elem_classes="cr-pair"):
                self.interrupt = gr.Button("Interrupt", size="sm", elem_id="cr-interrupt", min_width=40)
                self.restart = gr.Button("Restart", size="sm", elem_id="cr-restart", min_width=40)
            _piece("", "cr-spring")
            with gr.Row(elem_classes="cr-pair"):
                self.settings = gr.Button("Settings", size="sm", elem_id="cr-settings", min_width=40)
                self.shade = gr.Button("Light / dark", size="sm", elem_id="cr-shade", min_width=40)

    def _middle(self) -> None:
        with gr.Column(elem_id="cr-main"):
            self.banner = _piece(look.banner(self.choices), "cr-top")
            self.chat = gr.Chatbot(
                elem_id="cr-chat",
                show_label=False,
                container=False,
                height="100%",
                scale=1,
                layout="bubble",
                buttons=["copy"],
                editable="user",
                sanitize_html=True,
                allow_tags=False,
                feedback_options=None,
                latex_delimiters=LATEX,
                placeholder=look.WELCOME,
                examples=[{"text": text} for text in look.EXAMPLES],
            )
            self.box = gr.Textbox(
                elem_id="cr-box",
                label="Message",
                show_label=False,
                container=False,
                placeholder="Ask something that needs computing",
                lines=1,
                max_lines=10,
                autofocus=True,
                submit_btn=True,
                stop_btn=False,
            )
            self.footnote = _piece(look.footnote(self.choices), "cr-bottom")

    def _right(self) -> None:
        self.drawer = gr.Sidebar(position="right", width=380, open=False, elem_id="cr-right")
        with self.drawer:
            _piece('<h3 class="cr-h3">Settings</h3>')
            with gr.Tabs(elem_id="cr-tabs"):
                with gr.Tab("Model", elem_id="cr-tab-model"):
                    self.model_form = ModelForm(self.choices, self.offers)
                with gr.Tab("Kernel", elem_id="cr-tab-kernel"):
                    self.kernel_form = KernelForm(self.choices, self.writer)

    # Handlers are coroutines, so that all of them run in the loop that the conversations live in.

    # --- what they do -------------------------------------------------------------------------------------

    def listen(self, blocks: gr.Blocks) -> None:
        """Connect the parts to what they do."""
        self._listen_to_the_chat(blocks)
        around = [self.light, self.banner, self.footnote]
        for changed in (*self.model_form.listen(), *self.kernel_form.listen(self.identity)):
            changed.then(self._look_around, [self.identity], around, **COMMAND)
        self.timer.tick(self._tick, [self.identity, self.pulse], [self.light, self.pulse], **COMMAND)
        self.interrupt.click(self._interrupt, [self.identity], [self.light], **COMMAND)
        self.restart.click(self._restart, [self.identity], [self.light], **STREAM)
        self.settings.click(self._draw, None, [self.drawer], **COMMAND)
        self.shade.click(None, None, None, js="() => window.coderunner.shade()", **COMMAND)

    def _listen_to_the_chat(self, blocks: gr.Blocks) -> None:
        whole = [self.chat, self.box, self.identity]
        forms = [*self.model_form.shown, *self.kernel_form.shown]
        around = [self.light, self.banner, self.footnote]
        # What may have to tell the person something goes through the queue: only there Gradio shows it.
        begins = [
            blocks.load(self._open, [self.identity], [*whole, *around, *forms], **COMMAND),
            self.box.submit(self._say, [self.box, self.identity], whole, **STREAM),
            self.chat.example_select(self._example, [self.identity], whole, **STREAM),
            self.chat.retry(self._retry, [self.identity], whole, **STREAM),
            self.chat.edit(self._edit, [self.identity], whole, **STREAM),
            self.pulse.change(self._reopen, [self.identity], whole, **COMMAND),
        ]
        for begin in begins:
            begin.then(self._follow, [self.identity], [self.chat], **STREAM).then(
                self._settle, [self.identity], [self.box, self.light, self.footnote], **COMMAND
            )
        blocks.unload(self._leave)
        self.box.stop(self._stop, [self.identity], None, **COMMAND)
        self.new.click(self._new, None, [*whole, self.light, self.footnote], **COMMAND)

    async def _open(self, identity: str, request: gr.Request) -> list[Any]:
        forms = [*self.model_form.values(), *self.kernel_form.values()]
        whole = self._whole(self._conversation(identity, request))
        return [*whole, *self._around(whole[2]), *forms]

    async def _reopen(self, identity: str, request: gr.Request) -> list[Any]:
        return self._whole(self._conversation(identity, request))

    async def _new(self) -> list[Any]:
        conversation = self.conversations.new()
        return [*self._whole(conversation), self._light(conversation), self._foot(conversation)]

    async def _say(self, text: str, identity: str, request: gr.Request) -> list[Any]:
        conversation = self._conversation(identity, request)
        taken = conversation.say(text)
        if not taken and conversation.busy:
            gr.Warning(BUSY)
        whole = self._whole(conversation)
        # A message that was not taken stays in the box.
        whole[1] = self._box(conversation, "") if taken else self._box(conversation)
        return whole

    async def _example(self, identity: str, picked: gr.SelectData, request: gr.Request) -> list[Any]:
        return await self._say(str(picked.value["text"]), identity, request)

    async def _retry(self, identity: str, request: gr.Request) -> list[Any]:
        conversation = self._conversation(identity, request)
        return self._again(conversation, taken=conversation.retry())

    async def _edit(self, identity: str, edited: gr.EditData, request: gr.Request) -> list[Any]:
        conversation = self._conversation(identity, request)
        index = edited.index if isinstance(edited.index, int) else -1
        return self._again(conversation, taken=conversation.edit(index, str(edited.value)))

    def _again(self, conversation: Conversation, *, taken: bool) -> list[Any]:
        if taken:
            gr.Info("The kernel keeps the variables of the reply that is gone.", duration=4)
        elif conversation.busy:
            gr.Warning(BUSY)
        return self._whole(conversation)

    def _conversation(self, identity: str, request: gr.Request) -> Conversation:
        """The conversation that a page shows.

        Somebody may be quicker than the page, which then does not know its conversation yet when they say
        something: whatever comes first begins it, and all that comes from the page later finds it.
        """
        page = str(request.session_hash)
        conversation = self.conversations.find(identity) or self.conversations.get(self._begun.get(page))
        self._begun[page] = conversation.id
        return conversation

    async def _leave(self, request: gr.Request) -> None:
        page = str(request.session_hash)
        self._seen.pop(page, None)
        self._begun.pop(page, None)

    async def _follow(self, identity: str, request: gr.Request) -> AsyncGenerator[Messages]:
        conversation, page = self.conversations.find(identity), str(request.session_hash)
        if conversation is None:
            return
        self._following.add(page)
        try:
            async for _ in conversation.follow():
                self._seen[page] = (conversation.id, conversation.version)
                yield self._messages(conversation)
        finally:
            self._following.discard(page)

    async def _look_around(self, identity: str) -> list[Any]:
        return self._around(identity)

    async def _settle(self, identity: str) -> list[Any]:
        conversation = self.conversations.get(identity)
        return [self._box(conversation), self._light(conversation), self._foot(conversation)]

    async def _stop(self, identity: str) -> None:
        if conversation := self.conversations.find(identity):
            conversation.stop()

    async def _tick(self, identity: str, pulse: float, request: gr.Request) -> list[Any]:
        conversation, page = self.conversations.find(identity), str(request.session_hash)
        if conversation is None:  # the page is still being opened, or the app was started anew
            return [gr.skip(), gr.skip()]
        now = (conversation.id, conversation.version)
        stale = page not in self._following and self._seen.get(page) != now
        self._seen[page] = now
        return [self._light(conversation), pulse + 1 if stale else gr.skip()]

    async def _interrupt(self, identity: str) -> Any:  # noqa: ANN401 - Gradio's word for no change has no type
        return await self._treat(identity, Session.interrupt)

    async def _restart(self, identity: str) -> Any:  # noqa: ANN401 - as above
        return await self._treat(identity, Session.restart)

    async def _treat(self, identity: str, treat: Callable[[Session], Awaitable[object]]) -> Any:  # noqa: ANN401
        if (conversation := self.conversations.find(identity)) is None:
            return gr.skip()
        await treat(self.writer.session(conversation.id))
        return self._light(conversation)

    async def _draw(self) -> gr.Sidebar:
        return gr.Sidebar(open=True)

    # --- what they show -----------------------------------------------------------------------------------

    def _whole(self, conversation: Conversation) -> list[Any]:
        return [self._messages(conversation), self._box(conversation), conversation.id]

    def _around(self, identity: str) -> list[Any]:
        conversation = self.conversations.get(identity)
        return [self._light(conversation), look.banner(self.choices), self._foot(conversation)]

    def _box(self, conversation: Conversation, value: str | None = None) -> gr.Textbox:
        changes: dict[str, Any] = {} if value is None else {"value": value}
        return gr.Textbox(submit_btn=not conversation.busy, stop_btn=conversation.busy, **changes)

    def _light(self, conversation: Conversation) -> str:
        return look.light(self.writer.session(conversation.id).light, self.choices)

    def _foot(self, conversation: Conversation) -> str:
        return look.footnote(self.choices, always=conversation.always)

    def _messages(self, conversation: Conversation) -> Messages:
        setting = self.choices.setting
        return [
            {
                "role": message.role,
                "content": [
                    {
                        "type": "component",
                        "component": "html",
                        "value": part.html,
                        "constructor_args": {},
                        "props": self._html,
                    }
                    if isinstance(part, Html)
                    else {"type": "text", "text": part.text}
                    for part in self._drawing.contents(message, setting)
                ],
            }
            for message in conversation.messages
        ]


def _piece(html: str, name: str | None = None) -> gr.HTML:
    return gr.HTML(
        html,
        elem_id=name,
        elem_classes="cr-html",
        apply_default_css=False,
        padding=False,
        js_on_load=None,
    )


def _html_props() -> dict[str, Any]:
    """What the chat component needs to know of an HTML part, the same for all of them."""
    part = gr.HTML(
        "", elem_classes="cr-html", apply_default_css=False, padding=False, js_on_load=None, render=False
    )
    props: dict[str, Any] = part.get_config()
    return {name: value for name, value in props.items() if name != "value"}
