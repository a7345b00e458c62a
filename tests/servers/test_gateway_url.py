"""A Jupyter Server that has its kernels on a gateway, when the gateway is gone."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from coderunner.errors import ServerUnreachable
from coderunner.kernel.connections.servers.running_kernels import existing
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Status
from tests.behaviours import behaviour
from tests.kernel.conftest import Screen
from tests.servers.doubles import gateway, stock

BOUND = 60.0


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
