"""A host that listens."""

import asyncio
import logging

import httpx
import pytest
from starlette.requests import Request

from coderunner.access import listening
from coderunner.access.origins import App, Receive, Scope, Send
from tests.behaviours import behaviour


class Served:
    """An app that is served, at an address; what it logs is kept."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __aenter__(self) -> str:
        up = asyncio.Event()

        async def ready() -> None:
            up.set()

        self._listener = listening.listen("127.0.0.1", 0)
        self._serving = asyncio.ensure_future(listening.serve(self._app, self._listener, ready))
        await asyncio.wait_for(up.wait(), 30)
        return listening.address("127.0.0.1", self._listener)

    async def __aexit__(self, *_: object) -> None:
        self._serving.cancel()
        await asyncio.wait([self._serving], timeout=30)
        self._listener.close()


@behaviour("access:failure:logged")
@pytest.mark.asyncio
async def test_a_request_that_fails_is_logged_with_its_path_and_without_its_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(scope: Scope, _receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            raise LookupError("not there")

    with caplog.at_level(logging.ERROR):
        async with Served(broken) as address, httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"{address}/path?secret=canary")
    assert response.status_code == 500
    (record,) = [each for each in caplog.records if each.name == "coderunner.access.listening"]
    assert record.getMessage() == "/path failed in CodeRunner"
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    assert "canary" not in caplog.text


@behaviour("access:failure:logged")
@pytest.mark.asyncio
async def test_what_fails_after_its_client_has_left_is_logged_where_the_request_was_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = asyncio.Event()

    async def broken(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            while (await receive())["type"] != "http.disconnect":
                pass
            ended.set()
            raise LookupError("not there")

    with caplog.at_level(logging.ERROR):
        async with Served(broken) as address:
            host, _, port = address.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET /path HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            await writer.drain()
            writer.close()
            await asyncio.wait_for(ended.wait(), 30)
    said = [each.getMessage() for each in caplog.records if each.name == "coderunner.access.listening"]
    assert said == ["/path failed in CodeRunner"]


@behaviour("access:failure:logged")
@pytest.mark.asyncio
async def test_a_client_that_leaves_while_it_sends_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def reading(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            begun.set()
            try:
                await Request(scope, receive).body()
            finally:
                ended.set()

    with caplog.at_level(logging.ERROR):
        async with Served(reading) as address:
            host, _, port = address.removeprefix("http://").partition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"POST /path HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\nhalf".encode())
            await asyncio.wait_for(begun.wait(), 30)
            writer.close()
            await asyncio.wait_for(ended.wait(), 30)
    assert [each.getMessage() for each in caplog.records if each.name.startswith("coderunner")] == []
