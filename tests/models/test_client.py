import asyncio
import socket
from typing import Any

import pytest

from coderunner.errors import (
    EndpointFailed,
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    SettingsError,
)
from coderunner.models.demo.demo_replies import MODEL
from coderunner.models.endpoint.chunks import ChunkContent, piece
from coderunner.models.endpoint.client import Client, Endpoint, ModelInfo
from coderunner.models.endpoint.fast_transport import fast_transport
from coderunner.models.endpoint.sse import Chunk
from coderunner.models.endpoint.token_usage import Tokens
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.models.conftest import WAIT, Can, Canned, Serve, listening

KEY = "sk-canary-93b1"
HELLO = {"messages": [{"role": "user", "content": "What is 10 + 5?"}]}


class Way:
    """What carries requests: the HTTP library by itself, or the proxy's transport. Both keep one contract."""

    fast = False


@pytest.fixture(autouse=True, params=["plain", "fast"])
def way(request: pytest.FixtureRequest) -> None:
    Way.fast = request.param == "fast"


def client_of(url: str, *, key: str = "", model: str = MODEL, **more: Any) -> Client:
    endpoint = Endpoint(url, Secret(key), model)
    return Client(endpoint, transport=fast_transport(endpoint) if Way.fast else None, **more)


def limited(url: str, *, largest: int, longest: int) -> Client:
    return client_of(url, largest=largest, longest=longest)


async def chunks_of(url: str | Client, *, key: str = "") -> list[Chunk]:
    async with (
        client_of(url, key=key) if isinstance(url, str) else url as client,
        client.stream(HELLO) as chunks,
    ):
        return [chunk async for together in chunks for chunk in together]


async def read_into(seen: list[object], url: str) -> None:
    async with client_of(url) as client, client.stream(HELLO) as chunks:
        async for together in chunks:
            seen.extend(together)  # what came before a failure is to be seen


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@behaviour("models:client:models")
async def test_the_models_are_listed_with_their_owners(serve: Serve) -> None:
    async with client_of(serve("vllm").url) as client:
        assert await client.models() == [ModelInfo(MODEL, owned_by="vllm")]


@behaviour("models:client:models")
@pytest.mark.parametrize(
    "listed",
    [
        b'{"data": [{"id": "a"}, {"id": ""}, 3]}',
        b'{"models": [{"name": "a", "owned_by": null}]}',
        b'[{"id": "a"}]',
    ],
)
async def test_lists_of_models_in_other_shapes_are_read(canned: Can, listed: bytes) -> None:
    async with client_of(canned(listed, kind="application/json")) as client:
        assert await client.models() == [ModelInfo("a")]


@behaviour("models:client:stream")
async def test_a_reply_comes_in_chunks_with_all_their_fields(serve: Serve) -> None:
    served = serve()
    chunks = [piece(chunk) for chunk in await chunks_of(served.url)]
    assert "".join(each.content for each in chunks).endswith("```python\nprint(10 + 5)\n```\n")
    assert chunks[-1] == ChunkContent(finish_reason="stop")
    assert served.asked[0].body == {"model": MODEL, **HELLO, "stream": True}


@behaviour("models:client:stream")
async def test_fields_that_nobody_knows_are_kept(canned: Can) -> None:
    url = canned(b'data: {"choices": [], "new": [{"deep": 1}]}\n\ndata: [DONE]\n\ndata: {"late": 1}\n\n')
    assert await chunks_of(url) == [{"choices": [], "new": [{"deep": 1}]}]


@behaviour("models:client:unstreamed")
async def test_a_whole_completion_is_read_as_one_chunk(canned: Can) -> None:
    body = (
        b'{"choices": [{"message": {"content": "all", "reasoning_content": "why"}, "finish_reason": "stop"}]}'
    )
    (chunk,) = await chunks_of(canned(body, kind="application/json; charset=utf-8"))
    assert piece(chunk) == ChunkContent("all", "why", "stop")


@behaviour("models:client:close")
async def test_leaving_the_stream_stops_the_server(serve: Serve) -> None:
    served = serve("vllm", delay=0.001)
    async with client_of(served.url) as client:
        async with client.stream(HELLO) as chunks:
            assert await anext(chunks)
        ended = await served.ended()
    assert not ended.complete


@behaviour("models:client:close")
async def test_a_cancelled_reader_stops_the_server(serve: Serve) -> None:
    served = serve("vllm", delay=0.001)
    begun = asyncio.Event()

    async def read() -> None:
        async with client_of(served.url) as client, client.stream(HELLO) as chunks:
            async for _ in chunks:
                begun.set()

    reading = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), WAIT)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not (await served.ended()).complete


@behaviour("models:client:unreachable")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_port_where_nothing_listens_is_told(host: str) -> None:
    url = f"http://{host}:{free_port()}"
    with pytest.raises(EndpointUnreachable) as failure:
        await chunks_of(url)
    assert str(failure.value) == f"nothing listens at {url}/v1; is the model's server running?"


@behaviour("models:client:unreachable")
async def test_a_name_that_is_not_known_is_told() -> None:
    with pytest.raises(EndpointUnreachable, match=r"the host in http://nowhere\.invalid/v1 was not found"):
        async with client_of("http://nowhere.invalid") as client:
            await client.models()


@behaviour("models:client:unreachable")
async def test_a_server_without_tls_is_told(serve: Serve) -> None:
    with pytest.raises(EndpointUnreachable, match="does not use TLS; try http://"):
        await chunks_of(serve().url.replace("http", "https"))


@behaviour("models:client:unreachable")
async def test_a_server_that_never_answers_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with client_of(url, answer=0.05) as client:
            with pytest.raises(EndpointUnreachable, match="does not respond in time"):
                await client.models()


@behaviour("models:client:refused")
@pytest.mark.parametrize(
    ("key", "told"),
    [("", "requires an API key (401); set it"), (KEY, "does not accept the key (401)")],
)
async def test_a_key_that_is_missing_or_wrong_is_told(serve: Serve, key: str, told: str) -> None:
    served = serve(key="right")
    with pytest.raises(EndpointRefused) as failure:
        await chunks_of(served.url, key=key)
    assert str(failure.value) == f"{served.url}/v1 {told}: Incorrect API key provided."


@behaviour("models:client:no-model")
async def test_a_model_that_is_not_there_is_answered_with_those_that_are(serve: Serve) -> None:
    served = serve()
    async with client_of(served.url, model="gpt-x") as client:
        with pytest.raises(EndpointFailed) as failure:
            async with client.stream(HELLO):
                pass
    assert str(failure.value) == f"{served.url}/v1 has no model 'gpt-x'; it has: {MODEL}"
    assert failure.value.status == 404


@behaviour("models:client:failed")
@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"", "failed (500); see its log"),
        (503, b'{"error": {"message": "loading\\nmodel"}}', "failed (503): loading model"),
        (429, b'{"error": "slow down"}', "is busy or over its quota (429): slow down"),
        (400, b'{"detail": "no prefill"}', "refused the request (400): no prefill"),
        (422, b'{"detail": [{"loc": 1}]}', 'refused the request (422): [{"loc": 1}]'),
        (
            404,
            b"Not Found",
            "has no chat/completions (404); check the address, which usually ends in /v1: Not Found",
        ),
        (502, b"x" * 1000, f"failed (502): {'x' * 300}…"),
        (502, b"<html><body>Bad Gateway</body></html>", "failed (502); see its log"),
    ],
)
async def test_a_servers_error_is_told_in_its_words(canned: Can, status: int, body: bytes, told: str) -> None:
    url = canned(body, status=status, kind="application/json")
    with pytest.raises(EndpointFailed) as failure:
        await chunks_of(url)
    assert (str(failure.value), failure.value.status) == (f"{url}/v1 {told}", status)


@behaviour("models:client:web-page")
async def test_a_web_page_is_told_as_a_wrong_address(canned: Can) -> None:
    url = canned(b"<!DOCTYPE html><title>Hello</title>", kind="text/html")
    with pytest.raises(EndpointFailed, match="responded with a web page, not an API; check the address"):
        await chunks_of(url)
    async with client_of(url) as client:
        with pytest.raises(EndpointFailed, match="responded with a web page"):
            await client.models()


@behaviour("models:client:moved")
async def test_a_redirect_is_told_and_not_followed(canned: Can) -> None:
    url = canned(b"", status=307, headers=((b"location", b"https://elsewhere.example/v1"),))
    with pytest.raises(EndpointFailed, match=r"has moved \(307\); use https://elsewhere\.example/v1"):
        await chunks_of(url, key=KEY)


@behaviour("models:client:endless")
@pytest.mark.parametrize(
    "body", [b"x" * 3000, b"data: " + b"x" * 3000, b"data: {\n" * 2000, b"data: " + b"[" * 900]
)
async def test_an_answer_without_end_is_given_up(canned: Can, body: bytes) -> None:
    with pytest.raises(EndpointFailed, match="at once, which is too much"):
        await chunks_of(limited(canned((body, b"")), largest=1000, longest=800))


@behaviour("models:client:endless")
@pytest.mark.parametrize("status", [200, 500])
async def test_a_whole_answer_has_a_largest_size(canned: Can, status: int) -> None:
    url = canned(b" " * 3000, kind="application/json", status=status)
    client = limited(url, largest=1000, longest=1000)
    for ask in (client.models(), chunks_of(client)):
        with pytest.raises(EndpointFailed, match="at once, which is too much"):
            await ask


@behaviour("models:client:endless")
async def test_what_is_nested_too_deep_is_no_json(canned: Can) -> None:
    deep = b"[" * 100_000
    for url in (canned(deep, kind="application/json"), canned(b"data: " + deep + b"\n\n")):
        with pytest.raises(EndpointFailed, match="sent invalid JSON"):
            await chunks_of(url)


@behaviour("models:client:broken-stream")
@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (
            b'data: {"error": {"message": "out of memory", "code": 500}}\n\n',
            "ended the reply with an error: out of memory",
        ),
        (b'data: {"error": "slot gone"}\n\n', "ended the reply with an error: slot gone"),
        (b'error: {"code": 500, "message": "slot"}\n\n', "ended the reply with an error: slot"),
        (b"data: {oops\n\n", "sent invalid JSON: {oops"),
        (b"data: 15\n\n", "sent invalid JSON: 15"),
    ],
)
async def test_an_error_inside_the_stream_ends_it(canned: Can, sent: bytes, told: str) -> None:
    url = canned((b'data: {"choices": []}\n\n', sent))
    seen: list[object] = []
    with pytest.raises(EndpointFailed) as failure:
        await read_into(seen, url)
    assert seen == [{"choices": []}]
    assert (str(failure.value), failure.value.status) == (f"{url}/v1 {told}", 200)


@behaviour("models:client:broken-stream")
async def test_a_connection_that_is_lost_ends_the_stream_as_a_failure() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        writer.write(b'18\r\ndata: {"choices": []}\n\n\n\r\n')
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(EndpointFailed, match="closed the connection during the reply; see its log"):
            await chunks_of(url)


@behaviour("models:client:odd-chunks")
@pytest.mark.parametrize(
    ("chunk", "said"),
    [
        ({}, ChunkContent()),
        ({"choices": None, "usage": None}, ChunkContent()),
        ({"choices": [{"delta": None, "finish_reason": None}]}, ChunkContent()),
        ({"choices": [{"delta": {"content": None, "reasoning": "hm"}}]}, ChunkContent(reasoning="hm")),
        (
            {"choices": [{"delta": {"reasoning_content": "hm", "reasoning": "hm"}}]},
            ChunkContent(reasoning="hm"),
        ),
        (
            {"choices": [{"delta": {"content": 15}, "finish_reason": "length"}]},
            ChunkContent(finish_reason="length"),
        ),
        (
            {
                "choices": [
                    {
                        "delta": {
                            "content": [
                                {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                                {"type": "text", "text": "so"},
                            ]
                        }
                    }
                ]
            },
            ChunkContent("so", "hm"),
        ),
        (
            {
                "choices": [],
                "usage": {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None},
            },
            ChunkContent(tokens=Tokens(7, 2)),
        ),
        (
            {"choices": [{"delta": {}}], "timings": {"cache_n": 5, "prompt_n": 2, "predicted_n": 3}},
            ChunkContent(tokens=Tokens(7, 3, 5)),
        ),
    ],
)
def test_odd_chunks_are_read_as_far_as_they_say_something(
    chunk: dict[str, object], said: ChunkContent
) -> None:
    assert piece(chunk) == said


@behaviour("models:client:key")
async def test_the_key_goes_into_its_header() -> None:
    app = Canned(b"data: [DONE]\n\n")
    with listening(app) as url:
        await chunks_of(url, key=KEY)
        await chunks_of(url)
    sent = [dict(scope["headers"]).get(b"authorization") for scope in app.asked]
    assert sent == [f"Bearer {KEY}".encode(), None]


@behaviour("models:client:key")
@pytest.mark.parametrize("key", [f"{KEY}ü", f"{KEY}\nX-Other: 1", f"{KEY}\x00"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(SettingsError, match="contains invalid characters") as refusal:
        Endpoint("http://127.0.0.1:1", Secret(key))
    assert KEY not in str(refusal.value)


@behaviour("models:client:key")
def test_white_space_around_a_pasted_key_is_dropped() -> None:
    assert Endpoint("http://127.0.0.1:1", Secret(f" {KEY}\n")).key.reveal() == KEY


@behaviour("models:client:surrogates")
async def test_text_that_has_no_utf8_is_sent(serve: Serve) -> None:
    served = serve()
    body = {"messages": [{"role": "user", "content": "1\ud800 ü 2"}]}
    async with client_of(served.url) as client, client.stream(body) as chunks:
        assert await anext(chunks)
    assert served.chats[0].body["messages"][0]["content"] == "1? ü 2"


@behaviour("models:client:key")
@pytest.mark.parametrize("status", [401, 404, 500, 302, 200])
async def test_the_key_is_in_no_sentence_although_the_server_repeats_it(canned: Can, status: int) -> None:
    error = f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()
    url = canned(error, status=status, kind="application/json", headers=((b"location", f"/{KEY}".encode()),))
    with pytest.raises(ModelError) as failure:
        await chunks_of(url, key=KEY)
    assert KEY not in f"{failure.value!r} {failure.value.__cause__!r} {Endpoint(url, Secret(KEY))!r}"
