"""The demo model as a server: an OpenAI-compatible API as a bare ASGI application.

It serves people who have no model yet, and it is the double that our tests talk to over real sockets; there
it can pass for each of the servers in `server_profiles`. It needs no framework, no key, no weights.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from coderunner.models.demo.conversation_state import CODE
from coderunner.models.demo.demo_replies import MODEL, speak
from coderunner.models.demo.openai_format import TOKEN, Spoken, call, chunk, cut, event, timings, whole
from coderunner.models.demo.server_profiles import (
    PLAIN,
    Prompt,
    Refusal,
    ServerProfile,
    Tools,
    prompt,
    rendered,
    taken_apart,
)
from coderunner.text.json_reader import loads

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Body = Mapping[str, Any]

COMPLETION = ("/completions", "/v1/completions")
CHAT = ("/chat/completions", "/v1/chat/completions", "/beta/chat/completions")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request came."""

    path: str
    body: Body


@dataclass(frozen=True, slots=True)
class Ended:
    """A streamed reply is over: sent to its end, or closed by the client after so many tokens."""

    complete: bool
    tokens: int


class DemoApp:
    """The ASGI application; may be mounted below any path.

    `delay` is in seconds for each token. `key` is asked for where it is set. `observe` is told of each
    request and of each stream's end.
    """

    def __init__(
        self,
        profile: ServerProfile = PLAIN,
        *,
        delay: float = 0.0,
        key: str = "",
        observe: Callable[[Asked | Ended], None] = lambda _: None,
    ) -> None:
        self._profile = profile
        self._delay = delay
        self._key = key
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        if self._key and dict(scope["headers"]).get(b"authorization") != f"Bearer {self._key}".encode():
            await _refuse(send, Refusal(401, "Incorrect API key provided."))
        elif scope["method"] == "GET":
            await self._answer_get(path, send)
        else:
            await self._answer_post(path, receive, send)

    async def _answer_get(self, path: str, send: Send) -> None:
        if path in ("/models", "/v1/models"):
            listed = {"id": MODEL, "object": "model", "created": 0, "owned_by": self._profile.owned_by}
            await _send_json(send, 200, {"object": "list", "data": [listed]})
        elif path in self._profile.routes:
            await _send_json(send, 200, self._profile.routes[path])
        else:
            await _refuse(send, Refusal(404, f"There is no {path}."))

    async def _answer_post(self, path: str, receive: Receive, send: Send) -> None:
        try:
            body = loads(await _read(receive))
            asked = Asked(path, dict(body))  # type: ignore[call-overload]
        except (ValueError, TypeError):
            await _refuse(send, Refusal(400, "The body is no JSON object."))
            return
        self._observe(asked)
        if path in CHAT or (path in COMPLETION and self._profile.completes):
            await self._complete(asked, receive, send)
        elif (told := self._template(asked)) is not None:
            await _send_json(send, 200, told)
        else:
            await _refuse(send, Refusal(404, f"There is no {path}."))

    def _template(self, asked: Asked) -> Mapping[str, object] | None:
        """Answer the questions about its chat template that a server of this kind answers."""
        name, body = self._profile.name, asked.body
        match asked.path:
            case "/apply-template" if name.startswith("llamacpp"):
                return {"prompt": rendered(self._profile, body, asked.path)}
            case "/v1/internal/chat-prompt" if name == "textgen":
                return {"prompt": rendered(self._profile, body, asked.path)}
            case "/tokenize" if self._profile.owned_by == "vllm":
                return {"tokens": [ord(each) for each in rendered(self._profile, body, asked.path) or ""]}
            case "/detokenize" if self._profile.owned_by == "vllm":
                return {"prompt": "".join(map(chr, body["tokens"]))}
        return None

    async def _complete(self, asked: Asked, receive: Receive, send: Send) -> None:
        body = asked.body
        if (model := body.get("model") or MODEL) != MODEL:
            await _refuse(send, Refusal(404, f"The model `{model}` does not exist."))
            return
        chat = asked.path in CHAT
        read = prompt(self._profile, body, asked.path) if chat else taken_apart(str(body.get("prompt")))
        if isinstance(read, Refusal):
            await _refuse(send, read)
            return
        spoken = self._spoken(read, body, chat=chat)
        if body.get("stream"):
            await self._stream(spoken, body, receive, send)
        else:
            await _send_json(send, 200, whole(spoken))

    def _spoken(self, read: Prompt, body: Body, *, chat: bool) -> Spoken:
        text = speak(read.messages, read.partial)
        calls: tuple[Mapping[str, object], ...] = ()
        if body.get("tools") and self._profile.tools in (Tools.CALLS, Tools.MISCALLS):
            text, calls = self._called(text)
        if read.anew:
            text = self._profile.opening + text
        if text.endswith("```\n"):
            text = text.removesuffix("\n") + (self._profile.surplus or "\n")
        thought = "" if read.partial else self._profile.reasoning
        if self._profile.inline and thought:
            text, thought = f"<think>\n{thought}</think>\n\n{text}", ""
        text, stopped = cut(text, body.get("stop"))
        tokens = [*([read.partial] if read.echoed else []), *TOKEN.findall(text)]
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or len(tokens)
        sent = sum(len(TOKEN.findall(str(each.get("content")))) + 3 for each in read.messages)
        prefix = len(TOKEN.findall(read.partial))
        return Spoken(
            id="chatcmpl-" + sha256(f"{read}{text}".encode()).hexdigest()[:12],
            model=MODEL,
            tokens=tuple(tokens[:limit]),
            reasoning=tuple(TOKEN.findall(thought)),
            finish_reason="length"
            if len(tokens) > limit and not stopped
            else "tool_calls"
            if calls
            else "stop",
            prompt_tokens=sent + prefix,
            cached_tokens=max(0, sent + prefix - 1) if read.partial else 0,
            calls=calls,
            chat=chat,
        )

    def _called(self, text: str) -> tuple[str, tuple[Mapping[str, object], ...]]:
        """A text whose block is a call of the tool instead."""
        if (found := CODE.search(text)) is None:
            return text, ()
        if self._profile.tools is Tools.MISCALLS:
            return "", call(found[1], readable=False)
        return text[: found.start()], call(found[1], readable=True)

    async def _stream(self, spoken: Spoken, body: Body, receive: Receive, send: Send) -> None:
        """Send chunks until all are sent or the client has gone, whichever comes first."""
        await _start(send, 200, b"text/event-stream")
        sent = 0

        async def speak_on() -> None:
            nonlocal sent
            async for data in self._events(spoken, body):
                await _more(send, data)
                sent += 1
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        speaking = asyncio.create_task(speak_on())
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            complete = speaking.done() and not speaking.cancelled() and speaking.exception() is None
            for task in (speaking, leaving):
                task.cancel()
            await asyncio.gather(speaking, leaving, return_exceptions=True)
            self._observe(Ended(complete, sent))

    async def _events(self, spoken: Spoken, body: Body) -> AsyncIterator[bytes]:
        options = body.get("stream_options") or {}
        meter = self._meter(body)
        yield event(chunk(spoken, {"role": "assistant", "content": ""}))
        for count, (name, token) in enumerate(self._deltas(spoken), start=1):
            await asyncio.sleep(self._delay)
            yield event({**chunk(spoken, {name: token}), **meter(spoken, count)})
        yield event(chunk(spoken, {}, spoken.finish_reason))
        if options.get("include_usage"):
            total = spoken.usage(len(spoken.tokens) + len(spoken.reasoning) + len(spoken.calls))
            yield event({**chunk(spoken, {}), "choices": [], "usage": total})
        yield b"data: [DONE]\n\n"

    def _deltas(self, spoken: Spoken) -> Iterator[tuple[str, object]]:
        for token in spoken.reasoning:
            yield self._profile.reasoning_field, token
        for token in spoken.tokens:
            yield "content", token
        for fragment in spoken.calls:
            yield "tool_calls", [fragment]

    def _meter(self, body: Body) -> Callable[[Spoken, int], dict[str, object]]:
        """Choose what a chunk tells about its cost, by what this kind of server knows and was asked for."""
        if self._profile.meters and (body.get("stream_options") or {}).get("continuous_usage_stats"):
            return lambda spoken, count: {"usage": spoken.usage(count)}
        if self._profile.meters and body.get("timings_per_token"):
            return timings
        return lambda _, __: {}


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _read(receive: Receive) -> bytes:
    data, more = b"", True
    while more:
        message = await receive()
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return data


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _more(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def _send_json(send: Send, status: int, value: Mapping[str, object]) -> None:
    await _start(send, status, b"application/json")
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})


async def _refuse(send: Send, refusal: Refusal) -> None:
    error = {"message": refusal.message, "type": "invalid_request_error", "param": None, "code": None}
    await _send_json(send, refusal.status, {"error": error})
