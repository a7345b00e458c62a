"""A person's app that says what it is asked: the real process, with a small ASGI app in Gradio's place."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from coderunner.access.origins import App
from coderunner.hosts.team import private_serving
from coderunner.hosts.team.handover import Handover


class Small:
    """What it is asked for, and what becomes of those who ask."""

    def __init__(self, home: Path) -> None:
        self.home = home

    async def echo(self, request: Request) -> Response:
        """The request, as it came."""
        body = await request.body()
        said: dict[str, Any] = {
            "home": str(self.home),
            "process": os.getpid(),
            "method": request.method,
            "target": request.scope["raw_path"].decode() + "?" + request.scope["query_string"].decode(),
            "headers": [[name.decode(), value.decode("latin-1")] for name, value in request.scope["headers"]],
            "length": len(body),
        }
        return JSONResponse(said, headers={"X-Said": "yes", "Connection": "close"})

    async def ticks(self, _request: Request) -> Response:
        """One tick, and another one when the file `more` is there; whoever leaves is written down."""

        async def ticking() -> Any:
            try:
                yield b"tick\n"
                while not (self.home / "more").exists():  # noqa: ASYNC110 - a test makes the file
                    await asyncio.sleep(0.02)
                yield b"tock\n"
            except asyncio.CancelledError:
                (self.home / "left").touch()
                raise

        return StreamingResponse(ticking(), media_type="text/plain")

    async def refuse(self, _request: Request) -> Response:
        """An answer before anything of the body is read."""
        return JSONResponse({"error": "There is no room."}, 507)

    async def crash(self, _request: Request) -> Response:
        """The end of the process, in the middle of an answer."""
        os._exit(3)

    async def socket(self, socket: WebSocket) -> None:
        """Say what is heard, under the subprotocol `small`."""
        if "no" in socket.query_params:
            await socket.close()
            return
        await socket.accept("small" if "small" in socket.scope["subprotocols"] else None)
        async for heard in socket.iter_json():
            await socket.send_text(json.dumps(heard))
            await socket.send_bytes(json.dumps(heard).encode())
            if heard == "end":
                await socket.close(4000)


def build(told: Handover) -> tuple[App, Callable[[], bool]]:
    """The app of whoever the handover is for."""
    home = told.settings.data_dir
    if (told.operators / "broken").exists():
        sys.exit(3)
    deadline = time.monotonic() + 60
    while (told.operators / "slow").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    small = Small(home)
    routes = [
        Route("/ticks", small.ticks),
        Route("/crash", small.crash),
        Route("/refuse", small.refuse, methods=["PUT"]),
        WebSocketRoute("/socket", small.socket),
        Route("/{path:path}", small.echo, methods=["GET", "POST", "PUT", "DELETE"]),
    ]
    return Starlette(routes=routes), (home / "busy").exists


def main() -> None:
    """Run the process."""
    private_serving.serve(build)
