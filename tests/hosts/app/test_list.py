"""The list of conversations, and what is there after the app was started anew."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import Browser, Page, expect

from coderunner.ending_sentences import REPLIES
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.page.list_updates import ListUpdates
from coderunner.hosts.app.server import App
from coderunner.records.database import run_queries
from coderunner.records.database.schema import RUNS
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import (
    BOUND,
    MARKS,
    Seat,
    Visitor,
    address_of,
    served,
    started,
    visitor,
)
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS

HERE = re.compile(r"/\?c=([\w-]{22,})$")


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


def begin(somebody: Visitor, words: str) -> str:
    """Begin a conversation with a message; gives its id once the page's address has it."""
    if somebody.feet.count():
        somebody.page.get_by_role("button", name="New chat").click()
        expect(somebody.feet).to_have_count(0)
    somebody.ask(words)
    expect(somebody.rows.first).to_contain_text(words.split()[-1])
    expect(somebody.page).to_have_url(HERE)
    return identity(somebody.page)


def identity(page: Page) -> str:
    found = HERE.search(page.url)
    assert found is not None
    return found[1]


def answer_the_question(somebody: Visitor, row: str, word: str) -> None:
    """Ask for the end of a conversation with the keyboard, and answer the question."""
    somebody.rows.filter(has_text=row).locator("a").press("Delete")
    dialog = somebody.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Delete “{row}”?")
    dialog.get_by_role("button", name=word, exact=True).press("Enter")
    expect(dialog).to_have_count(0)


@behaviour("app:list:address")
def test_conversations_are_listed_opened_named_and_found(somebody: Visitor) -> None:
    first = begin(somebody, "About apples")
    second = begin(somebody, "About pears")
    expect(somebody.page).to_have_title("About pears · CodeRunner")
    somebody.rows.filter(has_text="apples").locator("a").click()
    expect(somebody.replies).to_contain_text("About apples")
    expect(somebody.page).to_have_url(re.compile(first))
    somebody.page.go_back()
    expect(somebody.replies).to_contain_text("About pears")
    assert identity(somebody.page) == second
    somebody.page.go_forward()
    expect(somebody.replies).to_contain_text("About apples")
    somebody.rows.filter(has_text="apples").locator("a").press("F2")
    somebody.page.keyboard.type("Fruit")
    somebody.page.keyboard.press("Enter")
    expect(somebody.rows.filter(has_text="Fruit")).to_have_count(1)
    expect(somebody.page).to_have_title("Fruit · CodeRunner")
    somebody.page.get_by_label("Search conversations").fill("about APPLES")
    expect(somebody.rows).to_have_text(["Fruit"])
    somebody.page.get_by_label("Search conversations").fill("")
    expect(somebody.rows.filter(has_text="About pears")).to_have_count(1)


@behaviour("app:list:address")
def test_a_name_that_is_being_typed_is_not_lost_when_the_message_box_takes_the_focus(
    somebody: Visitor,
) -> None:
    begin(somebody, "About plums")
    somebody.rows.filter(has_text="plums").locator("a").press("F2")
    somebody.page.keyboard.type("Fr")
    somebody.page.get_by_placeholder("Ask a question").evaluate("box => box.focus()")
    field = somebody.page.get_by_label("Name of the conversation")
    expect(field).to_be_focused()
    somebody.page.keyboard.type("esh")
    expect(field).to_have_value("Fresh")
    somebody.page.get_by_placeholder("Ask a question").click()
    expect(field).to_have_count(0)
    expect(somebody.rows.filter(has_text="Fresh")).to_have_count(1)


@behaviour("app:list:delete")
def test_what_is_deleted_is_stopped_and_gone_with_its_kernel_and_runs(somebody: Visitor, app: App) -> None:
    which = begin(somebody, "Doomed")
    label = kernel_label(which)
    somebody.say("```python\nimport time\nopen('kept', 'w')\nprint('on')\ntime.sleep(60)\n```\n")
    expect(somebody.blocks.locator(".cr-out")).to_have_text("on\n")
    somebody.rows.filter(has_text="Doomed").locator("a").press("Delete")
    kept = f"Its files are kept. The files of this chat are in {app.sessions.directory(label)}"
    expect(somebody.page.get_by_role("dialog")).to_contain_text(kept)
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.get_by_role("dialog")).to_have_count(0)
    assert app.sessions.get(label, app.choices.where).busy
    answer_the_question(somebody, "Doomed", "Delete")
    expect(somebody.rows.filter(has_text="Doomed")).to_have_count(0)
    expect(somebody.blocks).to_have_count(0)
    expect(somebody.page).to_have_url(f"{somebody.address}/")
    assert app.records.of(label) == []
    assert label not in [session.conversation for session in app.sessions.all()]
    begin(somebody, "After it")


CAME_BACK = """
new MutationObserver(() => {
  if (document.querySelector("#cr-list").textContent.includes("Named elsewhere")) window.cameBack = true;
}).observe(document.querySelector("#cr-list"), { childList: true, subtree: true, characterData: true });
"""


@behaviour("app:list:order")
def test_a_row_that_a_late_answer_brings_back_goes_again(
    somebody: Visitor, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = begin(somebody, "Doomed late")
    update, listed, go = ListUpdates.update, Event(), Event()

    async def late(self: ListUpdates, *arguments: str) -> object:
        """The next list is made when the row has another name, and given when the row is gone."""
        answer = await update(self, *arguments)
        if not listed.is_set():
            listed.set()
            await asyncio.to_thread(go.wait, BOUND)
        return answer

    somebody.page.evaluate(CAME_BACK)
    monkeypatch.setattr(ListUpdates, "update", late)
    assert app.records.conversations.rename(which, "Named elsewhere")
    assert listed.wait(BOUND)
    answer_the_question(somebody, "Doomed late", "Delete")
    expect(somebody.rows.filter(has_text="Doomed late")).to_have_count(0)
    go.set()
    somebody.page.wait_for_function("window.cameBack")
    expect(somebody.rows.filter(has_text="Named elsewhere")).to_have_count(0)
    expect(somebody.page).to_have_url(f"{somebody.address}/")


@behaviour("app:list:notebook")
def test_a_conversation_is_downloaded_as_a_notebook(somebody: Visitor, tmp_path: Path) -> None:
    import nbformat  # here: its import takes seconds, in each worker

    which = begin(somebody, "```python\nprint(10 + 5)\n```\n")
    expect(somebody.feet).to_have_count(1)
    row = somebody.rows.first
    row.hover()
    with somebody.page.expect_download() as download:
        row.get_by_role("button", name="Download as a notebook").click()
    assert download.value.suggested_filename.endswith(".ipynb")
    notebook = nbformat.read(download.value.path(), as_version=4)
    nbformat.validate(notebook)
    (cell,) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert (cell.source, cell.outputs[0].text) == ("print(10 + 5)", "15\n")
    answers = [
        somebody.page.request.get(f"{somebody.address}/coderunner/notebook?c={which}{more}")
        for more in ("", "x")
    ]
    assert [answer.status for answer in answers] == [200, 404]


@behaviour("app:list:notebook:missing")
def test_the_page_says_what_a_notebook_lacks(somebody: Visitor, app: App) -> None:
    which = begin(somebody, "```python\nprint(10 + 5)\n```\n")
    expect(somebody.feet).to_have_count(1)
    row = somebody.rows.first
    row.hover()
    assert app.records.settle()
    app.records._store.write(run_queries.remove, RUNS.c.conversation == kernel_label(which))
    with somebody.page.expect_download():
        row.get_by_role("button", name="Download as a notebook").click()
    expect(somebody.page.get_by_text("The notebook lacks what a block showed")).to_be_visible()


@behaviour("app:list:missing")
def test_an_address_of_nothing_says_so(somebody: Visitor) -> None:
    somebody.page.goto(f"{somebody.address}/?c=guess")
    somebody.complaints.clear()  # a page that is left says so
    expect(somebody.page.locator("#cr-top")).to_contain_text("no longer exists")
    expect(somebody.page).to_have_url(f"{somebody.address}/")
    begin(somebody, "In its place")


@behaviour("app:list:tabs")
def test_two_tabs_are_in_step_and_a_reply_goes_on_behind_another_conversation(somebody: Visitor) -> None:
    begin(somebody, "A quiet one")
    other = Visitor(somebody.context, somebody.address).open()
    expect(other.replies).to_contain_text("A quiet one")
    somebody.page.get_by_role("button", name="New chat").click()
    expect(somebody.feet).to_have_count(0)
    somebody.say("endless")
    expect(somebody.replies).to_contain_text("tick3 ")
    expect(other.rows.first).to_have_text("endless")
    expect(other.rows.first.locator(".cr-dot")).to_have_attribute("title", "Writing a reply")
    somebody.rows.filter(has_text="A quiet one").locator("a").click()
    expect(somebody.replies).to_contain_text("A quiet one")
    other.rows.first.locator("a").click()
    expect(other.replies).to_contain_text("tick3 ")
    other.stop()
    expect(other.feet).to_have_count(1)
    expect(somebody.replies).to_contain_text("A quiet one")
    answer_the_question(other, "A quiet one", "Delete")
    expect(somebody.feet).to_have_count(0)
    expect(somebody.rows.filter(has_text="A quiet one")).to_have_count(0)


# --- after a new start


@behaviour("app:kept:killed")
@pytest.mark.timeout(240)  # a start, which imports Gradio
def test_after_kill_the_conversation_is_there_and_nothing_runs_twice(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    flags = ["--model-url", f"{parrot[1]}/v1", "--model", "parrot", "--approve", "auto", "--port", "0"]
    flags += ["--data-dir", str(tmp_path / "data")]
    ran = tmp_path / "ran"
    code = f"import time\nopen({str(ran)!r}, 'a').write('once ')\nprint('begun')\ntime.sleep(60)"
    with started(*flags) as process, visitor(browser, address_of(process)) as somebody:
        which = begin(somebody, "```python\nx = 15\nprint(x)\n```\n")
        somebody.say(f"So\n```python\n{code}\n```\n")
        expect(somebody.blocks.last.locator(".cr-out")).to_have_text("begun\n")
        somebody.page.wait_for_timeout(600)
        process.kill()
        process.wait()
        somebody.complaints.clear()
    # The next process is this one: a second start of the command would only import Gradio once more.
    chosen = {
        "model_url": f"{parrot[1]}/v1",
        "model": "parrot",
        "approve": "auto",
        "data_dir": tmp_path / "data",
    }
    with served(App(load(chosen)).asgi) as address, visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        somebody.page.goto(f"{address}/?c={which}")
        somebody.complaints.clear()
        expect(somebody.rows).to_have_text(["```python x = 15 print(x) ```"])
        expect(somebody.blocks.locator(".cr-out")).to_have_text(["15\n", "begun\n"])
        expect(somebody.blocks.locator(".cr-state")).to_contain_text(
            ["Done", "CodeRunner stopped while it ran"]
        )
        expect(somebody.replies.last).to_contain_text(REPLIES["ended"])
        somebody.ask("And now?")
        told = parrot[0].asked[-1]["messages"][-1]["content"]
        assert "CodeRunner stopped while it ran" in told
        assert told.endswith("\nAnd now?")
        assert somebody.run("print('x' in globals())") == "False"
        expect(somebody.blocks.last).to_contain_text("earlier variables are gone")
        assert parrot[0].asked[-1]["messages"][-3]["content"].count("CodeRunner stopped while it ran") == 1
        assert ran.read_text() == "once "


@behaviour("app:kept:ended")
@pytest.mark.timeout(240)  # a start, which imports Gradio
def test_after_sigterm_no_block_is_said_to_have_kept_variables(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    flags = ["--model-url", f"{parrot[1]}/v1", "--model", "parrot", "--approve", "auto", "--port", "0"]
    flags += ["--data-dir", str(tmp_path / "data")]
    with started(*flags) as process, visitor(browser, address_of(process)) as somebody:
        which = begin(somebody, "```python\nx = 15\nprint(x)\n```\n")
        somebody.say("```python\nimport time\nprint('begun')\ntime.sleep(60)\n```\n")
        expect(somebody.blocks.last.locator(".cr-out")).to_have_text("begun\n")
        process.terminate()
        process.wait()
        somebody.complaints.clear()
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto"}
    app = App(load({**chosen, "data_dir": tmp_path / "data"}))
    with served(app.asgi) as address, visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        somebody.page.goto(f"{address}/?c={which}")
        somebody.complaints.clear()
        state = somebody.blocks.last.locator(".cr-state")
        expect(state).to_contain_text("variables are gone · CodeRunner was stopped")
        somebody.ask("And now?")
        told = "".join(each["content"] for each in parrot[0].asked[-1]["messages"])
        assert "variables are gone; CodeRunner was stopped" in told
        assert "variables are kept" not in told.partition("And now?")[0].rpartition("begun")[2]
        assert somebody.run("print('x' in globals())") == "False"
        expect(somebody.blocks.last).to_contain_text("earlier variables are gone")


# --- many of them

SIZES = [(800, 600), (1280, 400), (1280, 720)]

NOT_HIT = """() => {
    const list = document.querySelector("#cr-list").getBoundingClientRect();
    const seen = [...document.querySelectorAll("#cr-left :is(button, textarea, a)")].filter((each) => {
        const { top, bottom, width } = each.getBoundingClientRect();
        const listed = each.closest("#cr-list");
        return width && (!listed || (top >= list.top && bottom <= list.bottom && each.matches("a")));
    });
    return seen.filter((each) => {
        const { left, top, width, height } = each.getBoundingClientRect();
        return !each.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    }).map((each) => each.outerHTML);
}"""
"""The buttons, fields and links at the side that another one lies over, or that are out of sight."""


def each_takes_its_click(somebody: Visitor) -> None:
    somebody.page.wait_for_function(f"({NOT_HIT})().length === 0")
    somebody.rows.last.scroll_into_view_if_needed()
    assert somebody.page.evaluate(NOT_HIT) == []
    somebody.page.locator("#cr-rerun").click()
    toast = somebody.page.locator(".toast-body")
    expect(toast).to_contain_text("No block")
    somebody.page.evaluate("document.querySelectorAll('.toast-close').forEach(each => each.click())")
    expect(toast).to_have_count(0)
    somebody.rows.first.scroll_into_view_if_needed()


@behaviour("app:list:many")
def test_however_many_there_are_each_button_below_them_takes_its_click(
    browser: Browser, parrot: tuple[Parrot, str], tmp_path: Path
) -> None:
    app = App(load({"model_url": f"{parrot[1]}/v1", "model": "parrot", "data_dir": tmp_path}))
    narrow = {"width": 390, "height": 800}
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        for begin, count in ((0, 40), (40, 200)):
            for number in range(begin, count):
                app.archive.keep(f"a-conversation-of-the-past-{number}", [Message("user", f"Talk {number}")])
            assert app.records.settle(BOUND)
            somebody.open()
            expect(somebody.rows).to_have_count(count)
            for width, height in SIZES:
                somebody.page.set_viewport_size({"width": width, "height": height})
                each_takes_its_click(somebody)
        first, last = somebody.rows.first.locator("a"), somebody.rows.last.locator("a")
        first.press("End")
        expect(last).to_be_focused()
        expect(last).to_have_attribute("tabindex", "0")
        expect(first).to_have_attribute("tabindex", "-1")
        last.press("Enter")
        expect(last).to_have_attribute("aria-current", "page")
        expect(somebody.page).to_have_url(HERE)
        somebody.open()
        expect(last).to_have_attribute("aria-current", "page")
        expect(last).to_be_in_viewport()
        with visitor(browser, address, viewport=narrow) as other:
            expect(other.rows).to_have_count(count)
            expect(other.page.locator("body.cr-ready #cr-left:not(.open)")).to_have_count(1)
            other.page.locator("#cr-left .toggle-button").click()
            each_takes_its_click(other)
