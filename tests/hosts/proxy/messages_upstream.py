"""An endpoint that has Anthropic's API itself: it answers with what it is given, event by event."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

App = Callable[..., Awaitable[None]]
Block = dict[str, Any]

SEARCHED = {"web_search_requests": 1, "web_fetch_requests": 0}
HOLD = "hold"
"""In a reply: nothing comes any more, until the client leaves."""


def thought(text: str, signature: str = "sig") -> Block:
    return {"type": "thinking", "thinking": text, "signature": signature}


def said(text: str) -> Block:
    return {"type": "text", "text": text}


def code(source: str, words: str = "Let me see.") -> Block:
    return said(f"{words}\n\n```python\n{source}\n```\nResult: made up\n")


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with: blocks, raw events between them, and how it ends."""

    blocks: Sequence[Block | str]
    reason: str = "tool_use"
    usage: Block = field(default_factory=dict)

    def events(self) -> list[Block | str]:
        usage = {"input_tokens": 20, "cache_read_input_tokens": 5, "output_tokens": 1, **self.usage}
        head = {"id": "msg_theirs", "type": "message", "role": "assistant", "content": [], "model": "m"}
        message = {**head, "stop_reason": None, "stop_sequence": None, "usage": usage, "made_by": "them"}
        events: list[Block | str] = [{"type": "message_start", "message": message}, {"type": "ping"}]
        index = 0
        for block in self.blocks:
            if isinstance(block, str) or block["type"] in ("error", "note"):
                events.append(block)
                continue
            events += written(block, index)
            index += 1
        delta = {"stop_reason": self.reason, "stop_sequence": None}
        spent = {"output_tokens": 40, "server_tool_use": SEARCHED}
        return [*events, {"type": "message_delta", "delta": delta, "usage": spent}, {"type": "message_stop"}]


def written(block: Block, index: int) -> list[Block]:
    """The events of one block: its text in pieces, its input as JSON in two."""
    start = dict(block)
    deltas: list[Block] = []
    match block["type"]:
        case "text":
            start["text"] = ""
            pieces = block["text"]
            deltas = [{"type": "text_delta", "text": pieces[at : at + 7]} for at in range(0, len(pieces), 7)]
        case "thinking":
            start |= {"thinking": "", "signature": ""}
            deltas = [
                {"type": "thinking_delta", "thinking": block["thinking"]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
        case "tool_use" | "server_tool_use":
            start["input"] = {}
            whole = json.dumps(block["input"])
            parts = (whole[:3], whole[3:])
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


@dataclass(slots=True)
class MessagesUpstream:
    """`answers`: a `Reply`, or the status of an error and its body; at last the last one, always."""

    answers: list[Reply | tuple[int, object]]
    goes_on: bool = True
    """Whether it goes on with a message that it is given as the last one."""
    bodies: list[Block] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """The paths of all other requests."""
    probes: int = 0
    left: Event = field(default_factory=Event)
    """A client has left before the end of its reply."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: App, send: App) -> None:
        if scope["type"] != "http":
            await live(receive, send)
            return
        body = await read_body(receive)
        if scope["path"] != "/v1/messages":
            self.others.append(scope["path"])
            await answer_with(send, 404, {"detail": "Not Found"})
            return
        asked = json.loads(body)
        if asked["messages"][-1]["content"] == "alpha bravo charlie":
            self.probes += 1
            words = " delta echo" if self.goes_on else "alpha bravo charlie delta echo"
            await self._stream(Reply([said(words)], "end_turn"), receive, send)
            return
        self.bodies.append(asked)
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Reply):
            await self._stream(answer, receive, send)
        else:
            await answer_with(send, *answer)

    async def _stream(self, reply: Reply, receive: App, send: App) -> None:
        kind = (b"content-type", b"text/event-stream")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        for event in reply.events():
            if isinstance(event, str):
                await receive()
                self.left.set()
                return
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            await send({"type": "http.response.body", "body": data, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": b""})


async def answer_with(send: App, status: int, value: object) -> None:
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": status, "headers": [kind]})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def read_body(receive: App) -> bytes:
    data, more = b"", True
    while more:
        message: Any = await receive()
        data, more = data + message.get("body", b""), message.get("more_body", False)
    return data


async def live(receive: App, send: App) -> None:
    message: Any = await receive()
    while message["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    await send({"type": "lifespan.shutdown.complete"})
