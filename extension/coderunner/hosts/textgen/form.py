"""The form at the foot of the page; its components are in gradio 4.37, the webui's, as well as in today's.

Nothing secret is ever a component's value: the field of the token is always empty when the page is built.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.context import Context

from coderunner.hosts.textgen import preset, webui
from coderunner.hosts.textgen.door import Door
from coderunner.hosts.textgen.panel import Chat, Line, Panel
from coderunner.hosts.textgen.preferences import BLOCKS, DEADLINES

KERNELS = [("Embedded", "embedded"), ("Jupyter server", "server")]
APPROVE = [
    ("Default: ask on the embedded kernel, at once on a server", "default"),
    ("Ask before each block", "ask"),
    ("Run at once", "auto"),
    ("Run nothing", "off"),
]
SAVED = "saved; type to replace it"

OLD = gr.__version__.startswith("4.")
PRIVATE: dict[str, Any] = {"api_name": False} if OLD else {"api_visibility": "private"}
"""Keeps what the form does out of the list of functions that gradio offers to programs."""

QUEUED: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
"""For what takes its time."""

UNQUEUED: dict[str, Any] = {"queue": False, **QUEUED}
"""For what is quick or must work while a reply grows: it does not wait in line."""

PRESSED = "(_number, ...rest) => [window.coderunnerNumber?.() ?? '', ...rest]"
"""Fetches the number of the block that the person saw."""


def build(door: Door, *, first: Callable[[], str | None]) -> None:
    """Build the form inside the page that is being built."""
    panel = Panel(door, first=first)
    chat = [webui.component(name) or gr.State(None) for name in ("unique_id", "character_menu", "mode")]
    free = not panel.locked
    with gr.Accordion("CodeRunner", open=False, elem_id="coderunner-form"):
        status = gr.HTML(value=lambda: panel.status().html, elem_classes="coderunner-status")
        _kernel(panel, status, chat, free=free)
        _choices(panel, status, free=free)
        _preset(panel, status, free=free)
    _bar(panel, chat)


def at_each_visit(function: Callable[[], Any], outputs: Any) -> None:  # noqa: ANN401 - components
    """Call when a page is opened or reloaded: what components are built with lasts until a restart."""
    page = Context.root_block
    if page is not None:
        page.load(function, None, outputs, **UNQUEUED)


def _choices(panel: Panel, status: gr.HTML, *, free: bool) -> None:
    store = panel.door.store

    def keep(name: str) -> Callable[[Any], str]:
        return lambda value: panel.choose(**{name: value}).html

    with gr.Row():
        active = gr.Checkbox(value=lambda: store.get().active, label="Active", interactive=free)
        own = gr.Checkbox(
            value=lambda: store.get().own_blocks,
            label="Run my own ```python blocks first",
            interactive=free,
        )
        api = gr.Checkbox(
            value=lambda: store.get().api, label="Run code for API clients, too", interactive=free
        )
    approve = gr.Radio(
        APPROVE, value=lambda: store.get().approve, label="Before a block runs", interactive=free
    )
    with gr.Row():
        deadline = gr.Slider(
            *DEADLINES,
            value=lambda: store.get().deadline,
            step=1,
            label="Seconds for one block",
            interactive=free,
        )
        blocks = gr.Slider(
            *BLOCKS,
            value=lambda: store.get().max_blocks,
            step=1,
            label="Blocks in one reply",
            interactive=free,
        )
    names: dict[str, Any] = {"active": active, "own_blocks": own, "api": api, "approve": approve}
    for name, component in names.items():
        component.input(keep(name), component, status, **UNQUEUED)
    for name, slider in {"deadline": deadline, "max_blocks": blocks}.items():
        slider.release(keep(name), slider, status, **UNQUEUED)


def _kernel(panel: Panel, status: gr.HTML, chat: list[Any], *, free: bool) -> None:
    store = panel.door.store
    with gr.Row():
        kind = gr.Radio(KERNELS, value=lambda: store.get().kernel, label="Kernel", interactive=free)
        name = gr.Dropdown(
            [store.get().kernel_name],
            value=lambda: store.get().kernel_name,
            label="Kernel name",
            info="Connect fills the list.",
            allow_custom_value=True,
            interactive=free,
        )
    with gr.Row(visible=store.get().kernel == "server") as server:
        address = gr.Textbox(
            value=lambda: store.get().server,
            label="Address of the Jupyter server",
            info="As the browser shows it.",
            max_lines=1,
            interactive=free,
        )
        token = gr.Textbox(
            value="",
            type="password",
            label="Token",
            info="Kept in a file that only you can read.",
            max_lines=1,
            interactive=free,
        )
    with gr.Row():
        connect = gr.Button("Connect", variant="primary", interactive=free)
        test = gr.Button("Run")
        interrupt = gr.Button("Interrupt")
        restart = gr.Button("Restart kernel")

    def look(*values: str) -> tuple[str, Any, Any, Any]:
        found = panel.connect(*(value or "" for value in values))
        kernels = (
            gr.update(choices=list(found.kernels), value=found.kernel_name) if found.kernels else gr.update()
        )
        emptied = gr.update(value="", placeholder=SAVED if found.has_token else "")
        return (
            found.line.html,
            kernels,
            gr.update(value=found.server) if found.server else gr.update(),
            emptied,
        )

    connect.click(lambda: Line("Connecting …").html, None, status, **UNQUEUED).then(
        look, [kind, address, token, name], [status, name, address, token], **QUEUED
    )

    def saved() -> tuple[Any, Any]:
        chosen = store.get()
        placeholder = SAVED if chosen.token else "the server's token"
        return gr.update(visible=chosen.kernel == "server"), gr.update(placeholder=placeholder)

    at_each_visit(saved, [server, token])
    kind.input(lambda value: panel.choose(kernel=value).html, kind, status, **UNQUEUED).then(
        saved, None, [server, token], **UNQUEUED
    )
    name.input(lambda value: panel.choose(kernel_name=value or "").html, name, status, **UNQUEUED)
    test.click(lambda: Line("Running …").html, None, status, **UNQUEUED).then(
        lambda *at: panel.test(Chat(*at)).html, chat, status, **QUEUED
    )
    interrupt.click(lambda *at: panel.interrupt(Chat(*at)).html, chat, status, **UNQUEUED)
    restart.click(lambda *at: panel.restart(Chat(*at)).html, chat, status, **QUEUED)


def _preset(panel: Panel, status: gr.HTML, *, free: bool) -> None:
    with gr.Row():
        install = gr.Button("Install the character “CodeRunner”", interactive=free)
        message = webui.component("custom_system_message")
        if message is not None:
            teach = gr.Button("Add the lesson to the system message (mode instruct)")
            teach.click(preset.with_lesson, message, message, **UNQUEUED)
    install.click(lambda: panel.install().html, None, status, **UNQUEUED)


def _bar(panel: Panel, chat: list[Any]) -> None:
    """What the page's script reads and presses; never seen."""
    with gr.Row(elem_classes="coderunner-hidden"):
        glance = gr.HTML(elem_id="coderunner-glance")
        number = gr.Textbox()
        run = gr.Button(elem_id="coderunner-run")
        skip = gr.Button(elem_id="coderunner-skip")

    def answer(*, run: bool) -> Callable[..., None]:
        return lambda pressed, *at: panel.answer(pressed or "", Chat(*at), run=run)

    at_each_visit(panel.address, glance)
    run.click(answer(run=True), [number, *chat], None, js=PRESSED, **UNQUEUED)
    skip.click(answer(run=False), [number, *chat], None, js=PRESSED, **UNQUEUED)
