"""The app as it really runs, and a person at its page."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

MARKS = [
    pytest.mark.browser,
    # Gradio counts its events with pandas in ways that pandas is about to drop.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio.*"),
]
"""For each module with a browser."""

EXTENSION = Path(__file__).parents[3] / "extension"

BOUND = 60.0
"""Seconds that a test waits for what comes in one or two, on a machine that has a lot to do."""

expect.set_options(timeout=BOUND * 1000)

FEATURES_OFF = (
    # Each window draws menus of its address bar in two more pages, which no test sees: a third of its cost.
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
    # Of two lists the last one counts, so here is Playwright's own.
    "AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,MediaRouter,"
    "NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
)
"""What Chromium is to do without; a name that it does not know says nothing to it."""

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""By how they are called. The first has the same engine and no windows: a page costs a third less of CPU."""

STILL: dict[str, Any] = {"reduced_motion": "reduce"}
"""What pages move is drawn sixty times a second, which costs more than most of what tests do there."""

LINKS: dict[str, Callable[[], str]] = {}
"""By the address of an app with a login, what gives a link to it."""

SIZE: ViewportSize = {"width": 1280, "height": 720}
"""Of a page, unless a test chooses another."""

SETTLED = re.compile("^(?!Writing|Running|Run this|Queued|Waiting for)")
"""What a block says of itself when the reply has gone on behind it."""


@contextlib.contextmanager
def served(build: Callable[[], Any], path: str = "") -> Iterator[str]:
    """Serve the ASGI app that `build` makes on a free port until the block ends; gives its address.

    `path` is the one below which the app is.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        app = build()
        if (links := _links(app)) is not None:
            LINKS[address] = lambda: links.new(address).reveal()
        # Browsers keep connections longer than uvicorn does: one that is closed as it is used is an error.
        config = uvicorn.Config(
            app, log_level="critical", timeout_graceful_shutdown=1, timeout_keep_alive=int(BOUND)
        )
        servers.append(uvicorn.Server(config))
        await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=asyncio.run, args=[serve()], daemon=True)
    thread.start()
    try:
        # The socket listens already, so this waits until somebody answers there.
        httpx.get(f"{address}/v1/models", timeout=BOUND, trust_env=False)
        yield address
    finally:
        LINKS.pop(address, None)
        servers[0].should_exit = True
        thread.join(BOUND)
        assert not thread.is_alive()


def _links(app: Any) -> Any:
    """What gives links to an app, wherever its login is; None if it has none."""
    while app is not None and not hasattr(app, "links"):
        app = getattr(app, "_app", None)
    return app and app.links


@contextlib.contextmanager
def client(address: str) -> Iterator[httpx.Client]:
    """A program that has opened a link to the app, as its person's browser does."""
    with httpx.Client(base_url=address, trust_env=False, timeout=BOUND) as one:
        if address in LINKS:
            assert one.get(LINKS[address]()).status_code == 303
        yield one


@contextlib.contextmanager
def started(
    *flags: str,
    stdin: int = subprocess.DEVNULL,
    env: Mapping[str, str] = MappingProxyType({}),
    umask: int = -1,
) -> Iterator[subprocess.Popen[str]]:
    """The command line's own app; killed at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "coderunner", "app", "--open-browser", "no", *flags],
        env={**os.environ, "PYTHONPATH": str(EXTENSION), **env},
        stdin=stdin,
        umask=umask,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address_of(process: "subprocess.Popen[str]") -> str:
    """The address of a started app, once it answers; the link that it printed is for one visitor."""
    assert process.stdout is not None
    assert process.stdout.readline() == "Starting CodeRunner …\n"
    line = process.stdout.readline()
    found = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=[\w-]+", line)
    assert found is not None, line
    LINKS[found[1]] = lambda: found[0]
    assert "once" in process.stdout.readline()
    return found[1]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A real browser: the system's Chromium, else Playwright's own."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        # A process for each site and for closed frames, as in other browsers: the shell has one for all.
        args = ["--no-sandbox", "--site-per-process", f"--disable-features={FEATURES_OFF}"]
        browser = playwright.chromium.launch(executable_path=found, args=args)
        yield browser
        browser.close()


class Visitor:
    """Somebody at the page; notes what the page complains about and what it asks elsewhere."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.come_in(address)
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(BOUND * 1000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("request", lambda request: self._watch(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind == "error" and "404" not in text:
            self.complaints.append(text)

    def _watch(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:", "about:")):
            self.elsewhere.append(url)

    def come_in(self, address: str) -> None:
        """Get the app's cookie by a link to it; the page is not opened yet."""
        self.address = address
        if address in LINKS:
            assert self.context.request.get(LINKS[address](), max_redirects=0).status == 303

    def open(self) -> "Visitor":
        """Go to the page, or reload it, and wait until it can be used."""
        assert self.complaints == [], self.complaints
        self.page.goto(self.address)
        # A page that is left while a reply streams complains about its end.
        self.complaints.clear()
        expect(self.box).to_be_editable()
        expect(self.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
        return self

    def begin_anew(self) -> "Visitor":
        """Begin a conversation on this page as it is, and leave what is open beside it.

        What is between page and app, and how wide the page is, become what they were.
        """
        for page in self.context.pages:
            if page is not self.page:
                page.close()
        self.page.unroute_all()
        self.page.set_viewport_size(SIZE)
        self.page.keyboard.press("Escape")
        # One that was opened on a narrow page is closed on the left, where the list is.
        for side in ("#cr-left:not(.open)", "#cr-right.open"):
            if self.page.locator(side).count():
                self.page.locator(f"{side} .toggle-button").click()
        self.page.evaluate("document.querySelectorAll('.toast-close').forEach(each => each.click())")
        expect(self.page.locator(".toast-body")).to_have_count(0)
        self.page.locator("#cr-new").click()
        expect(self.replies).to_have_count(0)
        expect(self.page.locator("#cr-chat .user-row")).to_have_count(0)
        self.box.fill("")
        expect(self.box).to_be_editable()
        expect(self.page.locator("#cr-box button.submit-button")).to_be_visible()
        self.complaints.clear()
        return self

    def content(self) -> None:
        """See that the page never complained nor asked anybody else."""
        assert self.complaints == [], self.complaints
        assert self.elsewhere == []

    @property
    def box(self) -> Locator:
        """The place to type in."""
        return self.page.locator("#cr-box textarea")

    @property
    def blocks(self) -> Locator:
        """All blocks of the conversation."""
        return self.page.locator("#cr-chat .cr-cell:not(.cr-inner)")

    @property
    def rows(self) -> Locator:
        """The conversations in the list."""
        return self.page.locator("#cr-list li")

    @property
    def feet(self) -> Locator:
        """The lines below finished replies."""
        return self.page.locator("#cr-chat .cr-foot")

    @property
    def replies(self) -> Locator:
        """All replies."""
        return self.page.locator("#cr-chat .bot-row")

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.box.fill(text)
        self.box.press("Enter")

    def ask(self, text: str) -> str:
        """Send a message and wait for the end of the reply; gives what it shows."""
        before = self.feet.count()
        self.say(text)
        expect(self.feet).to_have_count(before + 1)
        # Blocks come by a way of their own, and may still be behind the reply that they stand in.
        for block in self.replies.last.locator("code-runner-output[data-cr]").all():
            expect(block.locator(".cr-state").first).to_have_text(SETTLED)
        return self.replies.last.inner_text()

    def run(self, code: str) -> str:
        """Have a block written and run; gives what its outputs show."""
        self.ask(f"```python\n{code}\n```\n")
        return self.blocks.last.locator(".cr-outs").inner_text().strip()

    def press(self, word: str) -> None:
        """Press a button of the last block."""
        self.blocks.last.get_by_role("button", name=word, exact=True).click()

    def stop(self) -> None:
        """Press the big Stop."""
        self.page.locator("#cr-box button.stop-button").click()

    def settings(self, tab: str) -> None:
        """Open the drawer at one of its tabs."""
        if not self.page.locator("#cr-right.open").count():
            self.page.locator("#cr-settings").click()
        self.page.get_by_role("tab", name=tab).click()


@contextlib.contextmanager
def visitor(browser: Browser, address: str, **context: Any) -> Iterator[Visitor]:
    """A visitor with an empty browser, whose page never complains nor asks anybody else.

    At `about:blank` the page is not opened yet.
    """
    with contextlib.closing(browser.new_context(**{**STILL, **context})) as fresh:
        somebody = Visitor(fresh, address)
        yield somebody if address == "about:blank" else somebody.open()
        somebody.content()


class Seat:
    """A page that stays open for all tests of a file, each with a conversation of its own.

    To load it costs several times what most tests do on it.
    """

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._taken: Visitor | None = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[Visitor]:
        """A visitor with a new conversation; never complains nor asks anybody else."""
        somebody = self._free()
        yield somebody
        somebody.content()

    def _free(self) -> Visitor:
        if self._taken is not None:
            try:
                return self._taken.begin_anew()
            except (Error, AssertionError):  # a test that failed may leave anything
                self.close()
        self._taken = Visitor(self._browser.new_context(**STILL), self._address)
        return self._taken.open()

    def close(self) -> None:
        """Close the page, and what stands beside it."""
        if self._taken is not None:
            self._taken.context.close()
            self._taken = None


def number(text: str) -> int:
    """The last number in a text."""
    return int(re.findall(r"\d+", text)[-1])
