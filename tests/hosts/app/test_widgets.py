"""Widgets in the chat app: moved in a reply, there again after a reload and a restart, without a run."""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot
from tests.kernel.servers import Jupyter, jupyter_server

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


def started(parrot: tuple[Parrot, str], folder: Path, **more: object) -> App:
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": folder}
    return App(load(chosen | more))


def inside(somebody: Visitor) -> FrameLocator:
    block = somebody.page.locator("code-runner-output").first
    block.scroll_into_view_if_needed()
    return block.frame_locator("iframe >> nth=0").frame_locator("iframe")


def conversation(somebody: Visitor) -> str:
    """The id of the conversation that the page shows."""
    expect(somebody.page).to_have_url(re.compile(r"/\?c="))
    return somebody.page.url.rpartition("c=")[2]


@contextlib.contextmanager
def come_back(browser: Browser, address: str, identity: str) -> Iterator[Visitor]:
    """Somebody who opens the app at a conversation of before."""
    with visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        somebody.page.goto(f"{address}/?c={identity}")
        yield somebody


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
        identity = conversation(somebody)
        expect(somebody.feet).to_have_count(1)
        somebody.page.reload()
        # A page that is left while its lists are followed complains about their end.
        somebody.complaints.clear()
        expect(inside(somebody).get_by_text("square 64")).to_be_visible()
        inside(somebody).get_by_role("slider").press("ArrowRight")
        expect(inside(somebody).get_by_text("square 81")).to_be_visible()
        first = build.records.of(kernel_label(identity))
    again = started(parrot, tmp_path)
    with served(again.asgi) as address, come_back(browser, address, identity) as somebody:
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


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server, whose kernels outlive an app."""
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token="canary") as server:
        yield server


@pytest.fixture
def start(parrot: tuple[Parrot, str], tmp_path: Path, jupyter: Jupyter) -> Callable[[], App]:
    """Starts an app with kernels there, and the same records each time."""
    return lambda: started(parrot, tmp_path, server=jupyter.url, token="canary")


PLOT = """```python
import ipywidgets as w, matplotlib.pyplot as plt
print('ran')
@w.interact(k=(1, 9))
def draw(k=2):
    print('k is', k)
    plt.plot([0, k])
    plt.show()
```
"""


@behaviour("app:widgets:linked-again")
def test_a_slider_drives_its_plot_again_when_the_app_is_started_anew_and_its_kernel_lives_on_a_server(
    browser: Browser, jupyter: Jupyter, start: Callable[[], App]
) -> None:
    build = start()
    with served(build.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(PLOT)
        drawn = inside(somebody).locator(".widget-output img").get_attribute("src")
        inside(somebody).get_by_role("slider").press("ArrowRight")
        expect(inside(somebody).get_by_text("k is 3")).to_be_visible()
        expect(inside(somebody).locator(".widget-output img")).not_to_have_attribute("src", drawn or "")
        identity = conversation(somebody)
    first, kernels = build.records.of(kernel_label(identity)), jupyter.kernels()
    again = start()
    with served(again.asgi) as address, come_back(browser, address, identity) as somebody:
        expect(inside(somebody).get_by_text("k is 3")).to_be_visible()
        expect(inside(somebody).get_by_text("Not connected to a kernel")).to_have_count(0)
        plot = inside(somebody).locator(".widget-output img").get_attribute("src")
        inside(somebody).get_by_role("slider").press("ArrowRight")
        expect(inside(somebody).get_by_text("k is 4")).to_be_visible()
        expect(inside(somebody).locator(".widget-output img")).not_to_have_attribute("src", plot or "")
        after = again.records.of(kernel_label(identity))
        assert somebody.run("print(draw.widget.children[0].value)") == "4"
        expect(somebody.blocks.last.locator(".cr-state")).to_contain_text("[2]")
    assert jupyter.kernels() == kernels
    assert [(run.id, run.attempt, run.result) for run in after] == [
        (run.id, run.attempt, run.result) for run in first
    ]


@behaviour("app:widgets:linked-again")
def test_no_kernel_is_started_where_that_of_the_widgets_is_gone(
    browser: Browser, jupyter: Jupyter, start: Callable[[], App]
) -> None:
    app = start()
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(SLIDER)
        inside(somebody).get_by_role("slider").press("ArrowRight")
        expect(inside(somebody).get_by_text("square 64")).to_be_visible()
        identity = conversation(somebody)
    for each in jupyter.ask("api/sessions"):
        jupyter.ask(f"api/sessions/{each['id']}", "DELETE")
    app = start()
    with served(app.asgi) as address, come_back(browser, address, identity) as somebody:
        expect(inside(somebody).get_by_text("Not connected to a kernel")).to_be_visible()
        expect(inside(somebody).get_by_text("square 64")).to_be_visible()
        assert jupyter.kernels() == []
        assert somebody.run("print(10 + 5)") == "15"


BUTTON = """```python
import ipywidgets as w
button, count = w.Button(description='press'), [0]
def press(_):
    count[0] += 1
    print('pressed', count[0])
button.on_click(press)
button
```
"""


@behaviour("app:widgets:linked-again")
def test_what_a_callback_shows_then_stands_in_its_block_and_stays(
    browser: Browser, jupyter: Jupyter, start: Callable[[], App]
) -> None:
    app = start()
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        somebody.ask(BUTTON)
        inside(somebody).get_by_role("button").click()
        expect(inside(somebody).locator(".cr-text")).to_have_text("pressed 1\n")
        identity = conversation(somebody)
    for count in (2, 3):
        app = start()
        with served(app.asgi) as address, come_back(browser, address, identity) as somebody:
            button = inside(somebody).get_by_role("button")
            expect(button).to_be_visible()
            expect(inside(somebody).get_by_text("Not connected to a kernel")).to_have_count(0)
            button.click()
            expect(inside(somebody).locator(".cr-text")).to_have_text(
                [f"pressed {n}\n" for n in range(1, count + 1)]
            )
