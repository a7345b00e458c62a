"""Our routes in the webui's own app: who may use them, with and without its login, and under which names."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.routes import App
from modules import shared
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from coderunner.hosts.textgen import hooks
from coderunner.hosts.textgen.blocks.output_routes import Names
from coderunner.page.server.static_files import PUBLIC
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, served
from tests.hosts.textgen.webui import NO_DOCS, Webui, gradio_app

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio.*")

PRESS = b'{"ticket": "t", "act": "run"}'
JSON = {"Content-Type": "application/json"}


@contextmanager
def answering(auth: Any = None) -> Iterator[tuple[str, dict[str, str]]]:
    """The app's address, and the header with its token."""
    with served(lambda: gradio_app(auth=auth)) as address:
        yield address, {"X-CodeRunner-Token": token()}


def token() -> str:
    found = re.search(r'content: "([^"]+)"', hooks.custom_js())
    assert found
    return found[1]


LOOK_UP = "/coderunner/look-up"
MADE = "/coderunner/made"


def gives(address: str, headers: dict[str, str]) -> int:
    return httpx.get(address, headers=headers, trust_env=False).status_code


def status(
    address: str,
    headers: dict[str, str],
    content: bytes = PRESS,
    *,
    method: str = "POST",
    path: str = "/coderunner/act",
) -> int:
    try:
        answer = httpx.request(method, f"{address}{path}", headers=headers, content=content, trust_env=False)
    except httpx.WriteError:  # it hung up before it had read all
        return 413
    return answer.status_code


def logged_in(address: str, name: str, password: str) -> str:
    """The cookies of somebody who has logged in to the webui."""
    with httpx.Client(base_url=address, trust_env=False) as client:
        client.post("/login", data={"username": name, "password": password})
        return "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)


def loaded(address: str) -> tuple[int, str]:
    answer = httpx.get(address, trust_env=False)
    return answer.status_code, answer.text


async def opens(address: str, offered: list[str], headers: dict[str, str]) -> bool:
    protocols = [Subprotocol(each) for each in offered]
    url = address.replace("http", "ws") + "/coderunner/socket"
    try:
        async with (
            asyncio.timeout(BOUND),
            connect(url, subprotocols=protocols, additional_headers=headers, proxy=None),
        ):
            return True
    except InvalidStatus:
        return False


@behaviour("textgen:routes:closed")
async def test_no_route_of_ours_in_the_webui_lets_anybody_else_in(webui: Webui) -> None:
    webui.start()
    ours = [route for route in mounted() if getattr(route, "path", "").startswith("/coderunner/")]
    assert {each.path for each in ours if isinstance(each, WebSocketRoute)} == {"/coderunner/socket"}
    posts = {each.path for each in ours if isinstance(each, Route) and "POST" in (each.methods or ())}
    assert posts == {"/coderunner/act", LOOK_UP, MADE}
    asked = {"/coderunner/preview", "/coderunner/loaders/{name}"}
    rest = {each.path for each in ours if isinstance(each, Route)} - posts - asked
    assert all(path.startswith(PUBLIC) for path in rest)
    with answering() as (address, known):
        foreign = {
            "foreign host": {"Host": "evil.example"},
            "foreign origin": {"Origin": "http://evil.example"},
            "null origin": {"Origin": "null"},
        }
        for path in ("/coderunner/act", LOOK_UP):
            refused = {
                "no token": status(address, JSON, path=path),
                "wrong token": status(address, JSON | {"X-CodeRunner-Token": "guess"}, path=path),
                **{name: status(address, JSON | known | each, path=path) for name, each in foreign.items()},
                "GET for POST": status(address, JSON | known, method="GET", path=path),
                "text/plain": status(address, known | {"Content-Type": "text/plain"}, path=path),
                "20 MB": status(address, JSON | known, b" " * 20_000_000, path=path),
            }
            assert {name: code for name, code in refused.items() if code < 400} == {}, path
        for path in (MADE, "/coderunner/preview", f"/coderunner/loaders/html-{'a' * 64}"):
            for headers in ({"X-CodeRunner-Token": "guess"}, *foreign.values()):
                assert gives(f"{address}{path}?cell=c&path=p", known | headers) in (403, 404), path
        assert gives(f"{address}{MADE}", foreign["foreign origin"]) == 403
        assert status(address, JSON, b'{"cells": []}', path=MADE) == 403
        assert status(address, JSON | known, b'{"cells": []}', path=MADE) == 200
        # The control: what our own page sends is heard, though no block waits for it.
        assert status(address, JSON | known | {"Origin": address}) == 404
        own = ["coderunner", token()]
        sockets: dict[str, tuple[list[str], dict[str, str]]]
        sockets = {"no token": (["coderunner"], {}), "wrong token": (["coderunner", "guess"], {})}
        sockets |= {name: (own, headers) for name, headers in foreign.items()}
        for name, (offered, headers) in sockets.items():
            assert not await opens(address, offered, headers), name
        assert await opens(address, own, {"Origin": address})


def mounted() -> list[Any]:
    with gr.Blocks() as blocks:
        gr.Textbox()
    return list(App.create_app(blocks, app_kwargs=NO_DOCS).router.routes)


@behaviour("textgen:routes:login")
async def test_behind_the_webuis_login_our_routes_want_it_too(webui: Webui) -> None:
    webui.start()
    with answering(auth=[("ann", "secret")]) as (address, known):
        own = ["coderunner", token()]
        assert status(address, JSON | known) == 403
        assert not await opens(address, own, {})
        assert gives(f"{address}{MADE}?cell=c&path=p", known) == 403
        assert gives(f"{address}/coderunner/preview?cell=c&path=p", known) == 403
        cookie = logged_in(address, "ann", "secret")
        assert status(address, JSON | known | {"Cookie": cookie}) == 404
        assert await opens(address, own, {"Cookie": cookie})
        assert gives(f"{address}{MADE}?cell=c&path=p", {"Cookie": cookie}) == 404
        code, text = loaded(f"{address}{PUBLIC}host.js")
        assert (code, token() in text) == (200, False)


@behaviour("textgen:routes:names")
def test_with_listen_addresses_in_numbers_are_ours_and_no_foreign_name_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = Names("https://chat.example.org/webui")
    hosts = ("localhost", "127.0.0.1", "chat.example.org", "192.168.1.7", "fd00::7", "evil.example", "")
    monkeypatch.setattr(shared.args, "listen", False, raising=False)
    assert [host in names for host in hosts] == [True, True, True, False, False, False, False]
    monkeypatch.setattr(shared.args, "listen", True)
    assert [host in names for host in hosts] == [True, True, True, True, True, False, False]
    assert "" not in Names()


@behaviour("textgen:routes:restart")
async def test_a_restart_of_the_interface_mounts_the_routes_once_and_keeps_the_token(webui: Webui) -> None:
    webui.start()
    before = token()
    webui.restart()
    paths = [getattr(route, "path", "") for route in mounted()]
    assert paths.count("/coderunner/act") == 1
    assert token() == before
