"""The bar below a waiting block, in a real browser, on a page with those parts of the webui that it needs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

import gradio as gr
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page, Route, expect

from coderunner.hosts.textgen.form.handlers import Chat, FormHandlers
from coderunner.hosts.textgen.form.layout import Form
from coderunner.hosts.textgen.reply.output_placeholders import closing, identity, opening
from coderunner.hosts.textgen.state.extension_state import ExtensionState
from coderunner.hosts.textgen.webui import css_and_js
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, chromium, served

pytestmark = pytest.mark.browser

ADDRESS = "http://webui.test/"
FILE = "file/bar.json"
MARK = identity("e4429adade3706a228fc939ef91323db", 0)

SKELETON = f"""<!doctype html><style>{css_and_js.CSS}
#chat {{ height: 300px; overflow: auto }} pre {{ height: 80px; margin: 20px }}</style>
<div id="outer"><div id="chat"><div class="messages">
<div class="message-body"><pre>earlier</pre></div>
<div class="message-body"><p>Let me see.</p><pre id="block">print(10 + 5)</pre></div>
</div></div></div>
<div id="chat-input-row" style="position: fixed; bottom: 0; width: 600px; height: 60px">
<div id="chat-input"><textarea></textarea></div></div>
<div style="display: none">
<div id="coderunner-glance"><span data-file="{FILE}"></span></div>
<button id="coderunner-run" onclick="pressed.push('run ' + coderunnerNumber())"></button>
<button id="Continue" onclick="pressed.push('continue')"></button>
<button id="coderunner-skip" onclick="pressed.push('skip ' + coderunnerNumber())"></button>
<button id="coderunner-interrupt" onclick="pressed.push('interrupt')"></button>
<button id="coderunner-answer"
 onclick="pressed.push(`answer ${{coderunnerNumber()}} ${{coderunnerLine()}}`)"></button>
<button id="coderunner-cancel" onclick="pressed.push('cancel ' + coderunnerNumber())"></button>
</div>
<script>window.pressed = []; const load = (x) => {{
{css_and_js.JS}
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

    def query(self, number: int, text: str, *, password: bool = False) -> Locator:
        """A program asks; gives the field to type in."""
        self.notice = {"kind": "query", "number": number, "text": text, "password": password}
        field = self.page.get_by_label(text)
        expect(field).to_be_visible()
        return field

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
def test_a_block_with_which_a_reply_ends_is_asked_about_until_it_has_a_word(shown: Shown) -> None:
    shown.ask(3)
    # A reply that is so short that nobody sees it grow.
    shown.page.evaluate("document.getElementById('block').textContent = 'print(1)'")
    expect(shown.bar).to_contain_text("Block 3")
    with shown.page.expect_response(f"**/{FILE}"):
        pass
    expect(shown.bar).to_be_visible()
    shown.page.get_by_role("button", name="Run").click()
    shown.page.evaluate("coderunnerGoOn()")
    assert shown.pressed == ["run 3", "continue"]


@behaviour("textgen:bar:below-the-block")
def test_with_a_word_the_page_continues_the_reply_once_nothing_else_is_written(shown: Shown) -> None:
    shown.generate(on=True)
    taken = "new CustomEvent('coderunner-taken', { bubbles: true, detail: { act: 'run' } })"
    at = "document.getElementById('block')"
    shown.page.evaluate(f"{at}.dispatchEvent({taken})")
    assert shown.pressed == []
    shown.generate(on=False)
    shown.page.wait_for_function("pressed.length")
    assert shown.pressed == ["continue"]
    # A block of an earlier message is not where the chat could go on.
    shown.page.evaluate("document.querySelector('pre').id = 'earlier'")
    shown.page.evaluate(f"document.getElementById('earlier').dispatchEvent({taken})")
    shown.page.evaluate(f"{at}.dispatchEvent({taken})")
    assert shown.pressed == ["continue", "continue"]


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
    shown.notice["waits"] = "Waiting for a kernel"
    expect(shown.bar).to_contain_text("Block 2 is waiting for a kernel")
    shown.notice["waits"] = ""
    expect(shown.bar).to_contain_text(re.compile(r"Block 2 has been running for \d+ s"))
    shown.page.get_by_role("button", name="Interrupt").click()
    assert shown.pressed == ["interrupt"]
    shown.generate(on=False)
    expect(shown.bar).to_be_hidden()


@behaviour("textgen:late:bar")
def test_a_block_that_goes_on_is_mentioned_until_it_ends_also_after_the_reply(shown: Shown) -> None:
    shown.notice = {"kind": "late", "number": 1}
    shown.generate(on=True)
    expect(shown.bar).to_contain_text("Block 1 is still running; its result will follow")
    shown.generate(on=False)
    with shown.page.expect_response(f"**/{FILE}"):
        pass
    expect(shown.bar).to_be_visible()
    shown.page.get_by_role("button", name="Interrupt").click()
    assert shown.pressed == ["interrupt"]
    shown.generate(on=True)
    expect(shown.bar).to_be_visible()
    shown.generate(on=False)
    shown.notice = {"kind": "none"}
    expect(shown.bar).to_be_hidden()


@behaviour("textgen:bar:elsewhere")
@pytest.mark.parametrize("kind", ["ask", "query"])
def test_another_chat_says_where_a_program_asks_and_has_nothing_to_press(shown: Shown, kind: str) -> None:
    chats = '<div id="past-chats"><input type="radio" value="Ours" checked></div>'
    shown.page.evaluate("chats => document.body.insertAdjacentHTML('beforeend', chats)", chats)
    shown.notice = {"kind": kind, "number": 1, "text": "The block above asks", "chat": "B"}
    shown.generate(on=True)
    if kind == "query":
        expect(shown.bar).to_contain_text("A program in the chat B is waiting for your input")
        expect(shown.bar.locator("button:visible, input:visible")).to_have_count(0)
    else:
        with shown.page.expect_response(f"**/{FILE}"):
            pass
        expect(shown.bar).to_be_hidden()
    shown.page.evaluate(
        "document.querySelector('#past-chats').innerHTML = '<input value=B checked type=radio>'"
    )
    expect(shown.bar).to_contain_text("The block above asks")


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
    shown.notice = {"kind": "none"}
    shown.generate(on=False)
    expect(messages).to_have_css("padding-bottom", "0px")


# The webui's own two functions, as far as they matter here.
PLACING = """
window.isScrolled = false;
window.autoScrollToBottom = () => {
  const chat = document.getElementById("chat");
  if (!isScrolled) chat.scrollTop = chat.scrollHeight;
};
window.updateInstructPadding = () => {};
document.querySelector("#chat .message-body:last-child").insertAdjacentHTML(
  "beforeend", '<code-runner-output style="display: block; height: 100px"></code-runner-output>');
"""
GROW = "height => { document.querySelector('code-runner-output').style.height = `${height}px`; }"
SETTLED = """hidden => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => done(eval(`(${hidden})()`))));
})"""
"""Two frames later, when what observes sizes has been told."""
HIDDEN = """() => {
  const chat = document.getElementById("chat");
  return Math.round(chat.scrollHeight - chat.clientHeight - chat.scrollTop);
}"""


@behaviour("textgen:elements:follows")
def test_the_page_follows_an_output_that_comes_late_until_somebody_is_at_work_or_has_scrolled(
    shown: Shown,
) -> None:
    page = shown.page
    page.evaluate(PLACING)
    page.evaluate(GROW, 900)
    page.wait_for_function(f"({HIDDEN})() === 0")
    page.locator("#block").click()
    page.evaluate(GROW, 1800)
    assert page.evaluate(SETTLED, HIDDEN) > 800
    # With the next reply it follows again; not where the reader has scrolled away.
    shown.generate(on=True)
    page.evaluate("document.querySelector('.message-body').append('more')")
    page.evaluate(GROW, 1900)
    page.wait_for_function(f"({HIDDEN})() === 0")
    page.evaluate("window.isScrolled = true")
    page.evaluate(GROW, 2800)
    assert page.evaluate(SETTLED, HIDDEN) > 800


# As the webui does it where a page is no secure context, as this one.
COPY = """text => {
  const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  field.select();
  document.execCommand("copy");
  field.remove();
}"""


@behaviour("textgen:elements:copied")
def test_a_reply_is_copied_without_its_marks(shown: Shown) -> None:
    marked = f"```python\n1\n```\n{opening(MARK)}\nResult: 1\n{closing(MARK)}\nOne."
    shown.page.evaluate(COPY, marked)
    field = shown.page.locator("#chat-input textarea")
    field.press("Control+v")
    expect(field).to_have_value("```python\n1\n```\nResult: 1\nOne.")
    # Where somebody copies out of a field of the webui it is what stands there.
    field.fill(marked)
    field.press("Control+a")
    field.press("Control+c")
    field.press("Control+v")
    expect(field).to_have_value(marked)


@behaviour("textgen:asking:bar")
def test_what_a_program_asks_is_answered_with_the_keyboard_alone(shown: Shown) -> None:
    shown.page.locator("#chat-input textarea").focus()
    shown.generate(on=True)
    expect(shown.query(5, "Your name?")).to_be_focused()
    shown.page.keyboard.type("Ann")
    shown.page.keyboard.press("Enter")
    expect(shown.bar).to_be_hidden()
    again = shown.query(6, "Again?")
    expect(again).to_be_focused()
    expect(again).to_have_value("")
    again.fill("Ben")
    shown.page.get_by_role("button", name="Send").click()
    expect(shown.bar).to_be_hidden()
    assert shown.pressed == ["answer 5 Ann", "answer 6 Ben"]


@behaviour("textgen:asking:bar")
def test_what_is_being_typed_stays_and_the_cursor_is_taken_from_nobody(shown: Shown) -> None:
    message = shown.page.locator("#chat-input textarea")
    message.fill("half a thought")
    shown.generate(on=True)
    field = shown.query(5, "Your name?")
    expect(message).to_be_focused()
    field.fill("An")
    for _ in range(2):
        shown.page.wait_for_event("response")
    expect(field).to_have_value("An")
    shown.page.get_by_role("button", name="Cancel").click()
    assert shown.pressed == ["cancel 5"]


@behaviour("textgen:asking:bar")
def test_a_question_that_was_answered_elsewhere_goes(shown: Shown) -> None:
    shown.generate(on=True)
    shown.query(5, "Your name? <b>x</b>").fill("An")
    shown.notice = {"kind": "busy", "number": 1}
    expect(shown.page.locator("#coderunner-line")).to_be_hidden()
    expect(shown.page.locator("#coderunner-line")).to_have_value("")


@behaviour("textgen:asking:password")
def test_a_password_is_masked_and_the_page_forgets_it(shown: Shown) -> None:
    shown.generate(on=True)
    field = shown.query(5, "Password:", password=True)
    expect(field).to_have_attribute("type", "password")
    field.fill("canary-7f3a")
    field.press("Enter")
    expect(shown.bar).to_be_hidden()
    assert shown.pressed == ["answer 5 canary-7f3a"]
    shown.page.wait_for_function("coderunnerLine() === ''")
    assert "canary" not in str(
        shown.page.evaluate("[...document.querySelectorAll('input')].map(x => x.value)")
    )
    assert "canary" not in shown.page.content()


class Listener(FormHandlers):
    """The form's panel, which notes what it is told of answers."""

    def __init__(self, extension: ExtensionState) -> None:
        super().__init__(extension)
        self.heard: SimpleQueue[tuple[str, Secret | None]] = SimpleQueue()

    def reply(self, number: str, line: Secret | None, chat: Chat) -> None:
        super().reply(number, line, chat)
        self.heard.put((number, line))


@behaviour("textgen:asking:bar")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio.*")
def test_gradio_brings_the_answer_and_its_number_to_the_desk(browser: Browser, tmp_path: Path) -> None:
    listener = Listener(ExtensionState.open(tmp_path))

    def build() -> FastAPI:
        with gr.Blocks() as blocks:
            Form(listener).bar()
        return cast("FastAPI", gr.mount_gradio_app(FastAPI(), blocks, path="/"))

    with served(build) as address:
        page = browser.new_page()
        page.goto(address)
        page.locator("#coderunner-cancel").wait_for(state="attached")
        page.evaluate("window.coderunnerNumber = () => '7'; window.coderunnerLine = () => 'Ann'")
        for button, line in (("answer", Secret("Ann")), ("cancel", None)):
            page.evaluate(f"document.querySelector('#coderunner-{button}').click()")
            assert listener.heard.get(timeout=BOUND) == ("7", line)
        assert page.evaluate("[...document.querySelectorAll('textarea, input')].some(x => x.value)") is False
        page.close()
