"""A file of a conversation as an answer over HTTP."""

import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from coderunner.files.local_files import OpenFile, open_file
from coderunner.page.server.files.file_downloads import download
from tests.behaviours import behaviour
from tests.hosts.app.browsing import BOUND, served


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


# --- from the file to the socket --------------------------------------------------------------------------

LARGE = bytes(range(256)) * 40_000


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A real server that gives a large file, whose size changes meanwhile where that is asked."""

    def give(request: Request) -> Response:
        file = open_file(tmp_path, "large.bin")
        if (size := request.query_params.get("becomes")) is not None:
            os.truncate(tmp_path / "large.bin", int(size))
        return download(file, request.headers.get("range", ""))

    (tmp_path / "large.bin").write_bytes(LARGE)
    with served(lambda: Starlette(routes=[Route("/file", give, methods=["GET", "HEAD"])])) as address:
        yield f"{address}/file"


@behaviour("files:download:direct")
def test_a_local_file_goes_to_the_socket_without_being_read(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    monkeypatch.setattr(OpenFile, "read", lambda _self, start, _most: read.append(start) or b"")
    with httpx.Client(trust_env=False, timeout=BOUND) as client:
        assert client.head(address).headers["content-length"] == str(len(LARGE))
        assert client.get(address).content == LARGE
        part = client.get(address, headers={"Range": "bytes=5-9000000"})
        assert (part.status_code, part.content) == (206, LARGE[5:9_000_001])
        assert client.get(address, params={"becomes": str(len(LARGE) + 9)}).content == LARGE
        assert read == [] or sys.platform != "linux"
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(address, params={"becomes": "5000000"})


@behaviour("files:download:direct")
def test_a_client_that_leaves_in_the_middle_of_a_file_disturbs_nobody(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Event()
    bare = OpenFile.close_now
    monkeypatch.setattr(OpenFile, "close_now", lambda self: (bare(self), closed.set())[0])
    with (
        httpx.Client(trust_env=False, timeout=BOUND) as client,
        client.stream("GET", address) as answer,
    ):
        next(answer.iter_raw(1000))
    assert closed.wait(BOUND)
    assert httpx.get(address, trust_env=False, timeout=BOUND).content == LARGE
