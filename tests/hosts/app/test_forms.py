"""The forms in the drawer, with a real Jupyter server and a model that is found by its address."""

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Locator, Response, expect

from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.choices.choices import Approve, Choices, ModelChoice
from coderunner.hosts.app.server import App
from coderunner.kernel.connections.servers.hub_start import stopped_server
from coderunner.kernel.io_thread import io_thread
from coderunner.models.endpoint.client import Endpoint
from coderunner.runner import Server
from coderunner.secret_value import Secret
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import MARKS, Seat, Visitor, served, visitor
from tests.hosts.app.parrot import Parrot
from tests.kernel.servers import Jupyter, jupyter_server
from tests.servers.hub_double import hub_double

pytestmark = MARKS


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    folder: Path = tmp_path_factory.mktemp("jupyter")
    with jupyter_server(folder, token=f"canary-{uuid.uuid4().hex}") as server:
        yield server


@pytest.fixture(scope="module")
def parrot() -> Iterator[str]:
    with served(Parrot) as address:
        yield address


@pytest.fixture
def somebody(browser: Browser, tmp_path: Path) -> Iterator[Visitor]:
    """Somebody at an app of their own: what is chosen holds for a whole app."""
    app = App(load({"demo": True, "server_folder": "/", "data_dir": tmp_path / "data"}))
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        yield somebody


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(App(load({"demo": True})).asgi) as address:
        yield address


@pytest.fixture
def guest(seat: Seat) -> Iterator[Visitor]:
    """Somebody who chooses nothing in the end, at an app and a page that others like them use, too."""
    with seat.taken() as somebody:
        yield somebody


def status(somebody: Visitor) -> Locator:
    return somebody.page.locator("#cr-kernel-status")


def connect(somebody: Visitor, url: str, token: str) -> None:
    somebody.settings("Kernel")
    somebody.page.get_by_label("Jupyter server").check()
    somebody.page.locator("#cr-server-url input, #cr-server-url textarea").fill(url)
    somebody.page.locator("#cr-token input").fill(token)
    somebody.page.locator("#cr-connect").click()


@behaviour("app:form:on-timeout")
def test_what_becomes_of_a_block_at_its_deadline_is_chosen(browser: Browser) -> None:
    app = App(load({"demo": True}))
    with served(app.asgi) as address, visitor(browser, address) as somebody:
        somebody.settings("Kernel")
        assert app.choices.limit == 600.0
        with somebody.page.expect_response(re.compile("queue/join|/run/")):
            somebody.page.get_by_label("Stop it").check()
        somebody.open().settings("Kernel")
        expect(somebody.page.get_by_label("Stop it")).to_be_checked()
        assert app.choices.limit == 0.0


@behaviour("app:form:connect")
def test_connect_takes_the_server_and_the_token_never_comes_back(somebody: Visitor, jupyter: Jupyter) -> None:
    answers: list[Response] = []
    somebody.page.on("response", lambda answer: answers.append(answer))
    connect(somebody, jupyter.url, jupyter.token)
    expect(somebody.page.locator("#cr-kernel")).to_contain_text(jupyter.url)
    expect(somebody.page.locator("#cr-bottom")).to_contain_text(
        "on a Jupyter server of this computer, no sandbox"
    )
    expect(somebody.page.locator("#cr-token input")).to_have_value("")
    assert "15" in somebody.ask("What is 10 + 5?")
    assert len(jupyter.kernels()) == 1
    (listed,) = jupyter.ask("api/sessions")
    assert listed["path"].startswith("coderunner-")  # in the folder of the settings
    bodies = [answer.text() for answer in answers if "/gradio_api/run" in answer.url]
    assert bodies
    assert not any(jupyter.token in body for body in bodies)
    somebody.open()
    assert jupyter.token not in somebody.page.content()


@behaviour("app:form:attach")
def test_the_chat_works_in_a_notebook_that_a_person_has_open(somebody: Visitor, jupyter: Jupyter) -> None:
    wanted = {"path": "data.ipynb", "name": "data", "type": "notebook", "kernel": {"name": "python3"}}
    notebook = jupyter.ask("api/sessions", "POST", wanted)
    before = jupyter.kernels()
    somebody.settings("Kernel")
    somebody.page.get_by_label("Jupyter server").check()
    somebody.page.locator("#cr-existing input, #cr-existing textarea").fill("nobody.ipynb")
    connect(somebody, jupyter.url, jupyter.token)
    expect(status(somebody).locator(".cr-bad")).to_contain_text("no kernel on this server matches")
    somebody.page.locator("#cr-existing input, #cr-existing textarea").fill("data.ipynb")
    connect(somebody, jupyter.url, jupyter.token)
    expect(status(somebody)).to_contain_text(f"Found the kernel {notebook['kernel']['id'][:8]} (data.ipynb)")
    assert "15" in somebody.ask("What is 10 + 5?")
    assert jupyter.kernels() == before
    jupyter.ask(f"api/sessions/{notebook['id']}", "DELETE")


@behaviour("app:form:connect-fails")
def test_a_wrong_token_is_told_and_the_place_stays_as_it_was(guest: Visitor, jupyter: Jupyter) -> None:
    connect(guest, jupyter.url, "wrong")
    expect(status(guest).locator(".cr-bad")).to_contain_text("token")
    expect(guest.page.locator("#cr-kernel")).to_contain_text("This computer")


@behaviour("app:form:connect-fails")
def test_a_server_that_is_not_there_is_told(guest: Visitor) -> None:
    connect(guest, "http://127.0.0.1:9", "x")
    expect(status(guest).locator(".cr-bad")).to_contain_text("127.0.0.1:9")


@behaviour("app:form:test")
def test_run_shows_output_kernel_version_and_time(guest: Visitor) -> None:
    guest.settings("Kernel")
    guest.page.locator("#cr-test").click()
    expect(status(guest).locator(".cr-out")).to_contain_text(re.compile(r"^15\n3\.\d+"))
    expect(status(guest)).to_contain_text(re.compile(r"\d+ ms round trip · kernel python3"))


@behaviour("app:form:model")
def test_a_model_is_found_by_its_address_and_picked(somebody: Visitor, parrot: str, tmp_path: Path) -> None:
    somebody.page.get_by_role("button", name="Connect a model").click()
    somebody.page.locator("#cr-model-url input, #cr-model-url textarea").fill(parrot)
    somebody.page.locator("#cr-key input").fill("sk-canary")
    somebody.page.locator("#cr-find").click()
    expect(somebody.page.locator("#cr-model-status")).to_contain_text("Connected: 1 model.")
    expect(somebody.page.locator("#cr-key input")).to_have_value("")
    expect(somebody.page.locator("#cr-top .cr-banner")).to_have_count(0)
    assert somebody.ask("polly").startswith("polly")
    assert "sk-canary" not in somebody.page.content()
    assert json.loads((tmp_path / "data/model.json").read_text()) == {
        "address": f"{parrot}/v1",
        "model": "parrot",
        "key": True,
    }
    somebody.open().settings("Model")
    expect(somebody.page.locator("#cr-model-url input, #cr-model-url textarea")).to_have_value(f"{parrot}/v1")


@behaviour("app:form:model")
def test_a_key_is_kept_for_its_address_and_for_no_other() -> None:
    model_choices = AvailableModels(load({}))
    model_choices.model_choices = [
        ModelChoice("polly", Endpoint("http://127.0.0.1:1/v1", Secret("sk-canary"), "polly"))
    ]
    asked = {
        url: model_choices.endpoint(url, Secret())
        for url in ("http://127.0.0.1:1/v1", "http://127.0.0.1:1", "http://127.0.0.1:2/v1")
    }
    assert [endpoint.key.reveal() for endpoint in asked.values()] == ["sk-canary", "sk-canary", ""]
    assert model_choices.endpoint("http://127.0.0.1:1/v1", Secret("sk-new")).key == Secret("sk-new")


@behaviour("app:form:model")
def test_a_model_that_is_not_there_is_told(guest: Visitor) -> None:
    guest.settings("Model")
    guest.page.locator("#cr-model-url input, #cr-model-url textarea").fill("http://127.0.0.1:9/v1")
    guest.page.locator("#cr-find").click()
    expect(guest.page.locator("#cr-model-status .cr-bad")).to_contain_text("127.0.0.1:9")


# --- a server of this computer, and one of a Hub's


@pytest.fixture
def runtime(jupyter: Jupyter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the servers of this user leave what they are: that one does."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    told = {"url": f"{jupyter.url}/", "token": jupyter.token, "pid": jupyter.process.pid, "root_dir": "/work"}
    file = tmp_path / "jpserver-1.json"
    file.write_text(json.dumps(told))
    file.chmod(0o600)
    return tmp_path


@behaviour("app:form:found")
def test_a_server_of_this_computer_is_chosen_from_a_list_and_its_token_stays_here(
    jupyter: Jupyter, runtime: Path, somebody: Visitor
) -> None:
    somebody.settings("Kernel")
    somebody.page.get_by_label("Jupyter server").check()
    somebody.page.locator("#cr-found input").click()
    somebody.page.get_by_role("option", name=f"{jupyter.url} · /work").click()
    expect(somebody.page.locator("#cr-server-url input, #cr-server-url textarea")).to_have_value(jupyter.url)
    somebody.page.locator("#cr-connect").click()
    expect(somebody.page.locator("#cr-kernel")).to_contain_text(jupyter.url)
    expect(status(somebody)).to_contain_text("runs on this computer with your permissions")
    assert "15" in somebody.ask("What is 10 + 5?")
    assert jupyter.token not in somebody.page.content()


@behaviour("app:form:found-alone")
@pytest.mark.parametrize("settings", [{"host": "192.0.2.1"}, {"login": False}, {"base_path": "/tool"}])
def test_where_others_may_come_to_the_page_no_server_of_this_computer_is_offered(
    settings: dict[str, object], runtime: Path
) -> None:
    assert load({}).login
    assert Choices.of(load({})).finds
    assert not Choices.of(load(settings)).finds


@behaviour("app:form:stricter")
def test_who_wants_to_be_asked_is_asked_after_a_restart_too(tmp_path: Path) -> None:
    def started(**more: object) -> Choices:
        return Choices.of(load({"data_dir": tmp_path, **more}))

    usual = started().approve
    for chosen, after in (("ask", "ask"), ("off", "off"), ("auto", usual), ("ask", "ask"), (None, usual)):
        started().choose_approval(cast("Approve | None", chosen))
        assert started().approve == after
    started().choose_approval("ask")
    assert started(approve="auto").approve == "auto"  # the settings say otherwise
    (tmp_path / "approve").write_text("auto\n")
    assert started().approve == usual


@behaviour("app:form:stricter")
def test_where_the_choice_cannot_be_kept_it_holds_until_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    choices = Choices.of(load({"data_dir": tmp_path / "file"}))
    choices.choose_approval("ask")
    assert choices.approval == "ask"
    assert "could not be saved, so it ends with the app" in caplog.text


@behaviour("app:form:start-server")
def test_a_stopped_server_of_a_hub_is_started_by_a_button_alone(somebody: Visitor) -> None:
    with hub_double() as hub:
        where = Server(f"{hub.url}/user/ann/held", Secret(hub.token))
        connect(somebody, where.url, hub.token)
        start = somebody.page.locator("#cr-start-server")
        expect(start).to_be_visible()
        assert standing(where) == "stopped"
        start.click()
        expect(status(somebody)).to_contain_text("Starting the server: Looking for a place (30%)")
        somebody.page.locator("#cr-stop-waiting").click()
        expect(status(somebody)).to_contain_text("the server may go on starting")
        assert standing(where) == "starting"
        hub.let_start("held")
        somebody.page.locator("#cr-connect").click()
        # The double's servers run nothing: the check goes on, and says so.
        expect(status(somebody)).to_contain_text("It is Jupyter Server 2.21.1")
        expect(start).to_be_hidden()


def standing(where: Server) -> str:
    told = io_thread().call(stopped_server(where), 30)
    return "" if told is None else told.standing
