"""Both chat hosts as they are, with a reply whose block runs, and what people do to it meanwhile."""

import asyncio
import copy
import re
from collections.abc import Callable, Coroutine, Mapping
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, TypeVar

from modules import chat, html_generator

from coderunner.hosts.app.choices.choices import ModelChoice
from coderunner.hosts.app.conversation.message_parts import blocks
from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.page.message_html import Drawing
from coderunner.hosts.app.server import App
from coderunner.hosts.textgen import hooks
from coderunner.models.endpoint.client import Endpoint
from coderunner.page.html.block_html import Setting, block
from coderunner.records.database.run_queries import Record
from coderunner.records.database.run_states import OVER
from coderunner.settings.settings import load
from tests.faults.conftest import happens
from tests.hosts.app.parrot import Parrot
from tests.hosts.textgen.webui import Webui, step, until
from tests.kernel.conftest import BOUND
from tests.records.conftest import crash

Given = TypeVar("Given")

PATIENCE = 0.5
"""Seconds for which the app waits for a page that comes back."""
SEEN = "Seen."
"""What both models say after a result."""


def fenced(code: str) -> str:
    return f"```python\n{code}\n```\n"


class Scene(Protocol):
    """A chat in one of the hosts."""

    @property
    def strikes(self) -> Mapping[str, Callable[[], None]]:
        """What people do while the block runs, up to the end of the reply."""

    def begin(self) -> None:
        """Have a reply written, up to the moment when its block runs."""

    def shown(self) -> str:
        """What the page shows of the chat, as text."""

    def say(self, code: str) -> str:
        """Have the next reply run a block; gives what the model was sent to go on with it."""

    def records(self) -> list[Record]:
        """All runs of the chat, as they are written down."""

    @property
    def count(self) -> int:
        """How often its blocks ran."""


class Place:
    """The files by which a test and a block's program know of each other."""

    def __init__(self, folder: Path) -> None:
        self.runs, self.gate = folder / "runs", folder / "gate"

    def block(self, last: str = "ended") -> str:
        """A block that leaves a mark each time it runs, and goes on when it may."""
        return fenced(
            f"import os, time\nopen({str(self.runs)!r}, 'a').write('x')\nprint('begun', flush=True)\n"
            f"while not os.path.exists({str(self.gate)!r}): time.sleep(0.01)\nprint('{last}')"
        )

    def open(self) -> None:
        """Let it go on."""
        self.gate.touch()

    @property
    def count(self) -> int:
        """How often a block ran."""
        return self.runs.stat().st_size if self.runs.exists() else 0


class AppScene:
    """A conversation of the chat app, whose model says what the person said."""

    def __init__(self, home: Path, bird: Parrot, address: str) -> None:
        self._home, self._bird, self._address = home, bird, address
        self._loop = asyncio.Runner()
        self._place = Place(home)
        self._apps: list[App] = []
        self._app = self._start()
        self._conversation = self._app.conversations.new()
        self._pages: list[asyncio.Task[None]] = []

    def _start(self) -> App:
        url = f"{self._address}/v1"
        settings = {
            "model_url": url,
            "model": "parrot",
            "approve": "auto",
            "data_dir": str(self._home / "data"),
        }
        self._apps.append(App(load(settings), patience=PATIENCE))
        self._apps[-1].choices.choice = ModelChoice("parrot", Endpoint(url, model="parrot"))
        return self._apps[-1]

    def close(self) -> None:
        for app in self._apps:
            self._do(app.conversations.close())
            self._do(app.sessions.close_all(keep=False))
            app.records.close()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Given]) -> Given:
        return self._loop.run(asyncio.wait_for(work, BOUND))

    @property
    def strikes(self) -> Mapping[str, Callable[[], None]]:
        return {
            "two tabs": lambda: self._do(self._two_tabs()),
            "Stop": lambda: self._do(self._stop()),
            "reload": lambda: self._do(self._reload()),
            "closed for good": lambda: self._do(self._leave()),
            "regenerate": lambda: self._do(self._again(self._conversation.retry)),
            "edit": lambda: self._do(self._again(self._edit)),
            "delete": lambda: self._do(self._delete()),
            "crash": lambda: self._do(self._crash()),
        }

    def begin(self) -> None:
        self._do(self._begin())

    async def _begin(self) -> None:
        assert self._conversation.say(self._place.block())
        self._look()
        await happens(lambda: self._place.count == 1)

    def _look(self) -> None:
        """Open another page."""

        async def look() -> None:
            async for _ in self._conversation.follow():
                pass

        self._pages.append(asyncio.create_task(look()))

    async def _end(self) -> None:
        """Wait for the end of the reply, at every page that is open."""
        await asyncio.gather(*self._pages)
        assert not self._conversation.busy

    async def _two_tabs(self) -> None:
        self._look()
        assert not self._conversation.say(self._place.block())
        self._place.open()
        await self._end()

    async def _stop(self) -> None:
        self._conversation.stop()
        await self._end()

    async def _leave(self) -> None:
        page = self._pages.pop()
        page.cancel()
        await asyncio.wait({page})
        await happens(lambda: not self._conversation.busy)

    async def _reload(self) -> None:
        page = self._pages.pop()
        page.cancel()
        await asyncio.wait({page})
        self._look()
        await asyncio.sleep(PATIENCE)  # the reply must outlive it
        self._place.open()
        await self._end()

    async def _again(self, act: Callable[[], bool]) -> None:
        """While the reply is written nothing takes its place; afterwards it is written anew."""
        assert not act()
        await self._stop()
        self._place.open()
        assert act()
        self._look()
        await self._end()

    def _edit(self) -> bool:
        return self._conversation.edit(0, self._place.block("edited"))

    async def _delete(self) -> None:
        """The conversation's kernel is taken from under it."""
        await self._app.sessions.close(kernel_label(self._conversation.id))
        await self._end()

    async def _crash(self) -> None:
        """The app is killed, with its kernels, and started anew."""
        crash(self._app.records)
        await self._app.sessions.close_all(keep=False)
        await self._end()
        self._app, identity = self._start(), self._conversation.id
        self._conversation = self._app.conversations.new((identity, ()))

    def shown(self) -> str:
        drawing, messages = Drawing(), self._conversation.messages
        parts = chain(*(drawing.contents(message) for message in messages))
        around = (getattr(part, "html", "") or getattr(part, "text", "") for part in parts)
        return text_of(" ".join([*around, *(block(each, Setting()) for each in blocks(messages))]))

    def say(self, code: str) -> str:
        self._do(self._say(code))
        return "\n".join(str(message["content"]) for message in self._bird.asked[-1]["messages"])

    async def _say(self, code: str) -> None:
        assert self._conversation.say(fenced(code))
        self._look()
        await self._end()

    @property
    def count(self) -> int:
        return self._place.count

    def records(self) -> list[Record]:
        assert self._app.records.settle()
        return self._app.records.of(kernel_label(self._conversation.id))


class TextgenScene:
    """A chat of the webui."""

    def __init__(self, home: Path, webui: Webui) -> None:
        self._webui = webui
        self._place = Place(home)
        self._steps: Any = iter(())
        self._left: list[Any] = []
        webui.start()
        hooks.extension().store.change(approve="auto")
        self._home = self._chat()

    def close(self) -> None:
        for records in self._left:
            records.close()

    @property
    def strikes(self) -> Mapping[str, Callable[[], None]]:
        return {
            "two tabs": self._two_tabs,
            "Stop": self._stop,
            "reload": self._reload,
            "regenerate": self._regenerate,
            "edit": self._edit,
            "branch": self._branch,
            "delete": self._delete,
            "crash": self._crash,
        }

    def _chat(self) -> str:
        name = hooks.extension().conversation(self._webui.parameters())
        assert name is not None
        return name

    def begin(self) -> None:
        self._webui.says(self._place.block(), SEEN)
        self._steps = chat.generate_chat_reply_wrapper("Go on.", self._webui.parameters())
        while not self._place.count:
            _, self._webui.history = step(lambda: next(self._steps))

    def _end(self) -> None:
        self._place.open()
        self._webui.follow(self._steps)

    def _leave(self) -> None:
        """The page is closed: nobody takes the next step."""
        step(self._steps.close)

    def _go_on(self, history: dict[str, Any]) -> None:
        self._webui.history = history
        self._webui.says(SEEN)
        self._webui.go_on()

    def _two_tabs(self) -> None:
        """The other tab has what was stored while the block ran, and continues that."""
        stored = copy.deepcopy(self._webui.history)
        self._end()
        self._go_on(stored)

    def _stop(self) -> None:
        self._webui.press_stop(lambda: True)
        self._webui.follow(self._steps)

    def _reload(self) -> None:
        stored = copy.deepcopy(self._webui.history)
        self._leave()
        until(hooks.extension().records.settle)  # that it was left is known to whoever asks
        self._webui.while_it_waits(self._place.open)
        self._go_on(stored)

    def _regenerate(self) -> None:
        self._stop()
        self._place.open()
        self._webui.says(self._place.block(), SEEN)
        self._webui.regenerate()

    def _edit(self) -> None:
        self._stop()
        self._place.open()
        stored = copy.deepcopy(self._webui.history)
        stored["internal"][-1][1] = self._place.block("edited")
        self._go_on(stored)

    def _branch(self) -> None:
        """Another chat begins with what was stored while the block ran, and continues that."""
        stored = copy.deepcopy(self._webui.history)
        self._end()
        self._webui.parameters(unique_id="20260503-10-00-01")
        self._go_on(stored)

    def _delete(self) -> None:
        self._leave()
        self._webui.delete()
        until(lambda: all(each.state in OVER for each in self.records()))
        self._webui.history = {"internal": [], "visible": [], "metadata": {}}
        self._webui.parameters(unique_id="20260503-10-00-01")

    def _crash(self) -> None:
        """The webui is killed, with its kernels, and started anew."""
        extension, stored = hooks.extension(), copy.deepcopy(self._webui.history)
        crash(extension.records)
        self._left.append(extension.records)
        extension.sessions.io_thread.call(extension.sessions.close_all(keep=False), BOUND)
        self._leave()
        hooks.extension.cache_clear()
        hooks.extension().store.change(approve="auto")
        self._go_on(stored)

    def shown(self) -> str:
        replies = (reply for _, reply in self._webui.history["visible"])
        return text_of(" ".join(map(html_generator.convert_to_markdown_wrapped, replies)))

    def say(self, code: str) -> str:
        self._webui.says(fenced(code), SEEN)
        self._webui.send("Go on.")
        return self._webui.prompts[-1]

    @property
    def count(self) -> int:
        return self._place.count

    def records(self) -> list[Record]:
        records = hooks.extension().records
        until(records.settle)
        return [each for name in dict.fromkeys((self._home, self._chat())) for each in records.of(name)]


def text_of(page: str) -> str:
    """What a reader sees of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", " ", page))
