"""A conversation that was made of a notebook: what is in it came from somewhere else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from coderunner.hosts.app.server import App
from coderunner.runner import from_notebook
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot

pytestmark = MARKS


def cell(source: str, *, ran: bool = True) -> dict[str, object]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": "from the file\n"}] if ran else []
    count = 1 if ran else None
    return {
        "cell_type": "code",
        "source": source,
        "outputs": outputs,
        "execution_count": count,
        "metadata": {},
    }


@pytest.fixture
def app(parrot: tuple[Parrot, str], tmp_path: Path) -> App:
    endpoint = {"model_url": f"{parrot[1]}/v1", "model": "parrot"}
    return App(load({**endpoint, "approve": "auto", "data_dir": tmp_path}))


@pytest.fixture
def somebody(app: App, browser: Browser) -> Iterator[Visitor]:
    cells = [cell("a = 1"), cell("b = a + 1"), cell("c = 3", ran=False)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    identity = from_notebook(app.records, json.dumps(notebook), "analysis")
    with served(app.asgi) as address, visitor(browser, "about:blank") as somebody:
        somebody.come_in(address)
        somebody.page.goto(f"{address}/?c={identity}")
        somebody.complaints.clear()
        expect(somebody.blocks).to_have_count(3)
        expect(somebody.page.locator("#cr-kernel")).to_contain_text("Not started")
        yield somebody


def press(somebody: Visitor, answer: str, blocks: str = "2 blocks", *, counted: int = 0) -> None:
    """Press *Restart and run all*, and answer its question; `counted`: as if so many were of a file."""
    if counted:  # at once: the kernel's status, which has the number, may be drawn again at any time
        asked = "document.querySelector('dialog[open], [role=dialog]')"
        at = "document.querySelector('#cr-kernel [data-cr-from-file]').dataset.crFromFile"
        click = "document.querySelector('#cr-rerun').click()"
        # Gradio takes no second press while the answer to the first is on its way.
        again = f"() => {{ if ({asked}) return true; {at} = {counted}; {click}; return false; }}"
        somebody.page.wait_for_function(again, polling=500)
    else:
        somebody.page.locator("#cr-rerun").click()
    dialog = somebody.page.get_by_role("dialog", name=f"Run {blocks} that came from a file?")
    expect(dialog).to_contain_text("Its code is" if blocks == "1 block" else "Their code is")
    dialog.get_by_role("button", name=answer).click()
    expect(dialog).to_have_count(0)


@behaviour("app:kernel:imported")
def test_blocks_from_a_file_run_only_after_a_question_that_counts_them(somebody: Visitor) -> None:
    toast, kernel = somebody.page.locator(".toast-body"), somebody.page.locator("#cr-kernel")
    # No model has seen anything yet.
    expect(somebody.blocks.first.locator(".cr-read")).to_be_hidden()
    press(somebody, "Cancel")
    press(somebody, "Cancel", "1 block", counted=1)
    expect(kernel).to_contain_text("Not started")
    expect(toast).to_have_count(0)
    # What the model writes here is of this chat: the question is about the others.
    assert somebody.run("print('a' in globals())") == "False"
    press(somebody, "Restart and run all")
    expect(toast).to_contain_text("reran all 3 blocks")
    expect(toast).to_contain_text("a (int), b (int)")


@behaviour("app:kernel:imported")
def test_a_page_that_does_not_ask_runs_nothing_from_a_file(somebody: Visitor) -> None:
    toast = somebody.page.locator(".toast-body")
    for count in (0, 1, 3):
        somebody.page.evaluate("(count) => { window.coderunner.agreed = async () => count; }", count)
        somebody.page.locator("#cr-rerun").click()
        expect(toast).to_contain_text("Try again")
        somebody.page.evaluate("document.querySelectorAll('.toast-close').forEach(each => each.click())")
        expect(toast).to_have_count(0)
    expect(somebody.page.locator("#cr-kernel")).to_contain_text("Not started")
