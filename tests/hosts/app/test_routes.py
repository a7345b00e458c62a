"""Every route that the app has, Gradio's included: none answers to another page, whatever it sends."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import WebSocketRoute

from coderunner.hosts.app.server import App
from coderunner.page.server.static_files import PUBLIC
from coderunner.settings.settings import load
from tests.behaviours import behaviour

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HERE = "http://127.0.0.1:7861"
OTHERS: dict[str, dict[str, str]] = {
    "foreign Host": {"Host": "evil.example"},
    "foreign Host and Origin": {"Host": "evil.example", "Origin": "http://evil.example"},
    "foreign Origin": {"Origin": "http://evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:1"},
    "null Origin": {"Origin": "null"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
}
BODIES: dict[str, bytes] = {
    "application/json": b"{}",
    "text/plain": b"{}",
    "application/octet-stream": b"x" * 20_000_000,
}


def walked(routes: Sequence[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Each method and path below some routes, parameters filled in."""
    for route in routes:
        path = before + re.sub(r"{[^}]*}", "x", getattr(route, "path", ""))
        # FastAPI keeps what was included from a router as that router.
        if inner := getattr(getattr(route, "original_router", route), "routes", None):
            yield from walked(inner, path.rstrip("/"))
        else:
            methods = getattr(route, "methods", None)
            if isinstance(route, WebSocketRoute):
                methods = ["WEBSOCKET"]
            yield from ((method, path) for method in methods or ())


@behaviour("app:safety:every-route")
async def test_no_route_answers_to_another_page(tmp_path: Path) -> None:
    gate = App(load({"demo": True, "data_dir": tmp_path})).asgi()
    inside: Any = gate._app._app  # type: ignore[attr-defined]
    found = sorted(set(walked(inside.routes)))
    assert len(found) > 40
    assert {"/gradio_api/queue/join", "/gradio_api/upload", "/coderunner/act", "/coderunner/notebook"} <= {
        path for _, path in found
    }
    let_in: list[tuple[str, ...]] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url=HERE) as client:

        async def ask(method: str, path: str, who: str, kind: str) -> None:
            headers = {**OTHERS[who], "Content-Type": kind}
            content = BODIES[kind] if method in ("POST", "PUT", "PATCH", "DELETE") else None
            answer = await client.request(method, path, headers=headers, content=content)
            if answer.status_code != 403:
                let_in.append((method, path, who, kind, str(answer.status_code)))

        for method, path in found:
            # One tries what is large: whoever it is, nobody reads it.
            for who in OTHERS:
                large = who == "null Origin" and method == "POST"
                kinds = [each for each in BODIES if large or len(BODIES[each]) < 100]
                await asyncio.gather(*(ask(method, path, who, kind) for kind in kinds))
    # The frames of what programs show have no origin, and nothing that is public knows anything of anybody.
    assert [each for each in let_in if not (each[1].startswith(PUBLIC) and "Host" not in each[2])] == []
