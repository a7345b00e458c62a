"""What passes untouched, and who leaves."""

import asyncio
import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import anthropic
import httpx
import openai
import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.hosts.proxy.routes import NOT_HERE
from coderunner.models.demo.demo_replies import LABEL, MODEL
from coderunner.models.demo.server_profiles import GUESS
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, WAIT, Open, Proxied
from tests.kernel.test_local_kernel import holds
from tests.models.conftest import Canned, Serve, listening

ASKED: Any = [{"role": "user", "content": "What is 10 + 5?"}]
UNTOUCHED = f"{LABEL}```python\nprint(10 + 5)\n```{GUESS}"
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@behaviour("proxy:pass:untouched")
@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"logprobs": True},
        {"response_format": {"type": "json_object"}},
        {"extra_headers": {"X-CodeRunner": "off"}},
        {"model": MODEL},
    ],
    ids=str,
)
def test_what_is_no_plain_reply_passes_untouched(opened: Open, serve: Serve, more: dict[str, Any]) -> None:
    served = serve("vllm")
    wanted: Any = {"model": RUNS, "messages": ASKED, "stream": True, **more}
    chunks = list(opened(served.url).client().chat.completions.create(**wanted))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == UNTOUCHED
    sent = {name: value for name, value in wanted.items() if name != "extra_headers"}
    assert [asked.body for asked in served.chats] == [{**sent, "model": MODEL}]


def calling(*calls: dict[str, Any]) -> bytes:
    """A stream of a model that calls tools."""
    deltas = [{"content": "Let me look. "}, *({"tool_calls": [call]} for call in calls), {}]
    ends = [None] * (len(deltas) - 1) + ["tool_calls"]
    chunks = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip(deltas, ends, strict=True)
    ]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


@behaviour("proxy:pass:tools")
@pytest.mark.parametrize("streams", [True, False])
def test_calls_of_the_clients_own_tools_pass_and_end_the_reply(opened: Open, streams: bool) -> None:
    named = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "look", "arguments": ""}}
    rest = {"index": 0, "function": {"arguments": '{"at": 1}'}}
    app = Canned(calling(named, rest))
    with listening(app) as url:
        client: Any = opened(url).client()
        answer = client.chat.completions.create(
            model="any+python", messages=ASKED, tools=[TOOL], stream=streams
        )
        if streams:
            choices = [chunk.choices[0] for chunk in answer]
            calls = [call for choice in choices for call in choice.delta.tool_calls or []]
            told = [calls[0].id, calls[0].function.name, "".join(call.function.arguments for call in calls)]
            content = "".join(choice.delta.content or "" for choice in choices)
        else:
            choices = answer.choices
            (call,) = choices[0].message.tool_calls
            told, content = [call.id, call.function.name, call.function.arguments], choices[0].message.content
    assert (content, choices[-1].finish_reason) == ("Let me look. ", "tool_calls")
    assert told == ["call-1", "look", '{"at": 1}']
    assert json.loads(app.bodies[-1])["tools"] == [TOOL]


@behaviour("proxy:pass:tools")
def test_code_runs_beside_the_clients_tools(opened: Open, serve: Serve) -> None:
    client: Any = opened(serve("vllm").url).client()
    reply = client.chat.completions.create(model=RUNS, messages=ASKED, tools=[TOOL])
    assert "Result: 15" in reply.choices[0].message.content


@behaviour("proxy:pass:side-jobs")
@pytest.mark.parametrize(
    "task",
    [
        "### Task:\nGenerate a concise, 3-5 word title. Chat: What is 10 + 5?",
        [{"type": "text", "text": "### Task:\nSuggest 3 questions about 10 + 5"}],
        "Please generate a concise, 5-word-or-less title for: What is 10 + 5?",
    ],
)
def test_a_program_that_wants_a_title_gets_it_without_code(opened: Open, serve: Serve, task: Any) -> None:
    messages: Any = [{"role": "user", "content": task}]
    reply = opened(serve("vllm").url).client().chat.completions.create(model=RUNS, messages=messages)
    assert "Result:" not in str(reply.choices[0].message.content)


@behaviour("proxy:pass:all-models")
def test_by_setting_the_code_of_every_model_runs(opened: Open, serve: Serve) -> None:
    client = opened(serve("vllm").url, run_for="all").client()
    assert [model.id for model in client.models.list()] == [MODEL]
    reply = client.chat.completions.create(model=MODEL, messages=ASKED)
    assert "Result: 15" in str(reply.choices[0].message.content)


@behaviour("proxy:pass:off")
def test_where_nothing_is_to_run_everything_passes(opened: Open, serve: Serve) -> None:
    client = opened(serve("vllm").url, approve="off").client()
    assert [model.id for model in client.models.list()] == [MODEL]
    reply = client.chat.completions.create(model=RUNS, messages=ASKED)
    assert reply.choices[0].message.content == UNTOUCHED


@behaviour("proxy:pass:models")
def test_each_model_is_listed_with_code_and_without(opened: Open, serve: Serve) -> None:
    models = list(opened(serve("vllm").url).client().models.list())
    assert [(model.id, model.owned_by) for model in models] == [(RUNS, "vllm"), (MODEL, "vllm")]


def ask(proxied: Proxied, method: str, path: str, **more: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {ALICE}".encode()} | more.pop("headers", {})
    with httpx.Client(trust_env=False, timeout=WAIT) as client:
        return client.request(method, f"{proxied.url}{path}", headers=headers, **more)


CANARY = "upstream-canary-41c7"
PRIVATE = {
    "Cookie": "mine=1",
    "X-Api-Key": ALICE,
    "X-OpenWebUI-User-Email": "alice@example.org",
    "X-Conversation-Id": "chat-1",
    "X-Forwarded-For": "192.0.2.7",
}
KEPT = {"x-their-field": "kept", "user-agent": "Grüße/1.0"}


def encoded(headers: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode("latin-1") for name, value in headers.items()}


@behaviour("proxy:pass:routes")
def test_every_other_route_passes_with_our_key_in_place_of_the_clients(opened: Open) -> None:
    app = Canned(b"\x00speech", status=201, kind="audio/mpeg", headers=((b"x-theirs", b"kept"),))
    with listening(app) as url:
        proxied = opened(url, key=CANARY)
        answer = ask(
            proxied,
            "POST",
            "/v1/audio/speech?voice=one",
            content=b'{"input": "hello"}',
            headers=encoded({"Origin": proxied.url, "Connection": "x-hop", "X-Hop": "1", **PRIVATE, **KEPT}),
        )
        asked = dict(app.asked[0]["headers"])
    assert (answer.status_code, answer.content) == (201, b"\x00speech")
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["x-theirs"] == "kept"
    assert (app.asked[0]["path"], app.asked[0]["query_string"]) == ("/v1/audio/speech", b"voice=one")
    assert app.bodies == [b'{"input": "hello"}']
    assert asked[b"authorization"] == f"Bearer {CANARY}".encode()
    assert {name: asked[name.encode()].decode("latin-1") for name in KEPT} == KEPT
    assert not {b"origin", b"x-hop", *(name.lower().encode() for name in PRIVATE)} & asked.keys()
    assert ALICE.encode() not in b"".join(asked.values())


@behaviour("proxy:pass:answer")
def test_what_the_endpoint_says_of_its_own_server_stays_behind(opened: Open) -> None:
    theirs = {
        "set-cookie": "its=1",
        "access-control-allow-origin": "*",
        "server": "theirs",
        "x-asked-with": f"Bearer {CANARY}",
        "connection": "x-hop",
        "x-hop": "1",
        "x-request-id": "kept",
    }
    headers = tuple((name.encode(), value.encode()) for name, value in theirs.items())
    with listening(Canned(b"{}", kind="application/json", headers=headers)) as url:
        answer = ask(opened(url, key=CANARY), "GET", "/v1/batches")
    assert answer.json() == {}
    kept = {name for name in theirs if answer.headers.get(name) == theirs[name]}
    assert kept == {"x-request-id"}
    assert len(answer.headers.get_list("server")) == 1


@behaviour("proxy:pass:answer")
@pytest.mark.parametrize(
    ("status", "headers", "sentence"),
    [
        (401, (), "does not accept the key"),
        (307, ((b"location", b"http://192.0.2.1/v1/batches"),), "has moved"),
    ],
)
def test_that_our_key_is_refused_or_the_endpoint_has_moved_is_our_fault(
    opened: Open, status: int, headers: tuple[tuple[bytes, bytes], ...], sentence: str
) -> None:
    said = json.dumps({"error": {"message": f"no such key: {CANARY}"}}).encode()
    with listening(Canned(said, status=status, kind="application/json", headers=headers)) as url:
        answer = ask(opened(url, key=CANARY), "GET", "/v1/batches")
    assert (answer.status_code, "location" in answer.headers) == (502, False)
    assert sentence in answer.json()["error"]["message"]
    assert CANARY not in answer.text


def ask_exactly(proxied: Proxied, path: str) -> tuple[int, Any]:
    """Ask for a path as it is: other clients put it in order first."""
    with closing(HTTPConnection(urlsplit(proxied.url).netloc, timeout=WAIT)) as connection:
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", urlsplit(proxied.url).netloc)
        connection.putheader("Authorization", f"Bearer {ALICE}")
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


@behaviour("proxy:pass:api-only")
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/version",
        "/api/delete",
        "/v1/../api/delete",
        "/v1/%2e%2e/api/delete",
        "/v1/..%2fapi/delete",
        "/v1/..\\api/delete",
        "/v1/..;x/api/delete",
        "/v1/a/%252e%252e/%252e%252e/api/delete",
        f"/v1/%{'25' * 40}2e%{'25' * 40}2e",
        "http://192.0.2.1/api/delete",
        "*",
    ],
)
def test_nothing_beside_the_api_is_reached_with_our_key(opened: Open, serve: Serve, path: str) -> None:
    served = serve("vllm")
    proxied = opened(served.url)
    status, body = ask_exactly(proxied, path)
    assert (status, body["error"]["message"]) == (404, NOT_HERE)
    assert served.asked == []


@behaviour("proxy:pass:api-only")
@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("/v1//api/delete", b"/v1/api/delete"),
        ("/v1/models/org%2Fname", b"/v1/models/org%2Fname"),
        ("/v1/@192.0.2.1/x", b"/v1/@192.0.2.1/x"),
        ("/v1/http://192.0.2.1/x", b"/v1/http://192.0.2.1/x"),
    ],
)
def test_every_path_below_it_stays_below_it(opened: Open, path: str, reached: bytes) -> None:
    app = Canned(b"{}", kind="application/json")
    with listening(app) as url:
        assert ask_exactly(opened(url), path) == (200, {})
    assert [asked["raw_path"] for asked in app.asked] == [reached]


@behaviour("proxy:pass:unmarked")
def test_no_route_that_runs_no_code_passes_the_suffix_on(opened: Open) -> None:
    app = Canned(b"{}", kind="application/json")
    batch: Any = [{"custom_id": "a", "params": {"model": RUNS, "max_tokens": 5, "messages": ASKED}}]
    with listening(app) as url:
        proxied = opened(url)
        client: Any = proxied.client()
        client.models.retrieve(RUNS)
        client.models.retrieve(f"{RUNS}+variables")
        client.moderations.create(model=RUNS, input="x")
        client.audio.transcriptions.create(model=RUNS, file=("a+python.wav", b"RIFF"))
        proxied.anthropic().messages.batches.create(requests=batch)
        proxied.anthropic().messages.count_tokens(model=RUNS, messages=ASKED)
    assert [asked["path"] for asked in app.asked[:2]] == [f"/v1/models/{MODEL}"] * 2
    assert all(MODEL.encode() in body for body in app.bodies[2:])
    assert not any(RUNS.encode() in body for body in app.bodies)
    assert b"a+python.wav" in app.bodies[3]


@behaviour("proxy:errors:retry-after")
@pytest.mark.parametrize(("said", "told"), [(b"17", "17"), (b"soon", None)])
def test_the_client_learns_when_the_endpoint_wants_to_be_asked_again(
    opened: Open, said: bytes, told: str | None
) -> None:
    app = Canned(
        b'{"error": "slow down"}', status=429, kind="application/json", headers=((b"retry-after", said),)
    )
    with listening(app) as url:
        proxied = opened(url, continuations="*=next-turn", upstream_api="chat")
        client: Any = proxied.client()
        for ask_it in (
            lambda: client.chat.completions.create(model=RUNS, messages=ASKED),
            lambda: client.responses.create(model=RUNS, input="Hello", stream=True),
        ):
            with pytest.raises(openai.RateLimitError, match="slow down") as limited:
                ask_it()
            assert limited.value.response.headers.get("retry-after") == told
            assert limited.value.type == "rate_limit_error"
        with pytest.raises(anthropic.RateLimitError, match="slow down") as refused:
            proxied.anthropic().messages.create(model=RUNS, max_tokens=9, messages=ASKED)
        assert refused.value.response.headers.get("retry-after") == told


@behaviour("proxy:errors:ours")
def test_what_we_do_not_serve_and_what_breaks_here_are_told_as_errors(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("vllm").url, quiet=0.3)
    refused = ask(proxied, "OPTIONS", "/v1/models")
    assert (refused.status_code, refused.json()["error"]["type"]) == (405, "invalid_request_error")
    proxied.proxy._conversations = None  # type: ignore[assignment]
    broken = ask(proxied, "POST", "/v1/chat/completions", json={"model": RUNS, "messages": ASKED})
    assert (broken.status_code, broken.json()["error"]["type"]) == (500, "api_error")


@behaviour("proxy:pass:routes")
def test_errors_pass_as_well(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("vllm").url)
    missing = ask(proxied, "POST", "/v1/embeddings", json={"input": "x"})
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")
    garbled = ask(proxied, "POST", "/v1/chat/completions", content=b"no json")
    assert (garbled.status_code, garbled.json()["error"]["message"]) == (400, "The body is no JSON object.")


@behaviour("proxy:pass:routes")
def test_what_cannot_be_read_here_is_left_to_the_endpoint(opened: Open) -> None:
    with listening(Canned(b"{}", status=400, kind="application/json")) as url:
        deep = ask(opened(url), "POST", "/v1/chat/completions", content=b"[" * 100_000)
    assert (deep.status_code, deep.json()) == (400, {})


@behaviour("proxy:pass:routes")
def test_a_gateway_without_anybody_behind_it_says_so(opened: Open) -> None:
    answer = ask(opened("http://127.0.0.1:9"), "GET", "/v1/anything")
    assert answer.status_code == 502
    assert "nothing listens at" in answer.json()["error"]["message"]


@behaviour("proxy:leave:upstream")
@pytest.mark.parametrize("model", [RUNS, MODEL])
async def test_who_hangs_up_stops_the_model(opened: Open, serve: Serve, model: str) -> None:
    served = serve("vllm", delay=0.05)
    async with opened(served.url).asynchronous() as client:
        async with await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "help"}], stream=True
        ) as chunks:
            async for chunk in chunks:
                if "script" in (chunk.choices[0].delta.content or ""):
                    break
        ended = await served.ended()
    assert not ended.complete
    assert ended.tokens < 12


@behaviour("proxy:leave:whole")
async def test_who_hangs_up_before_the_whole_came_stops_the_model_as_well(opened: Open, serve: Serve) -> None:
    served = serve("vllm", delay=0.1)
    async with opened(served.url).asynchronous() as client:
        impatient = client.with_options(timeout=0.5)
        with pytest.raises(openai.APITimeoutError):
            await impatient.chat.completions.create(
                model=RUNS, messages=[{"role": "user", "content": "help"}]
            )
        ended = await served.ended()
    assert not ended.complete


@behaviour("proxy:leave:kernel")
async def test_who_hangs_up_interrupts_the_code(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    slowly: Any = [{"role": "user", "content": "Count slowly to 60"}]
    body = {"model": RUNS, "messages": slowly, "stream": True}
    headers = {"Authorization": f"Bearer {ALICE}", "X-CodeRunner-Session": "left"}
    proxied = opened(served.url)
    async with httpx.AsyncClient(trust_env=False, timeout=WAIT) as http:
        url = f"{proxied.url}/v1/chat/completions"
        async with http.stream("POST", url, json=body, headers=headers) as answer:
            async for line in answer.aiter_lines():
                if line == ": keep-alive":
                    break  # the code runs
    async with proxied.asynchronous() as client:
        # It would wait for a minute in line behind the code that nobody wants any more.
        reply = await client.chat.completions.create(
            model=RUNS, messages=ASKED, extra_headers={"X-CodeRunner-Session": "left"}
        )
    assert "Result: 15" in str(reply.choices[0].message.content)


LEAVING, TOGETHER = 500, 100
"""Clients that leave, and how many of them at once."""


@behaviour("proxy:leave:many")
async def test_of_hundreds_who_hang_up_in_the_middle_of_a_reply_nothing_is_left(
    opened: Open, serve: Serve
) -> None:
    served = serve("vllm", delay=0.2)
    proxied = opened(served.url)
    body = json.dumps({"model": RUNS, "messages": ASKED, "stream": True}).encode()
    turn = asyncio.Semaphore(TOGETHER)
    before = psutil.Process().num_fds()

    async def leave(number: int) -> None:
        async with turn:
            address = urlsplit(proxied.url)
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + f"Authorization: Bearer {ALICE}\r\nX-CodeRunner-Session: leaver-{number}\r\n".encode()
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            async with asyncio.timeout(WAIT):
                await reader.readuntil(b"data: ")
            writer.transport.abort()

    await asyncio.gather(*map(leave, range(LEAVING)))
    replies = proxied.proxy.watch.metrics.replies
    assert await asyncio.to_thread(holds, lambda: next(iter(replies.collect())).samples[0].value == 0)
    # On a busy machine some leave before the endpoint was asked.
    assert len(served.chats) > LEAVING / 2
    ends = [await served.ended() for _ in served.chats]
    assert not any(end.complete for end in ends)
    async with proxied.asynchronous() as client:
        patient = client.with_options(timeout=2 * WAIT)
        reply = await patient.chat.completions.create(model=RUNS, messages=ASKED)
    assert "Result: 15" in str(reply.choices[0].message.content)
    assert await asyncio.to_thread(holds, lambda: psutil.Process().num_fds() <= before + TOGETHER)
