"""The form at the bottom of the page, for gradio 4.37, which the webui has, and for current versions.

Nothing secret is ever a component's value: the field of the token is always empty when the page is built.
Where the webui serves several people, what its operator chose is not even built.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from secrets import token_hex
from typing import Any

import gradio as gr
from gradio.context import Context

from coderunner.hosts.textgen.form import character_preset
from coderunner.hosts.textgen.form.handlers import Chat, FormHandlers, Line
from coderunner.hosts.textgen.form.reach_form import ReachForm
from coderunner.hosts.textgen.state.extension_state import ExtensionState
from coderunner.hosts.textgen.state.preferences import BLOCKS, DEADLINES
from coderunner.hosts.textgen.webui import webui_api
from coderunner.secret_value import Secret

KERNELS = [("Embedded", "embedded"), ("Jupyter server", "server")]
APPROVE = [
    ("Default (run in a sandbox or on a server, ask elsewhere)", "default"),
    ("Ask each time", "ask"),
    ("Automatically", "auto"),
    ("Never", "off"),
]
ON_TIMEOUT = [("Keep it running in the background", "detach"), ("Stop it", "interrupt")]
SAVED = "Saved; type to replace it"
KNOWN = "Known; type to replace it"
LEFT = Line("No longer waiting; the server may go on starting.").html
GREETING = "CodeRunner is on. Its form is below the chat: press Run to try it."

OLD = gr.__version__.startswith("4.")
PRIVATE: dict[str, Any] = {"api_name": False} if OLD else {"api_visibility": "private"}
"""Keeps the form's functions out of gradio's public API."""

QUEUED: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
"""For slow functions."""

UNQUEUED: dict[str, Any] = {"queue": False, **QUEUED}
"""For functions that are quick or must work during a reply: they skip the queue."""

PRESSED = "(_number, ...rest) => [window.coderunnerNumber?.() ?? '', ...rest]"
"""Reads the number of the block that the user saw."""

DOWNLOAD = """(text, status) => {
    if (!text) return [status];
    const [, said, notebook] = /^\\w+ ([^\\n]*)\\n(.*)$/s.exec(text);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([notebook], { type: "application/x-ipynb+json" }));
    link.download = "chat.ipynb";
    link.click();
    URL.revokeObjectURL(link.href);
    return [said];
}"""
"""Downloads the notebook in the browser."""

GO_ON = "(taken) => { if (taken) window.coderunnerGoOn?.(); }"
"""Makes the page continue the reply that ends with the block in the status bar."""

ANSWERED = "(_number, _line, ...rest) => [window.coderunnerNumber(), window.coderunnerLine(), ...rest]"
"""Reads the user's answer too; it is in no component's value, and the page forgets it."""


def build(extension: ExtensionState, *, first: Callable[[], str | None]) -> None:
    """Build the form inside the page that is being built."""
    Form(FormHandlers(extension, first=first)).build()


def _hint(token: object) -> str:
    return SAVED if token else "The server's token"


def at_each_visit(
    function: Callable[[], Any],
    outputs: Any,  # noqa: ANN401 - components
    *,
    how: Mapping[str, Any] = UNQUEUED,
) -> None:
    """Call when a page is opened or reloaded: initial values of components are fixed until a restart."""
    page = Context.root_block
    if page is not None:
        page.load(function, None, outputs, **how)


class Form:
    """The components, from top to bottom."""

    def __init__(self, panel: FormHandlers) -> None:
        self.panel = panel
        self.store = panel.extension.store
        self.chat = [
            webui_api.component(name) or gr.State(None) for name in ("unique_id", "character_menu", "mode")
        ]
        self.status: Any = gr.HTML(render=False, elem_classes="coderunner-status")

    def build(self) -> None:
        """Build the whole form."""
        free = not self.panel.locked
        new = free and self.store.new
        with gr.Accordion("CodeRunner", open=new, elem_id="coderunner-form"):
            if free:
                fields = self._kernel()
            with gr.Row():
                if free:
                    self._connect(*fields)
                self._test()
            self.status.render()
            at_each_visit(lambda: self.panel.status().html, self.status)
            with gr.Accordion("Options", open=False):
                self._buttons()
                if free:
                    self._choices()
                    self._instructions()
            reach = ReachForm(self.panel.extension, self.chat, UNQUEUED)
            reach.build(free=free)
        reach.listen(free=free)
        self.bar()
        if free:
            at_each_visit(self._greet, None, how=QUEUED)

    def _greet(self) -> None:
        """Say where the form is, the first time that a page is opened."""
        if self.store.greet():
            gr.Info(GREETING)

    def say(self, event: Callable[..., Any], does: Callable[..., Line], *inputs: Any) -> Any:  # noqa: ANN401
        """Show the answer of `does` to an event, at once."""
        return event(lambda *values: does(*values).html, list(inputs) or None, self.status, **UNQUEUED)

    def _kernel(self) -> tuple[Any, ...]:
        chosen = self.store.get
        with gr.Row():
            kind = gr.Radio(KERNELS, value=lambda: chosen().kernel, label="Kernel")
            name = gr.Dropdown(
                [chosen().kernel_name],
                value=lambda: chosen().kernel_name,
                label="Kernel name",
                info="Connect to fill this list.",
                allow_custom_value=True,
            )
        with gr.Row(visible=chosen().kernel == "server") as server:
            found = gr.Dropdown([], label="Found on this computer", visible=False)
            address = gr.Textbox(
                value=lambda: chosen().server,
                label="Jupyter server address",
                info="Copy it from your browser.",
                max_lines=1,
            )
            token = gr.Textbox(
                type="password", label="Token", info="Stored in a file that only you can read.", max_lines=1
            )

        def seen() -> tuple[Any, ...]:
            here = self.panel.found()
            return (
                gr.update(visible=chosen().kernel == "server"),
                gr.update(placeholder=_hint(chosen().token)),
                gr.update(choices=here, value=None, visible=bool(here)),
            )

        at_each_visit(seen, [server, token, found])
        found.input(
            lambda url: (url or gr.update(), gr.update(placeholder=KNOWN) if url else gr.update()),
            found,
            [address, token],
            **UNQUEUED,
        )
        self.say(kind.input, lambda value: self.panel.choose(kernel=value), kind).then(
            seen, None, [server, token, found], **UNQUEUED
        )
        self.say(name.input, lambda value: self.panel.choose(kernel_name=value or ""), name)
        return kind, address, token, name

    def _connect(self, kind: Any, address: Any, token: Any, name: Any) -> None:  # noqa: ANN401
        def connect(*values: str | None) -> tuple[Any, ...]:
            found = self.panel.connect(*(value or "" for value in values))
            kernels: dict[str, Any] = {"choices": list(found.kernels), "value": found.kernel_name}
            understood: dict[str, Any] = {"value": found.server} if found.server else {}
            emptied = gr.update(value="", placeholder=_hint(found.has_token))
            return (
                found.line.html,
                gr.update(**(kernels if found.kernels else {})),
                gr.update(**understood),
                emptied,
                gr.update(visible=found.startable),
                gr.update(visible=False),
            )

        def begin(*values: str | None) -> Iterator[tuple[Any, ...]]:
            line, keep = Line(""), [gr.update()] * 3
            with closing(self.panel.start()) as lines:
                for line in lines:
                    yield line.html, *keep, gr.update(visible=False), gr.update(visible=True)
            hidden = gr.update(visible=not line.good), gr.update(visible=False)
            yield connect(*values) if line.good else (line.html, *keep, *hidden)

        button = gr.Button("Connect", variant="primary")
        start = gr.Button("Start the server", visible=False)
        leave = gr.Button("Stop waiting", visible=False)
        place, shown = [kind, address, token, name], [self.status, name, address, token, start, leave]
        self.say(button.click, lambda: Line("Connecting …")).then(connect, place, shown, **QUEUED)
        begun = start.click(begin, place, shown, **QUEUED)
        hide = gr.update(visible=False)
        leave.click(
            lambda: (LEFT, hide, hide), None, [self.status, start, leave], cancels=[begun], **UNQUEUED
        )

    def _test(self) -> None:
        self._lasting(gr.Button("Run"), "Running …", self.panel.test)

    def _buttons(self) -> None:
        with gr.Row():
            interrupt, restart = gr.Button("Interrupt"), gr.Button("Restart kernel")
            self._notebook()
        self._lasting(restart, "Restarting …", self.panel.restart)
        self.say(interrupt.click, lambda *at: self.panel.interrupt(Chat(*at)), *self.chat)

    def _lasting(self, button: Any, word: str, does: Callable[[Chat], Line]) -> None:  # noqa: ANN401
        """Give a button a slow function; `word` is the status meanwhile."""
        self.say(button.click, lambda: Line(word)).then(
            lambda *at: does(Chat(*at)).html, self.chat, self.status, **QUEUED
        )

    def _notebook(self) -> None:
        history = webui_api.component("history")
        if history is None:
            return
        button = gr.Button("Download as a notebook")
        with gr.Row(elem_classes="coderunner-hidden"):
            text = gr.Textbox()

        def write(history: object, *at: Any) -> tuple[str, str]:  # noqa: ANN401 - what components hold
            text, line = self.panel.notebook(history, Chat(*at))
            # Only a changed value triggers the download: the same chat may be wanted twice.
            writing = Line("Writing the notebook …")
            return (f"{token_hex(4)} {line.html}\n{text}", writing.html) if text else ("", line.html)

        button.click(write, [history, *self.chat], [text, self.status], **QUEUED)
        # On change: a following call may run before the page has the values.
        text.change(None, [text, self.status], self.status, js=DOWNLOAD, **UNQUEUED)

    def _choices(self) -> None:
        chosen = self.store.get
        with gr.Row():
            active = gr.Checkbox(value=lambda: chosen().active, label="Enable CodeRunner")
            own = gr.Checkbox(value=lambda: chosen().own_blocks, label="Run ```python blocks in my messages")
            api = gr.Checkbox(value=lambda: chosen().api, label="Run code for API clients")
        approve = gr.Radio(APPROVE, value=lambda: chosen().approve, label="Run code")
        on_timeout = gr.Radio(ON_TIMEOUT, value=lambda: chosen().on_timeout, label="When a block times out")
        with gr.Row():
            deadline = gr.Slider(
                *DEADLINES, value=lambda: chosen().deadline, step=1, label="Timeout (seconds)"
            )
            blocks = gr.Slider(
                *BLOCKS, value=lambda: chosen().max_blocks, step=1, label="Max. blocks per reply"
            )
        events = {
            "active": active.input,
            "own_blocks": own.input,
            "api": api.input,
            "approve": approve.input,
            "on_timeout": on_timeout.input,
            "deadline": deadline.release,
            "max_blocks": blocks.release,
        }
        components = (active, own, api, approve, on_timeout, deadline, blocks)
        for (name, event), component in zip(events.items(), components, strict=True):
            self.say(event, lambda value, name=name: self.panel.choose(**{name: value}), component)

    def _instructions(self) -> None:
        with gr.Row():
            install = gr.Button("Install the character “CodeRunner”")
            message = webui_api.component("custom_system_message")
            if message is not None:
                teach = gr.Button("Add instructions to the system message (instruct mode)")
                teach.click(character_preset.with_instructions, message, message, **UNQUEUED)
                self.say(teach.click, lambda: Line(character_preset.ADDED))
        installed = self.say(install.click, self.panel.install)
        menu = webui_api.component("character_menu")
        if menu is not None:
            installed.then(lambda: gr.update(choices=webui_api.offer_characters()), None, menu, **UNQUEUED)

    def bar(self) -> None:
        """Hidden components that the page's script reads and presses."""
        with gr.Row(elem_classes="coderunner-hidden"):
            glance = gr.HTML(elem_id="coderunner-glance")
            number = gr.Textbox()
            line = gr.Textbox()
            taken = gr.Textbox()
            run, skip, interrupt, answer, cancel = (
                gr.Button(elem_id=f"coderunner-{what}")
                for what in ("run", "skip", "interrupt", "answer", "cancel")
            )
        at_each_visit(self.panel.address, glance)
        for button, word in ((run, True), (skip, False)):
            button.click(
                lambda pressed, *at, word=word: self.panel.answer(pressed or "", Chat(*at), run=word),
                [number, *self.chat],
                taken,
                js=PRESSED,
                **UNQUEUED,
            )
        taken.change(None, taken, None, js=GO_ON, **UNQUEUED)
        answer.click(
            lambda pressed, line, *at: self.panel.reply(pressed or "", Secret(line or ""), Chat(*at)),
            [number, line, *self.chat],
            None,
            js=ANSWERED,
            **UNQUEUED,
        )
        cancel.click(
            lambda pressed, *at: self.panel.reply(pressed or "", None, Chat(*at)),
            [number, *self.chat],
            None,
            js=PRESSED,
            **UNQUEUED,
        )
        self.say(interrupt.click, lambda *at: self.panel.interrupt(Chat(*at)), *self.chat)
