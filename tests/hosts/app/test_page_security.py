"""Who may speak to the app."""

import asyncio
from typing import Any

import pytest

from coderunner.hosts.app.page_security import guarded
from tests.behaviours import behaviour

HOST = "127.0.0.1:7861"


async def _inside(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def answer(
    headers: dict[str, str], *, kind: str = "http", method: str = "GET", path: str = "/"
) -> list[dict[str, Any]]:
    """What a guarded app sends."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(guarded(_inside, ["127.0.0.1"])(scope, receive, send))
    return sent


LET_IN = [
    {"host": HOST},
    {"host": "localhost:7861"},
    {"host": "LOCALHOST"},
    {"host": "[::1]:7861"},
    {"host": "localhost:8000", "origin": "http://localhost:8000"},
    {"host": HOST, "origin": f"http://{HOST}"},
    {"host": HOST, "origin": f"https://{HOST}"},
    {"host": HOST, "sec-fetch-site": "same-origin"},
    {
        "host": HOST,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    },
]

KEPT_OUT = [
    {},
    {"host": ""},
    {"host": "evil.example"},
    {"host": "evil.example:7861"},
    {"host": "127.0.0.1.evil.example"},
    {"host": "127.0.0.1@evil.example"},
    {"host": "evil.example@127.0.0.1"},
    {"host": "localhost/evil.example"},
    {"host": "localhost:port"},
    {"host": "0.0.0.0:7861"},
    {"host": "[::1"},
    {"host": HOST, "origin": "null"},
    {"host": HOST, "origin": ""},
    {"host": HOST, "origin": "http://evil.example"},
    {"host": HOST, "origin": "http://127.0.0.1:3000"},
    {"host": HOST, "origin": "http://localhost:7861"},
    {"host": HOST, "origin": f"file://{HOST}"},
    {"host": HOST, "origin": f"http://{HOST}.evil.example"},
    {"host": HOST, "sec-fetch-site": "cross-site"},
    {"host": HOST, "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    {"host": HOST, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
]


@behaviour("app:guard:own-page")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", LET_IN, ids=str)
def test_its_own_page_is_let_in(headers: dict[str, str], kind: str) -> None:
    first = answer(headers, kind=kind)[0]
    assert first["type"] == "websocket.accept" or first["status"] == 200


@behaviour("app:guard:others")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("headers", KEPT_OUT, ids=str)
def test_other_hosts_and_pages_are_kept_out(headers: dict[str, str], kind: str) -> None:
    first = answer(headers, kind=kind)[0]
    assert first["type"] == "websocket.close" or first["status"] == 403


@behaviour("app:guard:others")
def test_a_post_from_another_site_is_no_navigation() -> None:
    headers = {
        "host": HOST,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    }
    assert answer(headers, method="POST")[0]["status"] == 403


@behaviour("app:guard:others")
def test_a_refusal_says_why() -> None:
    start, body = answer({"host": "evil.example"})
    assert (start["status"], body["body"].decode()) == (
        403,
        "CodeRunner answers only at its own address, but this request names another Host.",
    )


@behaviour("app:guard:nothing-from-elsewhere")
def test_each_answer_forbids_frames_and_foreign_sources() -> None:
    headers = dict(answer({"host": HOST})[0]["headers"])
    assert headers[b"x-frame-options"] == b"DENY"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert b"img-src 'self' data: blob:" in headers[b"content-security-policy"]


@behaviour("app:guard:public")
def test_what_closed_frames_are_made_of_is_for_everybody_under_our_own_name() -> None:
    path = "/coderunner/public/frame.js"
    start, _ = answer({"host": HOST, "origin": "null", "sec-fetch-site": "cross-site"}, path=path)
    assert (start["status"], start["headers"]) == (200, [])
    assert answer({"host": "evil.example"}, path=path)[0]["status"] == 403
