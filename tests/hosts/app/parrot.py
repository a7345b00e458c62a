"""A model for tests: it says what the user said, so that a test decides what the model writes.

After a result of ours it says `Seen.`. To `endless`, also as what a block printed, it says `tick` until the
client closes the stream.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from coderunner.models.endpoint.title_request import ASKED

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

THINK = "think: "


class Parrot:
    """An OpenAI-compatible endpoint as a bare ASGI application; continues replies as vLLM does."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        """The bodies of all requests for a reply."""
        self.titled: list[str] = []
        """All requests for a title."""
        self.title = ""
        """What it says to these; empty: conversations keep their first words."""
        self.left = threading.Event()
        """A client closed the stream of an endless reply."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/models"):
            models = {"data": [{"id": "parrot", "owned_by": "vllm"}]}
            await _whole(send, 200, models)
        elif scope["path"].endswith("/chat/completions"):
            await self._chat(receive, send)
        else:
            await _whole(send, 404, {"error": {"message": "no such route"}})

    async def _chat(self, receive: Receive, send: Send) -> None:
        body = json.loads(await _body(receive))
        last = body["messages"][-1]
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if isinstance(last["content"], str) and last["content"].startswith(ASKED):
            self.titled.append(last["content"])
            last = {"role": "user", "content": self.title}
        else:
            self.asked.append(body)
        if last["content"] == "endless" or "\nendless\n" in str(last["content"]):
            await self._tick(receive, send)
            return
        for delta in _deltas(last):
            await send(_event({"choices": [{"index": 0, "delta": delta}]}))
        await send(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})

    async def _tick(self, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(receive())
        number = 0
        while not gone.done():
            number += 1
            await send(_event({"choices": [{"index": 0, "delta": {"content": f"tick{number} "}}]}))
            await asyncio.wait({gone}, timeout=0.02)
        self.left.set()


def _deltas(last: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    if last["role"] == "assistant" or not isinstance(last["content"], str):
        yield {"content": "Seen.\n"}
        return
    said = last["content"]
    if said.startswith(THINK):
        thought, _, said = said.removeprefix(THINK).partition("|")
        yield {"reasoning_content": thought}
    for start in range(0, len(said), 7):
        yield {"content": said[start : start + 7]}


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _event(chunk: object) -> MutableMapping[str, Any]:
    return {
        "type": "http.response.body",
        "body": b"data: " + json.dumps(chunk).encode() + b"\n\n",
        "more_body": True,
    }


async def _whole(send: Send, status: int, value: object) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})
