"""An endpoint that has the Responses API itself: it answers with what it is given, event by event.

Each event is one of the API, after OpenAI's own types.
"""

import json
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from tests.hosts.proxy.messages_upstream import HOLD, App, answer_with, live, read_body

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
Item = dict[str, Any]


def said(text: str, **fields: Any) -> Item:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "role": "assistant", "status": "completed", "content": [part], **fields}


def code(source: str, words: str = "Let me see.") -> Item:
    return said(f"{words}\n\n```python\n{source}\n```\nResult: made up\n")


def thought(sealed: str) -> Item:
    summary = [{"type": "summary_text", "text": "Add."}]
    return {"type": "reasoning", "id": f"rs_{sealed}", "summary": summary, "encrypted_content": sealed}


SEARCH: Item = {
    "type": "web_search_call",
    "id": "ws_theirs",
    "status": "completed",
    "action": {"type": "search", "query": "x"},
}
WEATHER: Item = {
    "type": "function_call",
    "id": "fc_theirs",
    "call_id": "call_1",
    "name": "weather",
    "arguments": '{"city": "Oslo"}',
    "status": "completed",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with: items, raw events between them, and how it ends."""

    items: Sequence[Item | str]
    status: str = "completed"
    fields: Item = field(default_factory=dict)

    def events(self) -> list[Item | str]:
        head = {"id": "resp_theirs", "object": "response", "created_at": 1, "model": "m", "error": None}
        head |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "instructions": "ours"}
        begun = {**head, "status": "in_progress", "output": [], "made_by": "them", "service_tier": "flex"}
        events: list[Item | str] = [
            {"type": f"response.{kind}", "response": begun} for kind in ("created", "in_progress")
        ]
        output: list[Item] = []
        for item in self.items:
            if isinstance(item, str) or item["type"].startswith(("response.", "error")):
                events.append(item)
                continue
            whole = {"id": f"msg_theirs_{len(output)}", **item}
            events += _told(whole, len(output))
            output.append(whole)
        usage = {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
            "output_tokens": 40,
            "output_tokens_details": {"reasoning_tokens": 30},
            "total_tokens": 60,
            "made_up": 7,
        }
        whole = {**begun, "status": self.status, "output": output, "usage": usage, **self.fields}
        events.append({"type": f"response.{self.status}", "response": whole})
        return [_numbered(event, number) for number, event in enumerate(events)]


def _told(item: Item, index: int) -> list[Item | str]:
    """The events of one item: text in pieces, arguments in two."""
    where = {"item_id": item["id"], "output_index": index}
    begun = {**item, "status": "in_progress"}
    within: list[Item] = []
    match item["type"]:
        case "message":
            begun["content"] = []
            (part,) = item["content"]
            text = {**where, "content_index": 0}
            empty = {**part, "text": ""}
            within.append({"type": "response.content_part.added", **text, "part": empty})
            for at in range(0, len(part["text"]), 7):
                delta = part["text"][at : at + 7]
                within.append({"type": "response.output_text.delta", **text, "delta": delta, "logprobs": []})
            for number, cited in enumerate(part["annotations"]):
                more = {"annotation": cited, "annotation_index": number}
                within.append({"type": "response.output_text.annotation.added", **text, **more})
            ended = {"text": part["text"], "logprobs": []}
            within.append({"type": "response.output_text.done", **text, **ended})
            within.append({"type": "response.content_part.done", **text, "part": part})
        case "reasoning":
            begun |= {"summary": [], "encrypted_content": ""}
            summary = {**where, "summary_index": 0}
            (part,) = item["summary"]
            part_added = "response.reasoning_summary_part.added"
            within.append({"type": part_added, **summary, "part": {**part, "text": ""}})
            delta = {"type": "response.reasoning_summary_text.delta", **summary, "delta": part["text"]}
            within.append(delta)
        case "web_search_call":
            kinds = ("in_progress", "searching", "completed")
            within = [{"type": f"response.web_search_call.{kind}", **where} for kind in kinds]
        case "function_call":
            begun["arguments"] = ""
            whole = item["arguments"]
            delta = "response.function_call_arguments.delta"
            within = [{"type": delta, **where, "delta": part} for part in (whole[:3], whole[3:])]
            done = "response.function_call_arguments.done"
            within.append({"type": done, **where, "arguments": whole, "name": item["name"]})
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        *within,
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _numbered(event: Item | str, number: int) -> Item | str:
    if isinstance(event, str):
        return event
    told = {**event, "sequence_number": number}
    if "made_up" not in event["type"]:
        EVENT.validate_python(told, strict=False)
    return told


@dataclass(slots=True)
class ResponsesUpstream:
    """`answers`: a `Reply`, or the status of an error and its body; at last the last one, always."""

    answers: list[Reply | tuple[int, object]]
    bodies: list[Item] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    """The paths of all other requests."""
    left: Event = field(default_factory=Event)
    """A client has left before the end of its reply."""

    async def __call__(self, scope: MutableMapping[str, Any], receive: App, send: App) -> None:
        if scope["type"] != "http":
            await live(receive, send)
            return
        body = await read_body(receive)
        if scope["path"] != "/v1/responses":
            self.others.append(scope["path"])
            await answer_with(send, 404, {"detail": "Not Found"})
            return
        self.bodies.append(json.loads(body))
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Reply):
            await self._stream(answer, receive, send)
        else:
            await answer_with(send, *answer)

    async def _stream(self, reply: Reply, receive: App, send: App) -> None:
        kind = (b"content-type", b"text/event-stream")
        await send({"type": "http.response.start", "status": 200, "headers": [kind]})
        for event in reply.events():
            if event == HOLD or isinstance(event, str):
                await receive()
                self.left.set()
                return
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
