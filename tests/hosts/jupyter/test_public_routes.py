"""What the Jupyter server itself serves: the files of closed frames."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from coderunner.hosts.app.server import App
from coderunner.hosts.jupyter.public_routes import handlers
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, MARKS, served

pytestmark = MARKS

BASE = "/user/ann/"


@pytest.fixture(scope="module")
def jupyter() -> Iterator[str]:
    """A tornado server that has the routes, as a Jupyter server is one."""
    listener, port = bind_unused_port()
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        server = HTTPServer(Application(handlers(BASE)))
        server.add_sockets([listener])
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(ended.set)
    thread.join(BOUND)
    loop.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = f"{BASE}coderunner"
    chosen = {"demo": True, "data_dir": tmp_path_factory.mktemp("home"), "base_path": path}
    with served(App(load(chosen)).asgi, path) as address:
        yield address.removesuffix(path)


NAMES = ["frame.js", "shell.js", "frame.css", "widgets.js", "scripts/shell.html", "still/frame.html"]
HEADERS = ("content-security-policy", "content-type", "cache-control", "access-control-allow-origin")


@behaviour("jupyter:public")
@pytest.mark.parametrize("name", NAMES)
def test_the_jupyter_server_sends_what_the_app_sends(name: str, jupyter: str, app: str) -> None:
    path = f"{BASE}coderunner/coderunner/public/{name}"
    with httpx.Client(trust_env=False, timeout=BOUND, headers={"Host": "hub.example.org"}) as one:
        theirs = one.get(f"{jupyter}{path}")
        one.headers["Host"] = httpx.URL(app).netloc.decode()
        ours = one.get(f"{app}{path}")
    assert (theirs.status_code, theirs.content) == (200, ours.content)
    for header in HEADERS:
        expected = ours.headers.get(header, "").replace(httpx.URL(app).netloc.decode(), "hub.example.org")
        assert theirs.headers.get(header, "") == expected


@behaviour("jupyter:public")
@pytest.mark.parametrize(
    "path",
    [
        "",
        "nothing.js",
        "../frame.js",
        "%2e%2e/frame.js",
        "scripts/other.html",
        "sha256.txt.html",
        "__init__.py",
    ],
)
def test_it_sends_nothing_else(path: str, jupyter: str) -> None:
    with httpx.Client(trust_env=False, timeout=BOUND) as one:
        assert one.get(f"{jupyter}{BASE}coderunner/coderunner/public/{path}").status_code == 404
        assert one.get(f"{jupyter}{BASE}coderunner/{path}").status_code == 404


@behaviour("jupyter:public")
@pytest.mark.parametrize("host", ["a.example; script-src *", "a b", "a'b", ""])
def test_a_host_that_could_change_the_policy_gets_no_frame(host: str, jupyter: str, tmp_path: Path) -> None:
    with httpx.Client(trust_env=False, timeout=BOUND) as one:
        url = f"{jupyter}{BASE}coderunner/coderunner/public/scripts/shell.html"
        answer = one.get(url, headers={"Host": host})
        assert answer.status_code in (400, 404)
        assert "content-security-policy" not in answer.headers
