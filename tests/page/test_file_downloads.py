"""A file of a conversation as an answer over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coderunner.files.local_files import open_file
from coderunner.page.server.files.file_downloads import download
from tests.behaviours import behaviour


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that gives the files of a folder."""
    (tmp_path / "letters.txt").write_text("abcdefghij")
    (tmp_path / "empty.csv").write_text("")
    for name in ("page.html", "image.svg", "data.xml", "script.js", 'a "b"\r\nX: y.csv', "測 定.csv"):
        (tmp_path / name).write_text("<script>alert(1)</script>")

    def give(request: Request) -> Response:
        file = open_file(tmp_path, request.query_params["path"])
        return download(file, request.headers.get("range", ""))

    transport = httpx.ASGITransport(Starlette(routes=[Route("/file", give)]))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as found:
        yield found


@behaviour("files:download:ranges")
@pytest.mark.parametrize(
    ("wanted", "status", "text", "content_range"),
    [
        ("", 200, "abcdefghij", None),
        ("bytes=0-2", 206, "abc", "bytes 0-2/10"),
        ("bytes=7-", 206, "hij", "bytes 7-9/10"),
        ("bytes=7-99", 206, "hij", "bytes 7-9/10"),
        ("bytes=-4", 206, "ghij", "bytes 6-9/10"),
        ("bytes=-99", 206, "abcdefghij", "bytes 0-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=5-2", 416, "", "bytes */10"),
        ("bytes=-0", 416, "", "bytes */10"),
        ("bytes=-", 200, "abcdefghij", None),
        ("bytes=0-1,4-5", 200, "abcdefghij", None),
        ("lines=1-2", 200, "abcdefghij", None),
        ("bytes=²-", 200, "abcdefghij", None),
    ],
)
async def test_a_part_is_given_as_it_is_asked_for(
    client: httpx.AsyncClient, wanted: str, status: int, text: str, content_range: str | None
) -> None:
    headers = [(b"Range", wanted.encode())] if wanted else []
    answer = await client.get("/file", params={"path": "letters.txt"}, headers=headers)
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(text))


@behaviour("files:download:ranges")
async def test_an_empty_file_is_given_whole(client: httpx.AsyncClient) -> None:
    answer = await client.get("/file", params={"path": "empty.csv"})
    assert (answer.status_code, answer.content) == (200, b"")


@behaviour("files:download:closed")
@pytest.mark.parametrize("name", ["page.html", "image.svg", "data.xml", "script.js"])
async def test_what_could_act_is_kept_and_not_shown(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get("/file", params={"path": name})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


@behaviour("files:download:closed")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            'a "b"\r\nX: y.csv',
            "attachment; filename=\"a _b___X_ y.csv\"; filename*=UTF-8''a%20%22b%22%0D%0AX%3A%20y.csv",
        ),
        ("測 定.csv", "attachment; filename=\"_ _.csv\"; filename*=UTF-8''%E6%B8%AC%20%E5%AE%9A.csv"),
    ],
)
async def test_a_name_in_any_letters_stays_a_name(client: httpx.AsyncClient, name: str, said: str) -> None:
    answer = await client.get("/file", params={"path": name})
    assert answer.headers["content-disposition"] == said
