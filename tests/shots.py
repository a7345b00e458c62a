"""The README's pictures, taken anew: `make shots`, or `python -m tests.shots [FOLDER]`.

The real app in a real browser, with the demo model and a kernel of this machine. Those of the real
text-generation-webui need one at hand (see `tests/hosts/textgen/real.py`) and are else left as they are.
"""

import contextlib
import io
import re
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from coderunner.access import api_keys
from coderunner.access.api_keys import ApiKeys
from coderunner.hosts.app.server import App
from coderunner.hosts.proxy.routes import Proxy
from coderunner.hosts.proxy.server import guarded
from coderunner.models.demo.asgi_app import DemoApp
from coderunner.models.demo.demo_replies import MODEL
from coderunner.models.demo.server_profiles import PROFILES
from coderunner.models.endpoint.client import Endpoint
from coderunner.settings.settings import Settings
from tests.hosts.app.browsing import BOUND, Visitor, chromium, served, visitor
from tests.hosts.textgen import real

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

DESKTOP: dict[str, Any] = {"viewport": {"width": 1160, "height": 800}, "device_scale_factor": 1.5}
TALL: dict[str, Any] = {"viewport": {"width": 1160, "height": 1340}, "device_scale_factor": 1.25}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2}


def plot(somebody: Visitor) -> None:
    """A sum, then a plot."""
    somebody.say("What is 10 + 5?")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)
    somebody.ask("Plot a sine wave")


def sliders(somebody: Visitor) -> Iterator[None]:
    """Sliders that drive a plot; the page is loaded again in the end."""
    somebody.say("Draw a wave with sliders")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)
    rest(somebody)
    left = yield from driven(somebody.blocks.last)
    somebody.page.reload()
    expect(picture(somebody.blocks.last)).to_have_attribute("src", left)
    rest(somebody)
    somebody.complaints.clear()  # a page that is left says so
    yield


def error(somebody: Visitor) -> None:
    """An error that the model corrects."""
    somebody.say("Make a mistake and correct it")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)


def question(somebody: Visitor) -> None:
    """A block that waits for consent."""
    somebody.say("Show a table of the planets")
    expect(somebody.blocks).to_contain_text("Run this code?")


def table(somebody: Visitor) -> None:
    """A table, on a phone."""
    question(somebody)
    somebody.press("Run")
    expect(somebody.feet).to_have_count(1)


SALES = "region,amount\nNorth,120\nSouth,\nEast,95\nWest,143\nNorth East,88\nSouth West,\n"


def files(somebody: Visitor) -> None:
    """A table comes with a question; a chart and a cleaned table come back, among the chat's files."""
    file: Any = {"name": "sales.csv", "mimeType": "text/csv", "buffer": SALES.encode()}
    somebody.page.locator("#cr-attach input").set_input_files(file)
    expect(somebody.page.locator("#cr-attach .cr-done")).to_have_count(1)
    somebody.say("Clean this and draw a chart")
    somebody.press("Always allow in this chat")
    expect(somebody.feet).to_have_count(1)
    somebody.page.locator("[data-cr-panel=files]").click()
    panel = somebody.page.locator("code-runner-files")
    expect(panel.locator(".cr-fp-list li")).to_have_count(3)
    # As it is for everybody, and not for this moment's app.
    panel.evaluate(
        "panel => { const walk = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);"
        " while (walk.nextNode()) walk.currentNode.data ="
        " walk.currentNode.data.replace(/\\S+(?=\\/kernels\\/)/, '~/.local/share/coderunner'); }"
    )


def settings(somebody: Visitor) -> None:
    """The drawer, after a test cell."""
    somebody.settings("Kernel")
    somebody.page.locator("#cr-test").click()
    expect(somebody.page.locator("#cr-kernel-status .cr-out")).to_be_visible()


SHOTS: dict[str, tuple[Callable[[Visitor], None], dict[str, Any]]] = {
    "app": (plot, TALL),
    "app-dark": (error, DESKTOP | {"color_scheme": "dark"}),
    "app-ask": (question, DESKTOP),
    "app-files": (files, {"viewport": {"width": 1280, "height": 1040}, "device_scale_factor": 1.25}),
    "app-settings": (settings, DESKTOP),
    "app-phone": (table, PHONE),
}


FILM: dict[str, Any] = {"viewport": {"width": 1000, "height": 1120}}
STEPS = 15
STEP, REST = 160, 2400
"""Milliseconds for a frame of a film: while a slider moves, and where it stands."""


def inside(block: Locator) -> FrameLocator:
    """What a block shows in its frame."""
    return block.frame_locator("iframe").frame_locator("iframe")


def picture(block: Locator) -> Locator:
    """The plot of a block with widgets."""
    return inside(block).locator("img")


def driven(block: Locator) -> Generator[None, None, str]:
    """A slider moves and drives its plot, from frame to frame; gives the last plot's address."""
    expect(picture(block)).to_be_visible()
    yield
    slider, shown = inside(block).get_by_role("slider").first, ""
    for _ in range(STEPS):
        shown = picture(block).get_attribute("src") or ""
        slider.press("ArrowRight")
        expect(picture(block)).not_to_have_attribute("src", shown)
        yield
    return picture(block).get_attribute("src") or ""


def rest(somebody: Visitor) -> None:
    """Leave the app's page at its end, with the focus nowhere."""
    # The page scrolls by itself when it has drawn; no cursor blinks where nothing has the focus.
    somebody.box.evaluate("box => box.blur()")
    somebody.page.mouse.move(0, 0)
    wrap = somebody.page.locator("#cr-chat .bubble-wrap")
    wrap.evaluate("wrap => wrap.scrollTo(0, wrap.scrollHeight)")
    expect(wrap).to_be_visible()
    assert wrap.evaluate("wrap => wrap.scrollTop + wrap.clientHeight >= wrap.scrollHeight - 2")


def still(page: Page, path: Path) -> Path:
    """Take a picture."""
    page.screenshot(path=path, animations="disabled")
    return path


def film(page: Page, scene: Iterator[None], path: Path) -> Path:
    """Play a scene and make a moving picture of it, a frame at each of its steps, for ever again."""
    taken = [io.BytesIO(page.screenshot(animations="disabled")) for _ in scene]
    frames = [Image.open(each).convert("RGB") for each in taken]
    times = [REST, *[STEP] * (len(frames) - 3), REST, REST]
    small: dict[str, Any] = {"lossless": True, "quality": 100, "method": 6, "minimize_size": True}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0, **small)
    return path


@contextlib.contextmanager
def app(browser: Browser, **context: Any) -> Iterator[Visitor]:
    """Somebody at a fresh app.

    What is chosen holds for a whole app, so each picture has its own; and its settings are made in place,
    so that nobody's own are seen in the picture.
    """
    with TemporaryDirectory(prefix="cr-") as home:
        fresh = App(Settings(demo=True, approve="ask", data_dir=Path(home)))
        with (
            served(fresh.asgi) as address,
            visitor(browser, address, reduced_motion="reduce", **context) as somebody,
        ):
            yield somebody


def pictures(browser: Browser, folder: Path) -> Iterator[Path]:
    """All pictures of the app."""
    for name, (scene, context) in SHOTS.items():
        with app(browser, **context) as somebody:
            scene(somebody)
            rest(somebody)
            yield still(somebody.page, folder / f"{name}.png")
    with app(browser, **FILM) as somebody:
        yield film(somebody.page, sliders(somebody), folder / "app-widgets.webp")


def wave(person: real.Person) -> Iterator[None]:
    """The same in text-generation-webui."""
    person.ask("Draw a wave with sliders")
    left = yield from driven(person.blocks.last)
    person.open()
    expect(picture(person.blocks.last)).to_have_attribute("src", left)
    yield


def pictures_of_textgen(browser: Browser, folder: Path) -> Iterator[Path]:
    """Those of text-generation-webui, where one is at hand."""
    if real.at_hand() is None:
        print("no text-generation-webui is named: its pictures are left as they are")
        return
    with TemporaryDirectory(prefix="cr-") as home, real.started(Path(home), approve="auto") as program:
        page = browser.new_page(viewport={"width": 1160, "height": 900}, reduced_motion="reduce")
        person = real.Person(page, program.address).open()
        person.ask("Plot a sine wave")
        yield still(page, folder / "textgen.png")
    with TemporaryDirectory(prefix="cr-") as home, real.started(Path(home), approve="auto") as program:
        page = browser.new_page(**FILM, reduced_motion="reduce")
        person = real.Person(page, program.address).open()
        yield film(page, wave(person), folder / "textgen-widgets.webp")


def picture_of_the_proxy(browser: Browser, folder: Path) -> Iterator[Path]:
    """The page to which a reply of the proxy leads that has widgets."""
    key, asked = api_keys.new_key(), "Draw a wave with sliders"
    with TemporaryDirectory(prefix="cr-") as home, contextlib.ExitStack() as servers:
        settings = Settings(demo=True, allow_local_kernel=True, data_dir=Path(home))
        upstream = servers.enter_context(served(lambda: DemoApp(PROFILES["demo"])))
        proxy = Proxy(settings, Endpoint(upstream), spare=False)
        url = servers.enter_context(served(lambda: guarded(proxy, ApiKeys([key]))))
        asks = {"model": f"{MODEL}+python", "messages": [{"role": "user", "content": asked}]}
        bearer = {"Authorization": f"Bearer {key.reveal()}"}
        reply = httpx.post(f"{url}/v1/chat/completions", json=asks, headers=bearer, timeout=BOUND)
        said = reply.json()["choices"][0]["message"]["content"]
        (link,) = re.findall(r"\((http[^)]*/coderunner/live/[0-9a-f]{32})\)", said)
        page = browser.new_page(viewport={"width": 900, "height": 560}, device_scale_factor=1.25)
        page.goto(link)
        block = page.locator("code-runner-output")
        expect(picture(block)).to_be_visible()
        before = picture(block).get_attribute("src") or ""
        inside(block).get_by_role("slider").first.press("ArrowRight")
        expect(picture(block)).not_to_have_attribute("src", before)
        yield still(page, folder / "proxy-live.png")


def main(folder: Path = FOLDER) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for take in (pictures, picture_of_the_proxy, pictures_of_textgen):
            for path in take(browser, folder):
                print(f"{path}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
