"""Whom the app lets in that a Jupyter server has started."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from coderunner.access.way_in import WayIn
from coderunner.hosts.jupyter.names import HEADER
from coderunner.secret_value import Secret
from tests.behaviours import behaviour

SECRET = "a-secret-of-this-server"
Headers = Sequence[tuple[str, str]]


def answer(headers: Headers, *, kind: str = "http", secret: str = SECRET) -> tuple[dict[str, Any], list[Any]]:
    """The first that is sent, and the headers that the app sees."""
    sent: list[dict[str, Any]] = []
    seen: list[Any] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])
        await send({"type": "websocket.accept"} if kind == "websocket" else {"type": "x", "status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    async def serve() -> None:
        scope = {
            "type": kind,
            "path": "/",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        }
        receive: Any = None
        await WayIn(inside, HEADER, Secret(secret), "Open it from the launcher.")(scope, receive, send)

    asyncio.run(serve())
    return sent[0], seen


KEPT_OUT: list[Headers] = [
    [],
    [(HEADER, "")],
    [(HEADER, SECRET[:-1])],
    [(HEADER, f"{SECRET} ")],
    [(HEADER, SECRET.upper())],
    [(HEADER, "ä" * 30)],
    [(HEADER, SECRET), (HEADER, SECRET)],
    [(HEADER, SECRET), (HEADER.lower(), "other")],
    [("Authorization", f"token {SECRET}")],
    [("Cookie", f"{HEADER}={SECRET}")],
]


@behaviour("jupyter:way-in")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", KEPT_OUT, ids=str)
def test_without_the_secret_nobody_gets_in(headers: Headers, kind: str) -> None:
    first, seen = answer(headers, kind=kind)
    assert first["type"] == "websocket.close" or first["status"] == 403
    assert seen == []


@behaviour("jupyter:way-in")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("name", [HEADER, HEADER.lower(), HEADER.upper()])
def test_with_it_a_request_gets_in_and_the_secret_goes_no_further(name: str, kind: str) -> None:
    first, seen = answer([("host", "hub.example.org"), (name, SECRET)], kind=kind)
    assert first["type"] == "websocket.accept" or first["status"] == 200
    assert seen == [(b"host", b"hub.example.org")]


@behaviour("jupyter:way-in")
def test_no_secret_is_not_one_that_everybody_knows() -> None:
    first, _ = answer([(HEADER, "")], secret="")
    assert first["status"] == 403
