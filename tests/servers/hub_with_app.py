"""A real Hub whose people have the app in their launcher, and the people in their browsers."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.hosts.app.browsing import BOUND, Visitor
from tests.servers.process import answers, asked, free_port, process, until
from tests.servers.real import Venv, servers_of

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "{url}"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = "{token}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {{"ann", "bob"}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{homes}/{{username}}"
c.Spawner.args = ["--allow-root"]
# A busy machine takes longer than the 30 s that are usual.
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.Spawner.default_url = "/lab"
# On its default server a person has the demo; on the one of this name, the model of the tests.
models = {{"model": "{model}"}}
c.Spawner.environment = {{"CODERUNNER_MODEL_URL": lambda spawner: models.get(spawner.name, "")}}
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}", "admin": True}}]
"""


@dataclass(frozen=True, slots=True)
class AppHub:
    """A Hub that runs."""

    url: str
    token: str
    """The administrator's."""
    homes: Path
    """The people's home folders, by name."""

    def server(self, user: str, name: str = "") -> str:
        """The address of a person's server."""
        return f"{self.url}/user/{user}/{name}".rstrip("/")

    def start(self, user: str, name: str) -> None:
        """Start one of a person's named servers."""
        token = str(asked(f"{self.url}/hub/api/users/{user}/tokens", self.token, "POST")["token"])
        asked(f"{self.url}/hub/api/users/{user}/servers/{name}", token, "POST")
        until(lambda: servers_of(self.url, token).get(name, {}).get("ready"))


@contextlib.contextmanager
def hub_with_app(folder: Path, model: str) -> Iterator[AppHub]:
    """A Hub with two users; `model` is the address of an endpoint for their servers of that name."""
    venv, port, admin = Venv("hub"), free_port(), secrets.token_hex(16)
    place = AppHub(f"http://127.0.0.1:{port}", admin, folder / "homes")
    config = CONFIG.format(
        url=place.url,
        hub_port=free_port(),
        proxy_port=free_port(),
        token=admin,
        homes=place.homes,
        model=model,
    )
    (folder / "config.py").write_text(config)
    command = [venv / "jupyterhub", "-f", str(folder / "config.py")]
    with process(command, f"{place.url}/hub/api", folder, venv.environment(folder)):
        until(lambda: answers(f"{place.url}/hub/api", well=True))
        yield place


@contextlib.contextmanager
def logged_in(browser: Browser, hub: AppHub, user: str) -> Iterator[Page]:
    """A person who has just logged in at the Hub, and sees the launcher of their JupyterLab."""
    with contextlib.closing(browser.new_context()) as context:
        context.set_default_timeout(BOUND * 1000)
        page = context.new_page()
        page.goto(f"{hub.url}/hub/login")
        page.locator("#username_input").fill(user)
        page.locator("#password_input").fill("any")
        page.locator("#login_submit").click()
        expect(tile(page)).to_be_visible()
        yield page


def tile(page: Page) -> Locator:
    """The app's tile in the launcher."""
    return page.locator(".jp-LauncherCard", has_text="CodeRunner")


@contextlib.contextmanager
def at_app(context: BrowserContext, server: str) -> Iterator[Visitor]:
    """A person at the app of a server, in a tab of its own, which is closed at the end.

    A page keeps two connections open, and to one host browsers have six without HTTP/2.
    """
    somebody = Visitor(context, f"{server}/coderunner")
    with contextlib.closing(somebody.page):
        yield somebody.open()
