"""Versions of messages at the page, and the list: titles by the model, dates, pinned conversations."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Locator, expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS

SLIDER = """```python
import ipywidgets as w
runs = globals().get('runs', 0) + 1
slider = w.IntSlider(value=7, description=f'run {runs}')
slider
```
"""


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


def edit(somebody: Visitor, number: int, text: str) -> None:
    """Edit a message of one's own, and wait for the answer."""
    row = somebody.page.locator("#cr-chat .user-row").nth(number)
    row.hover()
    row.get_by_role("button", name="Edit", exact=True).click()
    row.get_by_label("Edit the message").fill(text)
    row.get_by_role("button", name="Send", exact=True).click()
    expect(somebody.page.locator("#cr-chat .cr-said").nth(number)).to_have_text(text)
    expect(somebody.feet).to_have_count(number + 1)


def versions(somebody: Visitor) -> Locator:
    return somebody.page.locator("#cr-chat .cr-versions")


def go(somebody: Visitor, label: str) -> None:
    somebody.page.get_by_role("button", name=f"{label} version").last.click()


def said(somebody: Visitor) -> Locator:
    return somebody.page.locator("#cr-chat .cr-said")


@behaviour("app:versions:switched")
def test_an_edited_message_is_a_press_away_in_both_tabs_and_after_a_reload(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.ask("about <b>apples</b>")
    somebody.ask("their colour")
    edit(somebody, 0, "about pears")
    expect(versions(somebody)).to_have_text(["‹2/2›"])
    assert said(somebody).evaluate("message => message.offsetWidth") > 80
    expect(somebody.page.get_by_role("button", name="Next version")).to_be_disabled()
    other = Visitor(somebody.context, somebody.page.url).open()
    expect(said(other)).to_have_text(["about pears"])
    go(somebody, "Previous")
    expect(said(somebody)).to_have_text(["about <b>apples</b>", "their colour"])
    # The keyboard stays at the buttons, which are drawn anew.
    expect(somebody.page.get_by_role("button", name="Next version")).to_be_focused()
    expect(said(other)).to_have_text(["about <b>apples</b>", "their colour"])
    somebody.ask("their taste")
    asked = [each["content"] for each in parrot[0].asked[-1]["messages"] if each["role"] == "user"]
    assert asked == ["about <b>apples</b>", "their colour", "their taste"]
    other.page.get_by_role("button", name="Next version").press("Enter")
    expect(said(somebody)).to_have_text(["about pears"])
    somebody.open()
    expect(said(somebody)).to_have_text(["about pears"])
    go(somebody, "Previous")
    expect(said(somebody)).to_have_count(3)


@behaviour("app:versions:switched")
def test_a_retried_reply_comes_back_with_its_widget_and_runs_nothing(somebody: Visitor, app: App) -> None:
    somebody.ask(SLIDER)
    slider = widget(somebody)
    slider.get_by_role("slider").press("ArrowRight")
    expect(slider.locator(".widget-readout")).to_have_text("8")
    somebody.page.get_by_label("Retry").click()
    expect(widget(somebody).get_by_text("run 2")).to_be_visible()
    expect(versions(somebody)).to_have_text(["‹2/2›"])
    go(somebody, "Previous")
    expect(somebody.page.get_by_text("The kernel's variables stay as they are.").last).to_be_visible()
    expect(widget(somebody).get_by_text("run 1")).to_be_visible()
    expect(widget(somebody).locator(".widget-readout")).to_have_text("8")
    assert somebody.run("print(runs)") == "2"
    label = kernel_label(somebody.page.url.rpartition("c=")[2])
    assert len(app.records.of(label)) == 3


@behaviour("app:versions:typed")
def test_what_is_typed_in_a_message_that_another_tab_edits_goes_to_the_message_box(somebody: Visitor) -> None:
    somebody.ask("about apples")
    other = Visitor(somebody.context, somebody.page.url).open()
    expect(said(other)).to_have_text(["about apples"])
    other.box.fill("begun")
    row = other.page.locator("#cr-chat .user-row")
    row.hover()
    row.get_by_role("button", name="Edit", exact=True).click()
    row.get_by_label("Edit the message").fill("about plums")
    edit(somebody, 0, "about pears")
    expect(other.box).to_have_value("begun\n\nabout plums")
    expect(other.page.get_by_text("This message has another version by now.")).to_be_visible()
    # As it goes where both send at the same time.
    late = {"conversation": other.page.evaluate("window.coderunner.shown()"), "message": 1, "text": "late"}
    other.page.evaluate("late => window.coderunner.tell('cr-edited', JSON.stringify(late))", late)
    expect(other.box).to_have_value("begun\n\nabout plums\n\nlate")


@behaviour("app:versions:draft")
def test_what_is_typed_in_a_message_outlives_a_reload_until_it_is_cancelled_or_sent(
    somebody: Visitor,
) -> None:
    somebody.ask("about apples")
    row = somebody.page.locator("#cr-chat .user-row")
    row.hover()
    row.get_by_role("button", name="Edit", exact=True).click()
    row.get_by_label("Edit the message").fill("about apples and plums")
    somebody.page.reload()
    expect(row.get_by_label("Edit the message")).to_have_value("about apples and plums")
    somebody.complaints.clear()  # a page that is left says so
    row.get_by_role("button", name="Cancel", exact=True).click()
    somebody.page.reload()
    expect(somebody.feet).to_have_count(1)
    expect(somebody.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
    expect(row.get_by_label("Edit the message")).to_have_count(0)
    somebody.complaints.clear()
    edit(somebody, 0, "about pears")
    assert (
        somebody.page.evaluate("Object.keys(sessionStorage).filter(each => each.includes('message'))") == []
    )


@behaviour("app:draft:reload")
def test_what_stands_in_the_message_box_outlives_a_reload_until_it_is_sent(somebody: Visitor) -> None:
    for _ in range(2):
        somebody.box.fill("about apples")
        somebody.page.reload()
        expect(somebody.box).to_have_value("about apples")
        somebody.complaints.clear()  # a page that is left says so
        # The page may draw the box empty once more; what was typed outlives a reload in that moment, too.
        somebody.page.locator("#cr-box textarea").evaluate("box => { box.value = '' }")
        somebody.page.reload()  # and once more, with nothing typed since
        expect(somebody.box).to_have_value("about apples")
        somebody.complaints.clear()
        expect(somebody.page.locator("#cr-kernel .cr-kernel-status")).to_be_visible()
        somebody.ask("about apples")
        expect(somebody.box).to_have_value("")
        somebody.page.reload()
        expect(somebody.page.locator("#cr-chat .cr-own").first).to_be_visible()
        somebody.complaints.clear()
        assert somebody.page.evaluate("sessionStorage.getItem('coderunner-draft')") is None
        expect(somebody.box).to_have_value("")


@behaviour("app:versions:refused")
def test_while_a_reply_is_written_switching_says_to_stop_it_first(somebody: Visitor) -> None:
    somebody.ask("one")
    edit(somebody, 0, "two")
    somebody.say("endless")
    expect(somebody.replies.last).to_contain_text("tick3 ")
    go(somebody, "Previous")
    expect(somebody.page.get_by_text("A reply is still being written. Stop it first.")).to_be_visible()
    expect(said(somebody)).to_have_text(["two", "endless"])
    somebody.stop()
    expect(somebody.feet).to_have_count(2)
    go(somebody, "Previous")
    expect(said(somebody)).to_have_text(["one"])


def widget(somebody: Visitor) -> FrameLocator:
    block = somebody.page.locator("code-runner-output").first
    return block.frame_locator("iframe >> nth=0").frame_locator("iframe")


@behaviour("app:list:pinned")
def test_a_conversation_is_pinned_from_its_row_or_by_a_key_in_all_tabs(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.ask("the first one")
    # The row that is open shows its title in the width that it has, though a click has left the focus there.
    somebody.rows.first.locator("a").click()
    somebody.page.mouse.move(700, 300)
    title, row = somebody.rows.first.locator("a > span"), somebody.rows.first
    share = title.evaluate("title => title.offsetWidth") / row.evaluate("row => row.offsetWidth")
    assert share > 0.85
    somebody.page.locator("#cr-new").click()
    expect(somebody.feet).to_have_count(0)
    parrot[0].title = "Two <i>by the model</i>"
    somebody.ask("the second one")
    parrot[0].title = ""
    # Titles come by themselves.
    expect(somebody.rows.first).to_have_text("Two <i>by the model</i>")
    expect(somebody.page).to_have_title("Two <i>by the model</i> · CodeRunner")
    other = Visitor(somebody.context, somebody.page.url).open()
    row = somebody.rows.filter(has_text="the first one")
    expect(row.locator("a")).to_have_attribute(
        "title", re.compile(r"^the first one\n\w+, \d+ \w+ \d{4}, \d\d:\d\d$")
    )
    row.hover()
    row.get_by_role("button", name="Pin", exact=False).first.click()
    for page in (somebody, other):
        expect(page.page.locator("#cr-list .cr-when")).to_have_text(["Pinned", "Today"])
        expect(page.rows.first).to_have_text("the first one")
    other.rows.first.locator("a").press("p")
    expect(somebody.page.locator("#cr-list .cr-when")).to_have_text(["Today"])
    expect(other.rows.first).not_to_have_text("the first one")
    expect(other.rows.filter(has_text="the first one").locator("a")).to_be_focused()
