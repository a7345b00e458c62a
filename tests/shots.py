"""The README's pictures of the chat app, taken anew: `make shots`, or `python -m tests.shots [FOLDER]`.

The real app in a real browser, with the demo model and a kernel of this machine.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, expect

from coderunner.hosts.app.server import App
from coderunner.settings import Settings
from tests.hosts.app.browsing import Visitor, chromium, served, visitor

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

DESKTOP: dict[str, Any] = {"viewport": {"width": 1160, "height": 800}, "device_scale_factor": 1.5}
TALL: dict[str, Any] = {"viewport": {"width": 1160, "height": 1340}, "device_scale_factor": 1.25}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2}


def plot(somebody: Visitor) -> None:
    """A sum, then a plot."""
    somebody.say("What is 10 + 5?")
    somebody.press("Always here")
    expect(somebody.feet).to_have_count(1)
    somebody.ask("Plot a sine wave")


def sliders(somebody: Visitor) -> None:
    """Sliders that drive a plot, one of them moved."""
    somebody.say("Draw a wave with sliders")
    somebody.press("Always here")
    expect(somebody.feet).to_have_count(1)
    block = somebody.page.locator("code-runner-output").last
    inside = block.frame_locator("iframe").frame_locator("iframe")
    before = inside.locator("img").get_attribute("src")
    for _ in range(15):
        inside.get_by_role("slider").first.press("ArrowRight")
    expect(inside.locator("img")).not_to_have_attribute("src", before or "")
    expect(inside.get_by_text("2.50")).to_be_visible()


def error(somebody: Visitor) -> None:
    """An error that the model corrects."""
    somebody.say("Make a mistake and correct it")
    somebody.press("Always here")
    expect(somebody.feet).to_have_count(1)


def question(somebody: Visitor) -> None:
    """A block that waits for consent."""
    somebody.say("Show a table of the planets")
    expect(somebody.blocks).to_contain_text("Run this?")


def table(somebody: Visitor) -> None:
    """A table, on a phone."""
    question(somebody)
    somebody.press("Run")
    expect(somebody.feet).to_have_count(1)


def settings(somebody: Visitor) -> None:
    """The drawer, after a test cell."""
    somebody.settings("Kernel")
    somebody.page.locator("#cr-test").click()
    expect(somebody.page.locator("#cr-kernel-status .cr-out")).to_be_visible()


SHOTS: dict[str, tuple[Callable[[Visitor], None], dict[str, Any]]] = {
    "app": (plot, TALL),
    "app-widgets": (sliders, DESKTOP | {"viewport": {"width": 1160, "height": 1110}}),
    "app-dark": (error, DESKTOP | {"color_scheme": "dark"}),
    "app-ask": (question, DESKTOP),
    "app-settings": (settings, DESKTOP),
    "app-phone": (table, PHONE),
}


def shoot(browser: Browser, address: str, name: str, folder: Path) -> Path:
    """Play one scene and take its picture."""
    scene, context = SHOTS[name]
    path = folder / f"{name}.png"
    with visitor(browser, address, reduced_motion="reduce", **context) as somebody:
        scene(somebody)
        # The page scrolls by itself when it has drawn; no cursor blinks where nothing has the focus.
        somebody.box.evaluate("box => box.blur()")
        bottom = "wrap => wrap.scrollTop + wrap.clientHeight >= wrap.scrollHeight - 2"
        somebody.page.mouse.move(0, 0)
        wrap = somebody.page.locator("#cr-chat .bubble-wrap")
        wrap.evaluate("wrap => wrap.scrollTo(0, wrap.scrollHeight)")
        expect(wrap).to_be_visible()
        assert wrap.evaluate(bottom)
        somebody.page.screenshot(path=path, animations="disabled")
    return path


def main(folder: Path = FOLDER) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in SHOTS:
            # What is chosen holds for a whole app, so each picture has its own; and its settings are made in
            # place, so that nobody's own are seen in the picture.
            with TemporaryDirectory(prefix="cr-") as home:
                app = App(Settings(demo=True, data_dir=Path(home)))
                with served(app.asgi) as address:
                    path = shoot(browser, address, name, folder)
            print(f"{path}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
