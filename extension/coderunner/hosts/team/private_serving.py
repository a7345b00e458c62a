"""One person's app as a process that only the front reaches and ends.

It waits to be told whose it is: what takes seconds, imports, is done by then. It listens on a socket in a
folder that only we can enter, takes no request without its key, and ends with the front, whatever becomes of
that.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from starlette.responses import PlainTextResponse

from coderunner.access import listening
from coderunner.access.origins import App, Receive, Scope, Send
from coderunner.access.way_in import WayIn
from coderunner.hosts.team.handover import BUSY, CACHE, KEY_HEADER, NO, READY, YES, Handover
from coderunner.private_process import hide_memory

REFUSAL = "This app is reached through the front only."

Build = Callable[[Handover], tuple[App, Callable[[], bool]]]
"""Makes the ASGI app in a running loop, and what says whether code runs in it."""


def serve(build: Build) -> None:
    """Serve until SIGTERM, or until the front closes our stdin."""
    hide_memory()
    if not (line := _line()):
        return
    told, ready = Handover.read(line), _take_stdout()
    os.environ["GRADIO_TEMP_DIR"] = str(told.settings.data_dir / CACHE)
    threading.Thread(target=_end_with_the_front, daemon=True).start()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(told, ready, build))


async def _serve(told: Handover, ready: int, build: Build) -> None:
    async def tell() -> None:
        os.write(ready, READY)
        os.close(ready)

    private = WayIn(Told(*build(told)), KEY_HEADER, told.key, REFUSAL)
    await listening.serve(private, listening.listen_at(told.socket, mode=0o600), tell)


class Told:
    """ASGI middleware: tells the front whether code runs, and gives what comes an address."""

    def __init__(self, app: App, busy: Callable[[], bool]) -> None:
        self._app = app
        self._busy = busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"] == BUSY:
            await PlainTextResponse(YES if self._busy() else NO)(scope, receive, send)
        else:
            # A Unix socket has no address, and Gradio expects one of everybody.
            await self._app({**scope, "client": scope.get("client") or ("127.0.0.1", 0)}, receive, send)


def _line() -> bytes:
    """The first line of stdin, and nothing beyond it: whoever waits for the end reads the rest."""
    read = bytearray()
    while (byte := os.read(0, 1)) not in (b"", b"\n"):
        read += byte
    return bytes(read)


def _take_stdout() -> int:
    """The pipe to the front, for one word; what libraries print goes to the log."""
    ready = os.dup(1)
    os.dup2(2, 1)
    return ready


def _end_with_the_front() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
