"""The bar below a waiting block, in a real browser, on a page with those parts of the webui that it needs."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from coderunner.hosts.textgen import style
from tests.behaviours import behaviour
from tests.hosts.app.browsing import chromium

pytestmark = pytest.mark.browser

ADDRESS = "http://webui.test/"
FILE = "file/bar.json"

SKELETON = f"""<!doctype html><style>{style.CSS}
#chat {{ height: 300px; overflow: auto }} pre {{ height: 80px; margin: 20px }}</style>
<div id="outer"><div id="chat"><div class="messages">
<div class="message-body"><pre>earlier</pre></div>
<div class="message-body"><p>Let me see.</p><pre id="block">print(10 + 5)</pre></div>
</div></div></div>
<div id="chat-input-row" style="position: fixed; bottom: 0; width: 600px; height: 60px"></div>
<div style="display: none">
<div id="coderunner-glance"><span data-file="{FILE}"></span></div>
<button id="coderunner-run" onclick="pressed.push('run ' + coderunnerNumber())"></button>
<button id="coderunner-skip" onclick="pressed.push('skip ' + coderunnerNumber())"></button>
<button id="coderunner-interrupt" onclick="pressed.push('interrupt')"></button>
</div>
<script>window.pressed = []; const load = (x) => {{
{style.JS}
}}; load();</script>"""


class Shown:
    """The page, and what its file says."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.bar = page.locator("#coderunner-bar")
        self.notice: dict[str, Any] = {"kind": "none"}
        page.route(f"{ADDRESS}**", self._answer)
        page.goto(ADDRESS)

    def _answer(self, route: Route) -> None:
        if route.request.url.endswith(FILE):
            route.fulfill(body=json.dumps(self.notice), content_type="application/json")
        else:
            route.fulfill(body=SKELETON, content_type="text/html")

    def generate(self, *, on: bool) -> None:
        """The webui marks the page while a reply grows."""
        self.page.evaluate("on => document.getElementById('outer').classList.toggle('_generating', on)", on)

    def ask(self, number: int) -> None:
        self.notice = {"kind": "ask", "number": number, "text": f"Block {number} <b>wants</b> to run."}

    @property
    def pressed(self) -> list[str]:
        found: list[str] = self.page.evaluate("pressed")
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def shown(browser: Browser) -> Iterator[Shown]:
    page = browser.new_page()
    yield Shown(page)
    page.close()


@behaviour("textgen:bar:below-the-block")
def test_the_question_stands_below_the_block_and_run_answers_it(shown: Shown) -> None:
    shown.ask(3)
    shown.generate(on=True)
    expect(shown.bar).to_be_visible()
    expect(shown.bar).to_contain_text("Block 3 <b>wants</b> to run.")
    block, bar = shown.page.locator("#block").bounding_box(), shown.bar.bounding_box()
    assert block
    assert bar
    assert 0 < bar["y"] - (block["y"] + block["height"]) < 20
    shown.page.get_by_role("button", name="Run").click()
    expect(shown.bar).to_be_hidden()
    assert shown.pressed == ["run 3"]


@behaviour("textgen:bar:below-the-block")
def test_the_next_question_is_a_new_one(shown: Shown) -> None:
    shown.ask(3)
    shown.generate(on=True)
    shown.page.get_by_role("button", name="Run").click()
    expect(shown.bar).to_be_hidden()
    shown.ask(4)
    shown.page.get_by_role("button", name="Skip").click()
    assert shown.pressed == ["run 3", "skip 4"]


@behaviour("textgen:bar:below-the-block")
def test_a_block_that_runs_for_a_while_can_be_interrupted(shown: Shown) -> None:
    shown.notice = {"kind": "busy", "number": 2}
    shown.generate(on=True)
    expect(shown.bar).to_contain_text(re.compile(r"Block 2 has been running for \d+ s"))
    expect(shown.page.get_by_role("button", name="Run")).to_be_hidden()
    shown.page.get_by_role("button", name="Interrupt").click()
    assert shown.pressed == ["interrupt"]
    shown.generate(on=False)
    expect(shown.bar).to_be_hidden()


@behaviour("textgen:bar:below-the-block")
def test_a_block_out_of_sight_is_asked_about_above_the_message_field(shown: Shown) -> None:
    shown.page.evaluate("document.getElementById('chat').style.height = '5000px'")
    shown.page.evaluate("document.getElementById('block').style.marginTop = '3000px'")
    shown.ask(1)
    shown.generate(on=True)
    expect(shown.bar).to_be_visible()
    bar, field = shown.bar.bounding_box(), shown.page.locator("#chat-input-row").bounding_box()
    assert bar
    assert field
    assert 0 < field["y"] - (bar["y"] + bar["height"]) < 20


@behaviour("textgen:bar:below-the-block")
def test_loading_the_script_twice_leaves_one_bar(shown: Shown) -> None:
    shown.page.evaluate("load()")
    assert shown.bar.count() == 1


@behaviour("textgen:bar:below-the-block")
def test_the_messages_make_room_for_the_bar_while_it_is_shown(shown: Shown) -> None:
    messages = shown.page.locator(".messages")
    shown.ask(1)
    shown.generate(on=True)
    expect(messages).to_have_css("padding-bottom", "64px")
    shown.generate(on=False)
    expect(messages).to_have_css("padding-bottom", "0px")
