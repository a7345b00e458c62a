"""The tab *Variables* and the rows of a table, on one page that is loaded once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.page.server.routes import HEADER
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, client, served
from tests.hosts.app.parrot import Parrot
from tests.hosts.app.test_widgets import conversation, started

pytestmark = MARKS

MADE = """
import pandas as pd
x, text = 42, "<b>bold</b> & more"
class Point: pass
point = Point()
frame = pd.DataFrame({"city": [f"city {n}" for n in range(120)], "people": range(120, 0, -1)})
def double(value): return 2 * value
"""


@pytest.fixture(scope="module")
def app(parrot: tuple[Parrot, str], tmp_path_factory: pytest.TempPathFactory) -> App:
    return started(parrot, Path(tmp_path_factory.mktemp("variables")))


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    with served(app.asgi) as address:
        yield address


@pytest.fixture
def somebody(seat: Seat) -> Iterator[Visitor]:
    with seat.taken() as somebody:
        yield somebody


GAP = """usage => usage.getBoundingClientRect().top
    - document.querySelector("#cr-kernel .cr-kernel-status").getBoundingClientRect().bottom"""
"""Pixels between the kernel's lines and what it uses."""


@behaviour("app:variables:panel")
def test_the_panel_lists_what_a_block_has_defined_and_filters_it(somebody: Visitor) -> None:
    page = somebody.page
    page.locator("[data-cr-panel=variables]").click()
    panel = page.locator("code-runner-variables")
    expect(panel.get_by_text("No kernel runs for this conversation")).to_be_visible()
    somebody.run(MADE)
    names = panel.locator(".cr-variable-list").first.locator(".cr-name")
    expect(names).to_have_text(["frame", "point", "text", "x"])
    expect(page.locator("[data-cr-panel=variables] .cr-count")).to_have_text("4")
    expect(panel.locator("[data-name=frame]")).to_contain_text("DataFrame 120 × 2")
    expect(panel.locator("[data-name=text] .cr-value")).to_have_text("'<b>bold</b> & more'")
    expect(panel.locator("[data-name=point] .cr-value")).to_have_text("<Point>")
    panel.get_by_text("Functions, classes and modules (3)").click()
    expect(panel.locator("[data-name=double]")).to_contain_text("double(value)")
    panel.get_by_role("searchbox").fill("FRAME")
    expect(names).to_have_text(["frame"])
    panel.get_by_role("searchbox").fill("")
    somebody.run("x += 1\ndel point")
    expect(names).to_have_text(["frame", "text", "x"])
    expect(panel.locator(".cr-changed .cr-name")).to_have_text(["x"])
    panel.locator("[data-name=x] .cr-mention").click()
    expect(somebody.box).to_have_value("@x ")
    expect(page.locator("code-runner-usage")).to_have_text(re.compile(r"^\d+ MB"))
    # Right below the kernel's own lines: a line of 18 pixels would fit between what does not belong together.
    assert page.locator("code-runner-usage").evaluate(GAP) < 6


@behaviour("app:variables:counted")
def test_while_nobody_looks_at_the_variables_the_page_asks_only_how_many_there_are(
    somebody: Visitor,
) -> None:
    page, asked = somebody.page, list[str]()
    page.on("request", lambda request: asked.append(request.url) if "/variables?" in request.url else None)
    somebody.run("import os\na, b, c = 1, 2, 3\ndef double(value): return 2 * value")
    expect(page.locator("[data-cr-panel=variables] .cr-count")).to_have_text("3")
    assert asked
    assert [url for url in asked if "count=1" not in url] == []
    page.locator("[data-cr-panel=variables]").click()
    names = page.locator("code-runner-variables .cr-variable-list").first.locator(".cr-name")
    expect(names).to_have_text(["a", "b", "c"])
    expect(page.locator("[data-cr-panel=variables] .cr-count")).to_have_text("3")


@behaviour("app:variables:another-kernel")
def test_what_is_shown_of_a_kernel_goes_with_it(somebody: Visitor, app: App) -> None:
    page, count = somebody.page, somebody.page.locator("[data-cr-panel=variables] .cr-count")
    used, lights = page.locator("code-runner-usage"), page.locator("#cr-kernel .cr-kernel-status")
    somebody.run("a, b, c = 1, 2, 3")
    expect(count).to_have_text("3")
    page.locator("#cr-restart").click()
    expect(count).to_be_hidden()
    somebody.run("a, b = 1, 2")
    expect(count).to_have_text("2")
    expect(used).to_have_text(re.compile(r"^\d+ MB"))
    session = app.sessions.get(kernel_label(conversation(somebody)), app.choices.where)
    session.io_thread.call(session.rest(keep=False), 30.0)
    expect(lights).to_contain_text("Not started")
    expect(used).to_have_text("")
    expect(count).to_be_hidden()


@behaviour("app:variables:mentioned")
def test_a_message_that_names_a_variable_brings_what_it_is(
    somebody: Visitor, parrot: tuple[Parrot, str]
) -> None:
    somebody.run("x = 42")
    somebody.ask("What is @x, and @y?")
    *_, last = parrot[0].asked[-1]["messages"]
    assert last["content"] == "Variable x (int): 42\n\nWhat is @x, and @y?"
    somebody.ask("Thanks")
    assert last in parrot[0].asked[-1]["messages"]


@behaviour("app:variables:offered")
def test_after_an_at_sign_the_message_box_offers_names(somebody: Visitor) -> None:
    page, box = somebody.page, somebody.box
    somebody.run("frames, frame, other = 1, 2, 3")
    expect(page.locator("[data-cr-panel=variables] .cr-count")).to_have_text("3")
    names = page.get_by_role("listbox", name="Variables").get_by_role("option")
    box.press_sequentially("What is @fr")
    expect(names).to_have_text(["frameint ", "framesint "])
    box.press("ArrowDown")
    expect(names.last).to_have_attribute("aria-selected", "true")
    box.press("Enter")
    expect(box).to_have_value("What is @frames ")
    expect(names).to_have_count(0)
    box.press_sequentially("and @")
    expect(names).to_have_count(3)
    box.press("Escape")
    expect(names).to_have_count(0)
    expect(box).to_have_value("What is @frames and @")
    box.press_sequentially("O")
    names.click()
    expect(box).to_have_value("What is @frames and @other ")
    somebody.box.fill("me@fr")
    expect(names).to_have_count(0)


@behaviour("app:variables:rows")
def test_a_click_on_a_table_shows_its_rows_which_are_paged_and_sorted(somebody: Visitor) -> None:
    page = somebody.page
    somebody.run(MADE)
    page.locator("[data-cr-panel=variables]").click()
    page.locator("code-runner-variables").get_by_role("button", name="frame", exact=True).click()
    table = page.get_by_role("dialog", name="frame")
    expect(table.locator("tbody tr")).to_have_count(50)
    expect(table.locator("tbody tr").first).to_have_text("0city 0120")
    expect(table.get_by_text("rows 1–50 of 120")).to_be_visible()
    table.get_by_role("button", name=re.compile("^people")).click()
    expect(table.locator("tbody tr").first).to_have_text("119city 1191")
    expect(table.get_by_role("columnheader", name=re.compile("^people"))).to_have_attribute(
        "aria-sort", "ascending"
    )
    table.get_by_role("button", name="Further rows").click()
    table.get_by_role("button", name="Further rows").click()
    expect(table.locator("tbody tr")).to_have_count(20)
    expect(table.locator("tbody tr").last).to_have_text("0city 0120")
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)
    expect(page.locator("#cr-right.open")).to_have_count(1)


@behaviour("app:variables:guarded")
@pytest.mark.parametrize("route", ["variables", "table", "usage"])
def test_only_our_own_page_gets_variables_and_only_of_a_conversation_there_is(
    app: App, address: str, somebody: Visitor, route: str
) -> None:
    somebody.ask("Hello")
    identity = conversation(somebody)
    ours = {HEADER: app.rights.token}
    with client(address) as program:
        answers = [
            program.get(f"/coderunner/{route}", params={"c": which}, headers=headers).status_code
            for which, headers in ((identity, {}), ("nobody", ours), (identity, {HEADER: "wrong"}))
        ]
        assert answers == [403, 404, 403]
        foreign = {**ours, "Origin": "https://example.org"}
        refused = program.get(f"/coderunner/{route}", params={"c": identity}, headers=foreign)
    assert refused.status_code == 403
