"""Widgets in the chat app: moved in a reply, there again after a reload and a restart, without a run."""

import re
from pathlib import Path

from playwright.sync_api import Browser, FrameLocator, expect

from coderunner.hosts.app.server import App
from coderunner.hosts.app.writer import kernel_label
from coderunner.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS

SLIDER = """```python
import ipywidgets as w
print('ran')
slider, label = w.IntSlider(value=7), w.Label('square 49')
def square(change): label.value = f'square {change.new ** 2}'
slider.observe(square, 'value')
display(w.VBox([slider, label]))
```
"""


def started(parrot: tuple[Parrot, str], folder: Path) -> App:
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": folder}
    return App(load(chosen))


def inside(somebody: Visitor) -> FrameLocator:
    block = somebody.page.locator("code-runner-output").first
    block.scroll_into_view_if_needed()
    return block.frame_locator("iframe >> nth=0").frame_locator("iframe")


@behaviour("app:widgets:there-again")
def test_a_slider_stands_where_it_was_left_after_a_reload_and_after_a_restart(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    build = started(parrot, tmp_path)
    with served(build.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(SLIDER)
        slider = inside(somebody).get_by_role("slider")
        slider.press("ArrowRight")
        expect(inside(somebody).get_by_text("square 64")).to_be_visible()
        expect(somebody.page).to_have_url(re.compile(r"/\?c="))
        identity = somebody.page.url.rpartition("c=")[2]
        expect(somebody.feet).to_have_count(1)
        somebody.page.reload()
        # A page that is left while its lists are followed complains about their end.
        somebody.complaints.clear()
        expect(inside(somebody).get_by_text("square 64")).to_be_visible()
        inside(somebody).get_by_role("slider").press("ArrowRight")
        expect(inside(somebody).get_by_text("square 81")).to_be_visible()
        first = build.records.of(kernel_label(identity))
    again = started(parrot, tmp_path)
    with served(again.asgi) as address, visitor(browser, address) as somebody:
        somebody.page.goto(f"{address}/?c={identity}")
        somebody.complaints.clear()
        expect(inside(somebody).get_by_text("square 81")).to_be_visible()
        expect(inside(somebody).get_by_text("Not connected to a kernel")).to_be_visible()
        after = again.records.of(kernel_label(identity))
        somebody.press("Run again")
        below = somebody.blocks.locator(".cr-again").frame_locator("iframe").frame_locator("iframe")
        below.get_by_role("slider").press("ArrowRight")
        expect(below.get_by_text("square 64")).to_be_visible()
        expect(inside(somebody).get_by_text("square 81")).to_be_visible()
    assert [(run.id, run.attempt, run.result) for run in after] == [
        (run.id, run.attempt, run.result) for run in first
    ]
