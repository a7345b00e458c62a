"""Blocks in the real text-generation-webui, where one is at hand; see `real.py`."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, chromium
from tests.hosts.textgen.real import START, Person, Started, needed, started

pytestmark = [*MARKS, needed, pytest.mark.timeout(3 * START)]

GONE = "Not connected to a kernel"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def runs(program: Started) -> list[tuple[Any, ...]]:
    """Every run that was ever written down, as it stands."""
    with closing(sqlite3.connect(f"file:{program.records}?mode=ro", uri=True)) as records:
        return records.execute("select * from coderunner_runs order by id").fetchall()


def inside(person: Person) -> FrameLocator:
    block = person.blocks.last
    block.scroll_into_view_if_needed()
    return block.frame_locator("iframe").frame_locator("iframe")


def plot(person: Person) -> str:
    """The picture that is shown."""
    return inside(person).locator("img").get_attribute("src") or ""


@behaviour("textgen:elements:widgets")
def test_a_slider_drives_its_plot_in_every_tab_after_a_reload_and_stands_when_its_kernel_is_gone(
    browser: Browser, tmp_path: Path
) -> None:
    with started(tmp_path, approve="auto") as program:
        me = Person(browser.new_page(), program.address).open()
        me.ask("Draw a wave with sliders")
        first, before = plot(me), runs(program)
        for _ in range(15):
            inside(me).get_by_role("slider").first.press("ArrowRight")
        expect(inside(me).get_by_text("2.50")).to_be_visible()
        expect(inside(me).locator("img")).not_to_have_attribute("src", first)

        other = Person(browser.new_page(), program.address).open()
        expect(inside(other).get_by_text("2.50")).to_be_visible()
        second = plot(other)
        inside(other).get_by_role("slider").last.press("ArrowRight")
        expect(inside(me).get_by_text("0.10")).to_be_visible()
        expect(inside(me).locator("img")).not_to_have_attribute("src", second)
        third = plot(me)
        expect(inside(other).locator("img")).to_have_attribute("src", third)

        me.open()
        expect(inside(me).get_by_text("2.50")).to_be_visible()
        expect(inside(me).locator("img")).to_have_attribute("src", third)
        assert runs(program) == before

        options = me.form.get_by_role("button", name="Options")
        if not options.is_visible():
            me.form.get_by_role("button", name="CodeRunner", exact=True).click()
        options.click()
        me.form.get_by_role("button", name="Restart kernel").click()
        for each in (me, other, me.open()):
            expect(inside(each).get_by_text(GONE)).to_be_visible()
            expect(inside(each).locator("img")).to_have_attribute("src", third)
    # Another process, with the same data.
    with started(tmp_path, approve="auto") as program:
        me = Person(browser.new_page(), program.address).open()
        expect(inside(me).get_by_text(GONE)).to_be_visible()
        expect(inside(me).locator("img")).to_have_attribute("src", third)
        assert runs(program) == before


@behaviour("textgen:elements:copied")
def test_a_reply_is_copied_with_its_result_and_without_marks(browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    with started(tmp_path, approve="auto") as program:
        me = Person(context.new_page(), program.address).open()
        me.ask("What is 10 + 5?")
        me.page.locator(".message-body").last.hover()
        me.page.locator(".footer-copy-button").last.click()
        copied = me.page.evaluate("navigator.clipboard.readText()")
    assert "print(10 + 5)\n```\nResult: 15\nIf" in copied
    assert "coderunner:" not in copied


@behaviour("textgen:reach:by-hand")
def test_in_the_form_a_person_allows_a_folder_and_takes_it_back(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = (tmp_path / "ada").resolve()
    (home / "data").mkdir(parents=True)
    (home / "data" / "sales.csv").write_text("15")
    monkeypatch.setenv("HOME", str(home))
    program_folder = tmp_path / "program"
    program_folder.mkdir()
    # Not what tests may write everywhere: that is around this home.
    with started(program_folder, approve="auto", sandbox_write="") as program:
        me = Person(browser.new_page(), program.address).open()
        me.run("x = 15")
        section, said = me.page.locator("#coderunner-reach"), me.page.locator("#coderunner-reach-said")
        title = section.get_by_role("button", name="What code may reach")
        if not title.is_visible():
            me.form.get_by_role("button", name="CodeRunner", exact=True).click()
        title.click()
        expect(section).to_contain_text("When a block needs more, it says so")
        field = section.get_by_label("Folder or file")
        field.fill("data")
        section.get_by_role("button", name="Allow", exact=True).click()
        expect(said).to_have_text("“data” is not a complete path. Begin it with / or ~/.")
        expect(field).to_have_value("data")
        field.fill("~/data")
        field.press("Enter")
        expect(said).to_have_text("Code in this chat may now read ~/data.")
        expect(field).to_have_value("")
        block = me.run(f"print(x, open('{home}/data/sales.csv').read())")
        expect(block.locator(".cr-out").first).to_have_text("15 15\n\n")
        section.get_by_label("read ~/data").click()
        expect(said).to_contain_text("Taken back: read ~/data.")
        expect(section.get_by_label("read ~/data")).to_have_count(0)
