"""The blocks of a chat in the webui's page: in a real browser, on a page that makes and changes its messages
the way the webui does, in gradio's own app.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from modules import html_generator
from playwright.sync_api import Browser, Locator, Page, expect
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.reply import output_placeholders
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, chromium, served
from tests.hosts.textgen.test_people import CALLS, choose
from tests.hosts.textgen.webui import Webui, api_state, browser_page, gradio_app, stepped
from tests.kernel.servers import jupyter_server

pytestmark = MARKS

SUM = "Let me see.\n```python\nprint(10 + 5)\n```\n"
COUNTS = "```python\nn = globals().get('n', 0) + 1\nprint('run number', n)\n```\n"
TABLE = "```python\nfrom IPython.display import HTML, display\ndisplay(HTML('<b>bold</b>'))\n```\n"

# Morphs a message as the webui does: what is equal stays, what has an id keeps its element.
SKELETON = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="chat"></div>
<button id="Continue" onclick="continued = true"></button><script>
window.mounts = 0; window.continued = false;
new MutationObserver((all) => { for (const each of all) for (const node of each.addedNodes)
  mounts += node.nodeType !== 1 ? 0
    : node.querySelectorAll("code-runner-output").length + (node.localName === "code-runner-output");
}).observe(document.getElementById("chat"), { childList: true, subtree: true });
const morph = (here, there) => {
  for (const { name } of [...here.attributes]) if (!there.hasAttribute(name)) here.removeAttribute(name);
  for (const { name, value } of there.attributes) here.setAttribute(name, value);
  let node = here.firstChild;
  for (const want of [...there.childNodes]) {
    const keyed = want.id && here.querySelector(`[id="${want.id}"]`);
    if (keyed && keyed !== node) { here.insertBefore(keyed, node); node = keyed; }
    if (!node || node.nodeName !== want.nodeName || (node.id ?? "") !== (want.id ?? "")) {
      here.insertBefore(want, node);
      continue;
    }
    const next = node.nextSibling;
    if (node.nodeType !== 1) node.data = want.data;
    else if (!node.isEqualNode(want)) morph(node, want);
    node = next;
  }
  while (node) { const next = node.nextSibling; node.remove(); node = next; }
};
window.update = (html) => {
  const wanted = document.createElement("div");
  wanted.id = "chat";
  wanted.innerHTML = html;
  morph(document.getElementById("chat"), wanted);
};
const load = (x) => {
%s
};
load();
</script>"""


@dataclass
class Chat:
    """A chat of the webui, in a page of a real browser."""

    webui: Webui
    page: Page
    address: str

    def open(self) -> None:
        """Load the page, with the messages of its chat."""
        self.page.goto(f"{self.address}/webui")
        self.redraw()

    def redraw(self) -> None:
        """Show the messages as they are stored, as the webui does with a whole chat."""
        texts = [text for row in self.webui.history["visible"] for text in row]
        self.show("".join(map(message, texts)))

    def show(self, html: str) -> None:
        self.page.evaluate("html => update(html)", html)

    def say(self, *replies: str, each: Callable[[], None] = lambda: None) -> str:
        """Send a message, to which the model says `replies`; the page follows step by step."""
        from modules import chat

        self.webui.says(*replies)
        return self.follow(chat.generate_chat_reply_wrapper("?", self.webui.parameters()), each)

    def press(self, word: str) -> None:
        """Press a button with which the latest reply is to go on."""
        self.blocks.last.get_by_role("button", name=word, exact=True).click()
        self.page.wait_for_function("continued")

    def go_on(self, each: Callable[[], None] = lambda: None) -> str:
        """What the page's Continue does."""
        from modules import chat

        steps = chat.generate_chat_reply_wrapper("", self.webui.parameters(), _continue=True)
        return self.follow(steps, each)

    def regenerate(self, *replies: str) -> str:
        from modules import chat

        self.webui.says(*replies)
        steps = chat.generate_chat_reply_wrapper("", self.webui.parameters(), regenerate=True)
        return self.follow(steps, lambda: None)

    def follow(self, steps: Any, each: Callable[[], None]) -> str:
        before = "".join(message(text) for row in self.webui.history["visible"] for text in row)

        def draw(_reply: str) -> None:
            asked = self.webui.history["visible"][-1][0]
            earlier = before if len(self.webui.history["visible"]) > 1 else ""
            self.show(earlier + message(asked) + f'<div class="message-body">{self.webui.pages[-1]}</div>')
            each()

        with browser_page("a-page"):
            self.webui.follow(steps, draw)
        self.redraw()
        return self.webui.reply

    @property
    def blocks(self) -> Locator:
        return self.page.locator("code-runner-output")

    @property
    def mounts(self) -> int:
        return int(self.page.evaluate("mounts"))


def message(text: str) -> str:
    return f'<div class="message-body">{html_generator.convert_to_markdown_wrapped(text)}</div>'


def app() -> FastAPI:
    """Gradio's own app, beside a page that has our script."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(SKELETON % hooks.custom_js())

    return gradio_app([Route("/webui", page)])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def chat(webui: Webui, browser: Browser) -> Iterator[Chat]:
    webui.start()
    choose(approve="auto")
    with served(app) as address:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        its = Chat(webui, page, address)
        its.open()
        yield its
        page.close()
        assert complaints == []


def started_anew(*, keep: bool = False) -> None:
    """End the process as far as we are concerned, and start it again; `keep` leaves kernels on servers."""
    before = hooks.extension()
    before.sessions.io_thread.call(before.sessions.close_all(keep=keep), 30)
    before.records.close()
    hooks.extension.cache_clear()
    hooks.setup()


@behaviour("textgen:elements:shown")
def test_a_block_is_one_unit_in_the_reply_and_never_mounted_twice(chat: Chat) -> None:
    chat.say(TABLE, "That was bold.")
    expect(chat.blocks.locator(".cr-box b")).to_have_text("bold")
    expect(chat.blocks).to_contain_text("Done")
    assert chat.page.locator(".message-body").last.locator("> pre").count() == 0
    chat.say(SUM, "It is 15. " * 40)
    expect(chat.blocks.last.locator(".cr-outs")).to_have_text("15")
    assert chat.mounts == 2


@behaviour("textgen:elements:files")
def test_the_files_of_a_block_stand_below_it_also_after_a_restart(chat: Chat) -> None:
    chat.say("```python\nopen('out.csv', 'w').write('a,b\\n1,2\\n'); print('saved')\n```\n", "There it is.")
    assert "(Files: `out.csv` (8 bytes, new))" in chat.webui.reply
    expect(chat.blocks.locator(".cr-file")).to_contain_text("8 bytes")
    started_anew()
    with served(app) as chat.address:
        chat.open()
        chat.blocks.get_by_role("button", name="out.csv").click()
        expect(chat.blocks.locator("td")).to_have_text(["1", "2"])
        with chat.page.expect_download() as coming:
            chat.blocks.get_by_role("link", name="Download out.csv").click()
        assert Path(coming.value.path()).read_text() == "a,b\n1,2\n"


@behaviour("textgen:elements:prompt")
def test_the_model_reads_code_and_result_and_no_mark(chat: Chat) -> None:
    reply = chat.say(SUM, "It is 15.")
    assert output_placeholders.without(reply) == f"{SUM}Result: 15\nIt is 15."
    first, second = chat.webui.prompts
    assert second == f"{first}{SUM}Result: 15\n"
    chat.say("You are welcome.")
    (third,) = chat.webui.prompts
    assert "coderunner:" not in third
    assert f"{SUM}Result: 15\nIt is 15." in third


@behaviour("textgen:elements:records")
def test_outputs_are_there_after_a_reload_another_reply_anew_and_a_restart_and_nothing_runs(
    chat: Chat,
) -> None:
    chat.say(COUNTS, "So.")
    expect(chat.blocks.locator(".cr-outs")).to_have_text("run number 1")
    chat.open()
    expect(chat.blocks.locator(".cr-outs")).to_have_text("run number 1")
    chat.say(COUNTS, "Again.")
    chat.regenerate(COUNTS, "Once more.")
    expect(chat.blocks.locator(".cr-outs")).to_have_text(["run number 1", "run number 3"])
    started_anew()
    with served(app) as chat.address:
        chat.open()
        expect(chat.blocks.locator(".cr-outs")).to_have_text(["run number 1", "run number 3"])
        expect(chat.blocks.first).to_contain_text("What the model saw (1 line)")
    assert not any(session.status.state != "none" for session in hooks.extension().sessions.all())


@behaviour("textgen:elements:buttons")
def test_run_and_stop_are_buttons_of_the_block(chat: Chat) -> None:
    choose(approve="ask")
    pressed: list[str] = []

    def press() -> None:
        printed = chat.blocks.locator(".cr-outs").get_by_text("begun")
        button = chat.blocks.get_by_role("button", name="Stop", exact=True)
        if not pressed and button.count() and printed.count():
            pressed.append("Stop")
            button.click()

    chat.say("```python\nimport time\nprint('begun', flush=True)\ntime.sleep(600)\n```\n", "Well.")
    chat.press("Run")
    reply = chat.go_on(press)
    assert pressed == ["Stop"]
    assert reply.endswith("Well.")
    assert "the user stopped this block" in chat.webui.prompts[-1]
    expect(chat.blocks).to_contain_text("Stopped")
    expect(chat.blocks.locator(".cr-outs")).to_contain_text("begun")


def rewrite(chat: Chat, code: str) -> None:
    """Open the editor of the last block, put other code into it and run that."""
    chat.blocks.last.get_by_role("button", name="Edit", exact=True).first.click()
    expect(chat.page.locator(".cm-content")).to_be_focused()
    chat.page.keyboard.press("Control+a")
    chat.page.keyboard.insert_text(code)
    chat.page.keyboard.press("Control+Enter")
    expect(chat.page.locator(".cm-content")).to_have_count(0)


@behaviour("textgen:elements:edit")
def test_code_is_edited_before_it_runs_and_afterwards_and_shown_as_such_after_a_restart(chat: Chat) -> None:
    choose(approve="ask")
    chat.say("```python\nprint('as written')\n```\n", "Well.")
    rewrite(chat, "print('as changed')")
    chat.page.wait_for_function("continued")
    reply = chat.go_on()
    assert "The user changed this block before it ran:\n```diff\n-print('as written')\n" in reply
    expect(chat.blocks.locator(".cr-outs")).to_have_text("as changed")
    expect(chat.blocks).to_contain_text("Edited before it ran")
    rewrite(chat, "print('once more')")
    expect(chat.blocks.locator(".cr-again .cr-outs")).to_have_text("once more")
    expect(chat.blocks.locator(".cr-again .cr-diff")).to_contain_text("print('as changed')")
    # What it came to is told with the message after its end.
    expect(chat.blocks.locator(".cr-again")).to_contain_text("Done")
    chat.open()
    expect(chat.blocks.locator(".cr-outs").first).to_have_text("as changed")
    expect(chat.blocks.locator(".cr-again .cr-outs")).to_have_text("once more")
    chat.say("I see.")
    assert "-print('as changed')\n+print('once more')" in chat.webui.prompts[0]
    assert hooks.extension().records.settle()
    started_anew()
    with served(app) as chat.address:
        chat.open()
        expect(chat.blocks.first).to_contain_text("Edited before it ran")
        expect(chat.blocks.locator(".cr-diff").first).to_contain_text("print('as written')")
        expect(chat.blocks.locator(".cr-again .cr-diff")).to_contain_text("print('as changed')")


@behaviour("textgen:elements:keys")
def test_keys_that_are_pressed_in_a_block_are_not_the_webuis(chat: Chat) -> None:
    chat.say("```python\nprint('as written')\n```\n", "Well.")
    # As the webui listens: Ctrl+Enter, and an arrow outside of a field, write a reply anew; Escape stops it.
    chat.page.evaluate("document.addEventListener('keydown', ({ key }) => (window.heard ??= []).push(key))")
    chat.blocks.last.get_by_role("button", name="Edit", exact=True).first.click()
    expect(chat.page.locator(".cm-content")).to_be_focused()
    for key in ("ArrowRight", "ArrowLeft", "Control+End", "#", "Escape"):
        chat.page.keyboard.press(key)
    chat.blocks.last.get_by_role("button", name="Keep editing").click()
    chat.page.keyboard.press("Control+Enter")
    expect(chat.page.locator(".cm-content")).to_have_count(0)
    expect(chat.blocks.locator(".cr-again .cr-outs")).to_have_text("as written")
    chat.page.keyboard.press("ArrowLeft")
    assert chat.page.evaluate("window.heard") is None
    # From a button they go on.
    chat.blocks.last.get_by_role("button", name="Copy", exact=True).first.press("Control+Enter")
    assert chat.page.evaluate("window.heard") == ["Control", "Enter"]


@behaviour("textgen:elements:always")
def test_always_here_asks_no_more_in_this_chat(chat: Chat) -> None:
    choose(approve="ask")
    chat.say(COUNTS, COUNTS, "Twice.")
    chat.press("Always allow in this chat")
    assert chat.go_on().endswith("Twice.")
    expect(chat.blocks.locator(".cr-outs")).to_have_text(["run number 1", "run number 2"])


@behaviour("textgen:tools")
@pytest.mark.usefixtures("shop")
def test_a_tool_is_allowed_by_a_button_of_its_block(chat: Chat) -> None:
    allow = chat.blocks.get_by_role("button", name="Allow for this chat", exact=True)

    pressed: list[bool] = []

    def press() -> None:
        if allow.count() and not pressed:
            pressed.append(True)
            expect(chat.blocks.locator(".cr-question")).to_contain_text(
                "to call add(a=10, b=5) of the server"
            )
            allow.click()

    reply = chat.say(CALLS, "It is 15.", each=press)
    assert "Result: 15" in reply
    expect(chat.blocks).to_contain_text("add(a=10, b=5)")
    expect(chat.blocks.locator(".cr-question")).to_be_hidden()


@behaviour("textgen:elements:again")
def test_run_again_is_a_run_of_its_own_beside_the_old_one_and_the_model_hears_of_it(chat: Chat) -> None:
    chat.say(COUNTS, "So.")
    chat.blocks.get_by_role("button", name="Run again").click()
    expect(chat.blocks.locator(".cr-again .cr-outs")).to_have_text("run number 2")
    expect(chat.blocks.locator(".cr-outs").first).to_have_text("run number 1")
    chat.open()
    expect(chat.blocks.locator(".cr-again .cr-outs")).to_have_text("run number 2")
    chat.say("I see.")
    assert "reran the block of this conversation" in chat.webui.prompts[0]
    assert "run number 2" in chat.webui.prompts[0]


@behaviour("textgen:elements:later")
def test_what_threads_show_later_comes_into_their_block_and_stays(chat: Chat) -> None:
    chat.say(
        "```python\nimport threading\nthreading.Timer(1.0, lambda: print('late word')).start()\n```\n", "So."
    )
    expect(chat.blocks.locator(".cr-outs")).to_contain_text("late word")
    assert hooks.extension().records.settle()
    started_anew()
    with served(app) as chat.address:
        chat.open()
        expect(chat.blocks.locator(".cr-outs")).to_contain_text("late word")


SLIDER = """```python
import ipywidgets as w
slider, label = w.IntSlider(value=7), w.Label('square 49')
slider.observe(lambda change: setattr(label, 'value', f'square {change.new ** 2}'), 'value')
display(w.VBox([slider, label]))
```
"""


@behaviour("textgen:elements:linked-again")
def test_a_slider_moves_again_when_the_webui_was_started_anew_and_its_kernel_lives_on_a_server(
    chat: Chat, tmp_path: Path
) -> None:
    with jupyter_server(tmp_path, token="canary") as jupyter:
        choose(kernel="server", server=jupyter.url, token="canary", approve="auto")
        chat.say(SLIDER, "Move it.")
        frame = chat.blocks.frame_locator("iframe").frame_locator("iframe")
        frame.get_by_role("slider").press("ArrowRight")
        expect(frame.get_by_text("square 64")).to_be_visible()
        kernels = jupyter.kernels()
        started_anew(keep=True)
        with served(app) as chat.address:
            chat.open()
            expect(frame.get_by_text("square 64")).to_be_visible()
            expect(frame.get_by_text("Not connected to a kernel")).to_have_count(0)
            frame.get_by_role("slider").press("ArrowRight")
            expect(frame.get_by_text("square 81")).to_be_visible()
        assert jupyter.kernels() == kernels


@behaviour("textgen:elements:whole")
def test_a_long_text_is_whole_where_its_block_is_expanded(chat: Chat) -> None:
    chat.say("```python\nfor n in range(20_000): print(f'{n:05}')\n```\n", "Many.")
    chat.open()
    text = chat.blocks.locator(".cr-outs .cr-text")
    expect(text).to_contain_text("10,000 lines, 60,000 characters left out")
    chat.blocks.get_by_label("More", exact=True).click()
    chat.blocks.get_by_role("button", name="Expand").click()
    expect(text).to_have_text("".join(f"{n:05}\n" for n in range(20_000)))


@behaviour("textgen:elements:otherwise")
def test_where_a_block_is_not_known_any_more_its_code_and_result_are_seen(chat: Chat) -> None:
    chat.say(SUM, "It is 15.")
    history = json.dumps(chat.webui.history)
    message, _, _ = str(chat.webui.history["metadata"]["assistant_0"]["coderunner"]).partition(" ")
    chat.webui.history = json.loads(history.replace(message, "f" * 32))
    chat.open()
    expect(chat.blocks).to_contain_text("print(10 + 5)")
    expect(chat.blocks).to_contain_text("Result: 15")
    expect(chat.blocks.locator("pre")).to_be_visible()


@behaviour("textgen:elements:api")
def test_an_api_clients_reply_has_no_marks(webui: Webui) -> None:
    from modules import chat

    webui.start()
    choose(approve="auto", api=True)
    webui.says(SUM, "It is 15.")
    answered = "".join(text for _thought, text in stepped(chat.api_chat("?", api_state(), stream=True)))
    assert answered == f"{SUM}Result: 15\nIt is 15."
