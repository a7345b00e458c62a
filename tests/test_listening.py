"""A host that listens."""

import asyncio
import logging

import httpx
import pytest

from coderunner.access import listening
from coderunner.access.origins import Receive, Scope, Send
from tests.behaviours import behaviour


@behaviour("access:failure:logged")
@pytest.mark.asyncio
async def test_a_request_that_fails_is_logged_with_its_path_and_without_its_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(scope: Scope, _receive: Receive, _send: Send) -> None:
        if scope["type"] == "http":
            raise LookupError("not there")

    up = asyncio.Event()

    async def ready() -> None:
        up.set()

    listener = listening.listen("127.0.0.1", 0)
    serving = asyncio.ensure_future(listening.serve(broken, listener, ready))
    try:
        async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
            await up.wait()
            address = listening.address("127.0.0.1", listener)
            with caplog.at_level(logging.ERROR):
                response = await client.get(f"{address}/path?secret=canary")
    finally:
        serving.cancel()
        await asyncio.wait([serving], timeout=30)
        listener.close()
    assert response.status_code == 500
    (record,) = [each for each in caplog.records if each.name == "coderunner.access.listening"]
    assert record.getMessage() == "/path failed in CodeRunner"
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    assert "canary" not in caplog.text
