"""A model that writes what it is told to, piece by piece, over HTTP as a real one does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Teller:
    """An OpenAI-compatible endpoint; `say` and `end` go to the request that is open, from any thread."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        """The bodies of all requests for a reply."""
        self._open: tuple[asyncio.AbstractEventLoop, asyncio.Queue[str | None]] | None = None

    @property
    def listening(self) -> bool:
        """Somebody waits for the next piece."""
        return self._open is not None

    def say(self, piece: str | None) -> None:
        """Write a piece; None: the reply is complete."""
        assert self._open is not None
        loop, pieces = self._open
        loop.call_soon_threadsafe(pieces.put_nowait, piece)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/chat/completions"):
            await _answer(send, b"application/json", b'{"data": [{"id": "teller", "owned_by": "vllm"}]}')
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.asked.append(json.loads(body))
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send(_event({}))
        mine = self._open = asyncio.get_running_loop(), asyncio.Queue[str | None]()
        try:
            await self._tell(mine[1], receive, send)
        finally:
            if self._open is mine:
                self._open = None

    async def _tell(self, pieces: "asyncio.Queue[str | None]", receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(receive())
        while True:
            next_one = asyncio.ensure_future(pieces.get())
            await asyncio.wait({gone, next_one}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                next_one.cancel()
                return
            piece = next_one.result()
            if piece is None:
                gone.cancel()
                self._open = None
                await send(_event({}, "stop"))
                await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
                return
            await send(_event({"content": piece}))


def _event(delta: Mapping[str, str], finish: str | None = None) -> MutableMapping[str, Any]:
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    body = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _answer(send: Send, kind: bytes, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})
