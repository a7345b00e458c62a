"""A chat that works in the kernel of a person's own notebook."""

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from coderunner.hosts.app.server import App
from coderunner.runner import Server
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor
from tests.kernel.servers import Jupyter, jupyter_server

pytestmark = MARKS

NOTEBOOK = "work/data.ipynb"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token=f"canary-{uuid.uuid4().hex}") as server:
        yield server


@pytest.fixture
def notebook(jupyter: Jupyter) -> Iterator[Server]:
    """The kernel that a person has started for a notebook, without variables yet."""
    wanted = {"path": NOTEBOOK, "name": "data", "type": "notebook", "kernel": {"name": "python3"}}
    session = jupyter.ask("api/sessions", "POST", wanted)
    yield Server(jupyter.url, Secret(jupyter.token), attach=NOTEBOOK)
    jupyter.ask(f"api/sessions/{session['id']}", "DELETE")


@pytest.fixture
def somebody(seat: Seat, app: App, notebook: Server) -> Iterator[Visitor]:
    here = app.choices.where
    app.choices.where = notebook
    with seat.taken() as somebody:
        # The page was told of the place together with its new conversation.
        expect(somebody.page.locator(f"#cr-kernel [data-cr-attached='{NOTEBOOK}']")).to_have_count(1)
        yield somebody
    app.choices.where = here


def answer(somebody: Visitor, button: str, word: str) -> None:
    """Press a button below the kernel, and answer the question about it."""
    somebody.page.locator(button).click()
    dialog = somebody.page.get_by_role("dialog", name="Restart your own kernel?")
    expect(dialog).to_contain_text(f"the kernel of {NOTEBOOK}")
    expect(dialog).to_contain_text("Its variables will be lost.")
    dialog.get_by_role("button", name=word, exact=True).click()
    expect(dialog).to_have_count(0)


@behaviour("app:kernel:attached")
def test_a_kernel_of_a_persons_own_is_restarted_only_after_a_question(somebody: Visitor) -> None:
    somebody.run("kept = 1")
    answer(somebody, "#cr-restart", "Cancel")
    answer(somebody, "#cr-rerun", "Cancel")
    assert somebody.run("print('kept' in globals())") == "True"
    light = somebody.page.locator("#cr-kernel [data-cr-mark]")
    before = light.get_attribute("data-cr-mark") or ""
    answer(somebody, "#cr-restart", "Restart")
    expect(light).not_to_have_attribute("data-cr-mark", before)
    expect(light).to_contain_text("Idle")
    assert somebody.run("print('kept' in globals())") == "False"
    answer(somebody, "#cr-rerun", "Restart and run all")
    expect(somebody.page.locator(".toast-body")).to_contain_text("Its variables now: kept (int).")


@behaviour("app:kernel:attached")
def test_an_event_without_that_consent_restarts_nothing(somebody: Visitor) -> None:
    page = somebody.page
    somebody.run("kept = 1")
    page.evaluate("window.asks = window.coderunner.mayRestart; 0")
    for button, name in (("#cr-restart", ""), ("#cr-rerun", "other.ipynb")):
        page.evaluate("(name) => { window.coderunner.mayRestart = async () => name; }", name)
        page.locator(button).click()
        expect(page.locator(".toast-body")).to_contain_text("is another one by now")
        page.evaluate("document.querySelectorAll('.toast-close').forEach(each => each.click())")
        expect(page.locator(".toast-body")).to_have_count(0)
    page.evaluate("window.coderunner.mayRestart = window.asks; 0")
    assert somebody.run("print('kept' in globals())") == "True"
