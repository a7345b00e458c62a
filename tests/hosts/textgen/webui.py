"""Drives the double: a person at the page, an API client, and the program around them."""

import contextvars
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Literal, cast

import gradio as gr
from fastapi import FastAPI
from starlette.routing import BaseRoute

REPOSITORY = Path(__file__).parents[3]
DOUBLE = Path(__file__).parent / "double"
sys.path.insert(0, str(DOUBLE))

from llama import LlamaServer  # noqa: E402
from modules import chat, extensions, html_generator, shared  # noqa: E402

Folder = Literal["user_data/extensions", "extensions"]
BETWEEN = 0.02
"""Seconds after which a step is surely in our hands: the webui's own part takes a millisecond."""

PATIENCE = 60.0
"""Seconds for one step of a reply: a kernel starts within them on a busy machine."""


def step(function: Callable[[], Any]) -> Any:
    """Call in a thread of its own, as the webui's pool may do with each step of one reply."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((function(), None))
        except BaseException as failure:
            outcome.append((None, failure))

    # Who asked (gradio's context) goes along, the thread does not.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,))
    thread.start()
    thread.join(PATIENCE)
    assert outcome, "a step of the reply did not end"
    value, failure = outcome[0]
    if failure is not None:
        raise failure
    return value


def stepped(generator: Generator[Any]) -> Iterator[Any]:
    """Each step in another thread."""
    end = object()
    while (value := step(lambda: next(generator, end))) is not end:
        yield value


@dataclass
class Webui:
    """One started program, with the page that shows one chat."""

    root: Path
    model: LlamaServer = field(default_factory=lambda: LlamaServer([]))
    state: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=lambda: {"internal": [], "visible": [], "metadata": {}})
    pages: list[str] = field(default_factory=list)
    """What the page showed, step by step, in the latest reply."""
    waits_since: float | None = None
    """When the page began to wait for the next step, by the monotonic clock."""

    def start(self, *names: str, folder: Folder = "user_data/extensions", multi_user: bool = False) -> None:
        """Start with these extensions; ours comes from `folder`."""
        shared.args.extensions = list(names or ("CodeRunner",))
        shared.args.multi_user = multi_user
        place = self.root / folder / "CodeRunner"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(REPOSITORY)
        shared.model, shared.model_name = self.model, "scripted"
        extensions.load_extensions()

    def restart(self) -> None:
        """Session > Apply and restart: the same process, the extensions loaded anew."""
        extensions.load_extensions()

    @property
    def extension(self) -> ModuleType:
        """Our extension as the webui has loaded it."""
        loaded = extensions.state["CodeRunner"][1]
        assert isinstance(loaded, ModuleType)
        return loaded

    # -- chats ----------------------------------------------------------------------------------------

    @property
    def chat(self) -> tuple[str, str, str]:
        """The chat that the page shows, as the webui keeps it."""
        state = self.parameters()
        return state["unique_id"], state["character_menu"], state["mode"]

    def open(self, name: str) -> None:
        """Choose a chat in the list."""
        self.state["unique_id"] = name
        self.history = chat.load_history(*self.chat)

    def rename(self, name: str) -> None:
        """Give the chat another name; the page goes on with it."""
        chat.rename_history(self.chat[0], name, *self.chat[1:])
        self.state["unique_id"] = name

    def branch(self, name: str, rows: int = 99) -> None:
        """Branch the chat below a reply; the page goes on with the branch."""
        kept = {key: value[:rows] for key, value in self.history.items() if key != "metadata"}
        notes = {key: its for key, its in self.history["metadata"].items() if int(key.split("_")[-1]) < rows}
        chat.save_history(kept | {"metadata": notes}, name, *self.chat[1:])
        self.open(name)

    def delete(self) -> None:
        """Delete the chat."""
        chat.delete_history(*self.chat)

    # -- at the page ---------------------------------------------------------------------------------

    def says(self, *replies: str) -> None:
        """What the model says at its next calls."""
        self.model.replies[:] = replies
        self.model.prompts.clear()
        self.model.states.clear()
        self.model.ends.clear()

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """The state of a page; changes stay."""
        self.state |= changes
        return DEFAULTS | self.state | {"history": self.history}

    def send(self, text: str, **changes: Any) -> str:
        """Send a message; gives the reply as it is stored."""
        return self.follow(chat.generate_chat_reply_wrapper(text, self.parameters(**changes)))

    def regenerate(self) -> str:
        """Press Regenerate."""
        return self.follow(chat.generate_chat_reply_wrapper("", self.parameters(), regenerate=True))

    def go_on(self) -> str:
        """Press Continue."""
        return self.follow(chat.generate_chat_reply_wrapper("", self.parameters(), _continue=True))

    def follow(self, steps: Generator[Any], each: Callable[[str], None] = lambda _reply: None) -> str:
        """Watch a reply to its end; `each` is told the reply after each step."""
        self.pages.clear()
        self.waits_since = time.monotonic()
        for page, history in stepped(steps):
            self.waits_since = None
            self.pages.append(page)
            self.history = history
            each(self.reply)
            self.waits_since = time.monotonic()
        return self.reply

    def press_stop(self, when: Callable[[], bool]) -> None:
        """Press Stop, as soon as `when` holds, in a moment in which the page waits for the next step.

        Nearly all moments are of this kind. In the other one the webui sees the flag before we do.
        """

        def press() -> None:
            shared.stop_everything = True

        self.while_it_waits(press, when)

    def while_it_waits(self, act: Callable[[], None], when: Callable[[], bool] = lambda: True) -> None:
        """Act, as soon as `when` holds, in a moment in which the page waits for the next step of a reply."""

        def waits() -> bool:
            since = self.waits_since
            return when() and since is not None and time.monotonic() - since > BETWEEN

        def wait() -> None:
            until(waits)
            act()

        threading.Thread(target=wait, daemon=True).start()

    @property
    def reply(self) -> str:
        """The latest reply as it is stored."""
        return str(self.history["internal"][-1][1])

    @property
    def page(self) -> str:
        """What the page shows of the latest reply after a reload."""
        return str(html_generator.convert_to_markdown_wrapped(self.history["visible"][-1][1]))

    @property
    def prompts(self) -> list[str]:
        """What the model was asked since `says`."""
        return list(self.model.prompts)


DEFAULTS: dict[str, Any] = {
    "mode": "instruct",
    "name1": "You",
    "name2": "AI",
    "context": "",
    "generation_prefix": "",
    "character_menu": "Assistant",
    "unique_id": "20260503-10-00-00",
    "custom_stopping_strings": "",
    "stream": True,
    "start_with": "",
    "selected_tools": {},
    "enable_web_search": False,
    "max_new_tokens": 512,
    "auto_max_new_tokens": True,
    "truncation_length": 8192,
    "max_tokens_second": 0,
}
"""The parameters of a page of which these scenarios know something."""


def api_state(history: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The parameters of an API client: no chat of the page, but an event that says that it has gone."""
    state = {key: value for key, value in DEFAULTS.items() if key not in ("unique_id", "character_menu")}
    empty: dict[str, Any] = {"internal": [], "visible": [], "metadata": {}}
    return state | {"history": history or empty, "stop_event": threading.Event(), "user": None} | changes


@contextmanager
def browser_page(session_hash: str) -> Iterator[None]:
    """Call as the browser page of that session does."""
    from gradio.context import LocalContext

    token = LocalContext.request.set(cast("gr.Request", SimpleNamespace(session_hash=session_hash)))
    try:
        yield
    finally:
        LocalContext.request.reset(token)


NO_DOCS = {"docs_url": None, "redoc_url": None, "openapi_url": None}


def gradio_app(routes: Sequence[BaseRoute] = (), auth: Any = None) -> FastAPI:
    """An app that gradio has made, beside `routes`; as the webui's it has what extensions put into it."""
    with gr.Blocks() as blocks:
        gr.Textbox()
    whole = FastAPI(routes=list(routes))
    mounted = gr.mount_gradio_app(whole, blocks, path="/", auth=auth, app_kwargs=NO_DOCS)
    return cast("FastAPI", mounted)


def until(condition: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait, bounded, for what another thread or process does."""
    end = time.monotonic() + seconds
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        tick.wait(0.02)


@contextmanager
def fresh_program(root: Path) -> Iterator[Webui]:
    """A program that was just started in `root`; nothing of it is left afterwards."""
    shared.generation_lock = shared.StrictLock()
    shared.stop_everything = False
    shared.user_data_dir = Path("user_data")
    for kept in (shared.settings, shared.default_settings, shared.gradio, shared.failures, extensions.state):
        kept.clear()
    extensions.setup_called.clear()
    html_generator.convert_to_markdown.cache_clear()
    try:
        yield Webui(root)
        assert not shared.generation_lock.held, "the generation lock was not released"
        assert shared.failures == []
    finally:
        for name in [
            name for name in sys.modules if name.split(".")[0] == "extensions" or "user_ext_" in name
        ]:
            del sys.modules[name]
