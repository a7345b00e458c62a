"""A Jupyter Server that has its kernels on a gateway, when the gateway is gone."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from coderunner.errors import ServerUnreachable
from coderunner.kernel.connections.servers import rest_api
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.kernel_location import Patience, Server
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import Screen
from tests.servers.doubles import gateway, stock

BOUND = 60.0
MUTE = "{} did not respond in time; the server may hang, or a firewall may block it"
WAITS = (
    "{} responds, but not when it is asked for its kernels; where it has them on a gateway, that may hang or "
    "be down: see the server's log"
)


@contextlib.asynccontextmanager
async def hanging(*answered: bytes, after: bytes = b"") -> AsyncIterator[str]:
    """A server that answers these paths only, once nobody waits for `after` any more; gives its address."""
    left = asyncio.Event()
    if not after:
        left.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        if path in answered:
            await left.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]")
        await reader.read()  # until whoever asked waits no more
        if path == after:
            left.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@behaviour("servers:gateway-gone")
async def test_a_gateway_that_is_gone_is_told_in_the_words_of_the_server_before_it(tmp_path: Path) -> None:
    behind, before = tmp_path / "gateway", tmp_path / "server"
    behind.mkdir()
    before.mkdir()
    sessions, screen = Sessions(), Screen()
    with gateway(behind, lists=True) as far:
        options = (f"--GatewayClient.url={far.url}", f"--GatewayClient.auth_token={far.token}")
        with stock(before, *options) as near:
            session = sessions.get("c", near.where)
            running = session.begin(
                "import time\nprint('on', flush=True)\ntime.sleep(600)", on_output=screen, deadline=600.0
            )
            await screen.shows("on")
            os.kill(far.pid, signal.SIGKILL)
            result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
            told = (
                f"{near.url} cannot answer (HTTP 503: ConnectionError was received from Gateway server url. "
                "Check to be sure the Gateway instance is running)"
            )
            assert (result.status, result.detail) == (Status.LOST, told)
            following = await session.execute("1")
            assert (following.status, following.detail) == (Status.REFUSED, told)
            with pytest.raises(ServerUnreachable) as refused:
                await existing(near.where)
            assert str(refused.value) == told
            await sessions.close_all(keep=True)
            os.kill(near.pid, signal.SIGKILL)  # it would look for its gateway for half a minute


@behaviour("servers:gateway-gone")
async def test_a_server_that_waits_for_its_gateway_is_told_from_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rest_api, "AT_FIRST", 0.3)
    patience = Patience(request=4.0)
    async with hanging(b"/api") as waits, hanging() as mute:
        for url, told in ((waits, WAITS), (mute, MUTE)):
            with pytest.raises(ServerUnreachable) as refused:
                await asyncio.wait_for(existing(Server(url, Secret("t"), patience=patience)), BOUND)
            assert str(refused.value) == told.format(url)


@behaviour("servers:gateway-gone")
async def test_a_server_that_is_slow_whatever_it_is_asked_has_all_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rest_api, "AT_FIRST", 0.3)
    monkeypatch.setattr(rest_api, "AT_ONCE", 0.3)
    async with hanging(b"/api/sessions", b"/api/kernels", after=b"/api") as slow:
        assert await asyncio.wait_for(existing(Server(slow, Secret("t"))), BOUND) == []
