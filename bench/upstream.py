"""An endpoint for measurements, which does as little as it can."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PACE = 0.01
"""Seconds between two chunks of a paced stream."""

REPLY = "Let me see.\n\n```python\nprint(10 + 5)\n```\n"
AFTER = "There it is."

WORDS = ("word ",) * 80
TALK = (None,) * 3
"""Before each of them: 33 tokens a second are what a hosted model writes."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Say `count` times what o'clock it is, paced or not; or a block, and a sentence after its result.

    To `talk` it writes a block as slowly as a model does.
    """
    if scope["type"] != "http":
        return
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message.get("body", b"")
    if scope["path"].endswith("/models"):
        await _send(
            send, json.dumps({"data": [{"id": "bench", "owned_by": "vllm"}]}).encode(), "application/json"
        )
        return
    if not scope["path"].endswith("/chat/completions"):
        # Whoever has other APIs is asked by those: what is measured is the translation.
        await _send(send, b"{}", "application/json", 404)
        return
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for text in _said(json.loads(body)["messages"][-1]):
        if text is None:
            await asyncio.sleep(PACE)
            continue
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        data = json.dumps({**chunk, "choices": [choice]})
        await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def _said(last: MutableMapping[str, str]) -> Iterator[str | None]:
    """What is said; None is a pause."""
    if last["role"] == "assistant":
        yield AFTER
        return
    what, _, count = last["content"].partition(" ")
    if what == "block":
        yield from (REPLY[start : start + 4] for start in range(0, len(REPLY), 4))
        return
    if what == "talk":
        for word in (*WORDS, *(REPLY[start : start + 4] for start in range(0, len(REPLY), 4))):
            yield from TALK
            yield word
        return
    for _ in range(int(count)):
        if what == "paced":
            yield None
        yield f"{time.monotonic():.6f} "


async def _send(send: Send, body: bytes, kind: str, status: int = 200) -> None:
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
