"""The app for several people as a service of a real JupyterHub, with the configuration of the docs."""

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, EXTENSION, MARKS, Visitor
from tests.hosts.app.conftest import browser
from tests.servers.process import answers, asked, free_port, process, until
from tests.servers.real import VENVS, Venv

pytest.importorskip("jupyterhub")

from coderunner.hosts.team.hub import AGAIN, NOT_BEGUN

__all__ = ["browser"]

pytestmark = [*MARKS, pytest.mark.skipif(not VENVS, reason="make test-servers installs a Hub")]

DOCS = Path(__file__).parents[2] / "docs" / "deploy.md"
CONFIG = """
c.JupyterHub.bind_url = "{url}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"ann", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/{{username}}"
c.Spawner.args = ["--allow-root"]
c.JupyterHub.services.append({{"name": "tests", "api_token": "{token}", "admin": True}})
"""


@dataclass(frozen=True, slots=True)
class Hub:
    url: str
    token: str

    @property
    def app(self) -> str:
        return f"{self.url}/services/coderunner"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, venv, token = tmp_path_factory.mktemp("hub"), Venv("hub"), secrets.token_hex(16)
    url = f"http://127.0.0.1:{free_port()}"
    service = next(
        each
        for each in re.findall(r"(?s)```python\n(.*?)```", DOCS.read_text(encoding="utf-8"))
        if "--hub" in each
    )
    for written, real in {
        '"/opt/coderunner/bin/coderunner"': f'"{sys.executable}", "-m", "coderunner"',
        '"https://hub.example.org"': f'"{url}", "--demo", "--data-dir", "{folder / "data"}"',
        "127.0.0.1:7871": f"127.0.0.1:{free_port()}",
    }.items():
        assert written in service
        service = service.replace(written, real)
    rest = CONFIG.format(url=url, hub_port=free_port(), proxy_port=free_port(), token=token, folder=folder)
    (folder / "config.py").write_text(f"{service}\n{rest}")
    environment = venv.environment(folder) | {"PYTHONPATH": os.pathsep.join([str(EXTENSION)])}
    with process(
        [venv / "jupyterhub", "-f", str(folder / "config.py")], f"{url}/hub/api", folder, environment
    ):
        until(lambda: answers(f"{url}/hub/api", well=True))
        until(lambda: httpx.get(f"{url}/services/coderunner/", trust_env=False).status_code == 403)
        asked(f"{url}/hub/api/users/ann/server", token, "POST")
        until(lambda: asked(f"{url}/hub/api/users/ann", token)["server"])
        yield Hub(url, token)


@contextlib.contextmanager
def person(browser: Browser, hub: Hub, name: str) -> Iterator[Visitor]:
    """Somebody who has come by the Hub's login, and lets the app use their server."""
    with contextlib.closing(browser.new_context()) as context:
        somebody = Visitor(context, hub.app)
        page = somebody.page
        page.goto(f"{hub.app}/")
        page.locator("#username_input").fill(name)
        page.locator("#password_input").fill("any")
        page.locator("#login_submit").click()
        page.get_by_role("button", name="Authorize").click()
        expect(somebody.box).to_be_editable(timeout=3 * BOUND * 1000)
        yield somebody


@pytest.fixture(scope="module")
def people(browser: Browser, hub: Hub) -> Iterator[tuple[Visitor, Visitor]]:
    with person(browser, hub, "ann") as ann, person(browser, hub, "bob") as bob:
        yield ann, bob


@behaviour("team:hub:own-server")
def test_code_runs_on_the_persons_own_server_or_it_is_said_that_it_does_not_run(
    hub: Hub, people: tuple[Visitor, Visitor]
) -> None:
    ann, bob = people
    ann.ask("What is 10 + 5?")
    expect(ann.blocks.last.locator(".cr-out")).to_have_text("15\n")
    (kernel,) = asked(f"{hub.url}/user/ann/api/kernels", hub.token)
    assert kernel["name"] == "python3"
    bob.ask("What is 10 + 5?")
    expect(bob.blocks.last).to_contain_text("JupyterHub server no longer running at /user/bob/api")


@behaviour("team:hub:apart")
def test_two_people_of_a_hub_see_nothing_of_each_other(hub: Hub, people: tuple[Visitor, Visitor]) -> None:
    ann, bob = people
    ann.ask("What is 12 * 12?")
    (identity,) = parse_qs(urlsplit(ann.page.url).query)["c"]
    notebook = f"{hub.app}/coderunner/notebook?c={identity}"
    assert ann.context.request.get(notebook).status == 200
    for headers in ({}, {"X-Forwarded-User": "ann"}):
        assert bob.context.request.get(notebook, headers=headers).status == 404
    assert "12 * 12" not in bob.page.content()


@behaviour("team:hub:login")
def test_nobody_gets_in_but_by_the_hubs_login(hub: Hub) -> None:
    guess = {"Cookie": "coderunner-session=guess; coderunner-login=guess"}
    with httpx.Client(base_url=hub.url, headers=guess, trust_env=False) as client:
        for path in ("", "config", "coderunner/notebook?c=x"):
            refused = client.get(f"/services/coderunner/{path}")
            assert (refused.status_code, refused.text) == (403, AGAIN)
        page = client.get("/services/coderunner/?c=x", headers={"Accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"].startswith("/hub/api/oauth2/authorize?")
        state = parse_qs(urlsplit(page.headers["location"]).query)["state"][0]
    # A login that another browser has begun.
    with httpx.Client(base_url=hub.url, trust_env=False) as other:
        for query in (f"state={state}&code=x", "state=&code=x", ""):
            refused = other.get(f"/services/coderunner/oauth_callback?{query}")
            assert (refused.status_code, refused.text) == (403, NOT_BEGUN)


@behaviour("team:hub:login")
def test_no_token_of_the_hub_reaches_the_page(people: tuple[Visitor, Visitor]) -> None:
    ann, _ = people
    cookies = {each["name"]: each for each in ann.context.cookies() if each["name"].startswith("coderunner")}
    assert set(cookies) == {"coderunner-session"}
    assert (cookies["coderunner-session"]["httpOnly"], cookies["coderunner-session"]["path"]) == (
        True,
        "/services/coderunner/",
    )
    ann.settings("Kernel")
    expect(ann.page.locator("#cr-token input")).to_have_value("")
