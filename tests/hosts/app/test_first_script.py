"""The script that is at the start of each page of Gradio's app."""

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from coderunner.hosts.app.first_script import FirstScript
from tests.behaviours import behaviour

PAGE = "<!doctype html><html><head><title>é</title></head><body><head></body></html>"
CHANGED = PAGE.replace("<head>", "<head><script>first()</script>", 1)


async def in_parts(_request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:
        yield PAGE[:40]
        yield PAGE[40:]

    return StreamingResponse(parts(), media_type="text/html")


PAGES = Starlette(
    routes=[
        Route("/page", lambda _request: HTMLResponse(PAGE)),
        Route("/parts", in_parts),
        Route("/bare", lambda _request: HTMLResponse("<p>Hi</p>")),
        Route("/text", lambda _request: PlainTextResponse(PAGE)),
    ]
)


@behaviour("app:quiet:page")
@pytest.mark.parametrize(
    ("path", "text"),
    [("/page", CHANGED), ("/parts", CHANGED), ("/bare", "<p>Hi</p>"), ("/text", PAGE)],
    ids=["page", "parts", "bare", "text"],
)
def test_the_script_is_in_each_page_with_a_head_and_in_nothing_else(path: str, text: str) -> None:
    answer = TestClient(FirstScript(PAGES, "first()")).get(path)
    assert answer.text == text
    assert int(answer.headers.get("content-length", len(answer.content))) == len(answer.content)
