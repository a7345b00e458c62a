"""What a person sees when something is not kept."""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from coderunner.hosts.app.server import App
from coderunner.records.database.schema import CHATS
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def somebody(parrot: tuple[Parrot, str], folder: Path, browser: Browser) -> Iterator[Visitor]:
    chosen = {"model_url": f"{parrot[1]}/v1", "model": "parrot", "approve": "auto", "data_dir": folder}
    with served(App(load(chosen)).asgi) as address, visitor(browser, address) as somebody:
        yield somebody


@behaviour("app:kept:folder")
def test_a_folder_that_is_removed_is_made_anew_and_the_page_says_so(somebody: Visitor, folder: Path) -> None:
    warning = somebody.page.locator("#cr-kept .cr-banner")
    assert somebody.run("x = 1\nprint(x)") == "1"
    expect(warning).to_have_count(0)
    shutil.rmtree(folder)
    assert somebody.run("print(x + 1)") == "2"
    expect(warning).to_have_text(
        re.compile("were deleted while CodeRunner was running; new ones were created")
    )
    somebody.open()
    expect(somebody.blocks.last.locator(".cr-outs")).to_have_text(re.compile("2"))


@behaviour("app:kept:refused")
def test_a_block_that_cannot_be_recorded_says_so_and_runs_when_it_can(
    somebody: Visitor, folder: Path
) -> None:
    assert somebody.run("x = 1\nprint(x)") == "1"
    shutil.rmtree(folder)
    folder.write_text("a file in its place")
    somebody.ask("```python\nprint(x)\n```\n")
    expect(somebody.blocks.last).to_contain_text(re.compile("the run could not be recorded", re.IGNORECASE))
    expect(somebody.blocks.last).not_to_contain_text("no kernel")
    expect(somebody.page.locator("#cr-kept .cr-banner")).to_have_text(re.compile("cannot save records"))
    folder.unlink()
    assert somebody.run("print(x + 2)") == "3"
    expect(somebody.page.locator("#cr-kept .cr-banner")).not_to_have_text(re.compile("cannot save"))


@behaviour("app:kept:unread")
def test_while_the_records_cannot_be_read_nothing_is_said_to_be_gone(somebody: Visitor, folder: Path) -> None:
    rename = "ALTER TABLE {} RENAME TO {}"
    database = sqlite3.connect(folder / "records" / "records.sqlite")
    with database:
        database.execute(rename.format(CHATS.name, "elsewhere"))
    somebody.page.goto(f"{somebody.address}/?c=guess")
    expect(somebody.page.locator("#cr-list")).to_contain_text("Conversations cannot be shown right now")
    expect(somebody.page.locator("#cr-top")).to_contain_text("cannot be loaded right now")
    with database:
        database.execute(rename.format("elsewhere", CHATS.name))
    database.close()
    somebody.complaints.clear()  # a page that is left says so


@behaviour("app:kept:number")
def test_a_count_beyond_all_numbers_keeps_nothing_from_being_kept(somebody: Visitor) -> None:
    somebody.run("get_ipython().execution_count = 10**25\nprint('counted')")
    assert somebody.run("print('after')") == "after"
    expect(somebody.rows).to_have_count(1)
    somebody.open()
    expect(somebody.blocks.nth(0).locator(".cr-outs")).to_have_text(re.compile("counted"))
    expect(somebody.blocks.nth(1).locator(".cr-outs")).to_have_text(re.compile("after"))
