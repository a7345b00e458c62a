"""The chat app as a person's Jupyter server has it: below the server's address, with its kernels."""

import asyncio
import socket
from collections.abc import Callable

from coderunner.access import listening
from coderunner.access.origins import ANY
from coderunner.access.way_in import WayIn
from coderunner.hosts.app import App
from coderunner.hosts.jupyter.names import HEADER
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

REFUSAL = "Open CodeRunner from the launcher of your JupyterLab."


def run(settings: Settings, listener: socket.socket, way_in: Secret, ready: Callable[[], None]) -> None:
    """Run the app until SIGTERM; `ready` is called when it answers. Raises CodeRunnerError."""
    asyncio.run(_serve(settings, listener, way_in, ready))


async def _serve(
    settings: Settings, listener: socket.socket, way_in: Secret, ready: Callable[[], None]
) -> None:
    # Any Host: that the request comes by way of the person's Jupyter server is what lets it in.
    app = WayIn(App(settings, hosts=[ANY]).asgi(), HEADER, way_in, REFUSAL)

    async def tell() -> None:
        await asyncio.to_thread(ready)

    await listening.serve(app, listener, tell)
