"""How streams end in the field, and what is said of them."""

import json

import pytest

from coderunner.errors import EndpointFailed, ReplyBrokenOff
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.reply_segment import Delta
from coderunner.models.endpoint.chunks import ChunkContent, piece
from coderunner.models.endpoint.sse import WORDLESS, Chunk
from tests.behaviours import behaviour
from tests.models.conftest import Can, Serve
from tests.models.test_client import HELLO, chunks_of, client_of, read_into

DONE = b"data: [DONE]\n\n"
STOP = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'


def said(text: str) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


async def told(url: str) -> tuple[str, str]:
    """What a stream says before it fails, and the failure without the address."""
    seen: list[Chunk] = []
    with pytest.raises(EndpointFailed) as failure:
        await read_into(seen, url)  # type: ignore[arg-type]
    return "".join(piece(chunk).content for chunk in seen), str(failure.value).removeprefix(f"{url}/v1 ")


@behaviour("models:ends:complete")
@pytest.mark.parametrize("end", [STOP, DONE, STOP + DONE, STOP.rstrip(), DONE.rstrip()])
async def test_a_reason_or_an_end_mark_completes_a_stream(canned: Can, end: bytes) -> None:
    assert piece((await chunks_of(canned(said("Hi") + end)))[0]) == ChunkContent("Hi")


@behaviour("models:ends:complete")
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter", "eos", "tool_calls"])
async def test_any_reason_completes_a_stream(canned: Can, reason: str) -> None:
    end = f'data: {{"choices": [{{"delta": {{}}, "finish_reason": "{reason}"}}]}}'
    assert piece((await chunks_of(canned(said("Hi") + end.encode())))[-1]) == ChunkContent(
        finish_reason=reason
    )


@behaviour("models:ends:cut-off")
@pytest.mark.parametrize(
    ("sent", "text", "why"),
    [
        (said("I am in the mid"), "I am in the mid", "ended the reply before it was complete"),
        (said("Hi") + b": bye\n\n", "Hi", "ended the reply before it was complete"),
        (
            said("Hi") + b'data: {"choices": [{"delta": {}, "finish_reason": "null"}]}\n\n',
            "Hi",
            "ended the reply before it was complete",
        ),
        (b'data: {"choices": [], "usage": {}}\n\n', "", "ended the reply before it was complete"),
        (b"", "", "sent an empty reply"),
        (b"\n\n: hello\n\n", "", "sent an empty reply"),
    ],
)
async def test_a_stream_that_just_ends_is_a_failure(canned: Can, sent: bytes, text: str, why: str) -> None:
    url = canned(sent)
    assert await told(url) == (text, f"{why}; see its log")
    with pytest.raises(ReplyBrokenOff):
        await chunks_of(url)


ERRORS = {
    "openai": b'data: {"error": {"message": "no room", "code": 500}}',
    "text": b'data: {"error": "no room"}',
    "vllm": b'data: {"object": "error", "message": "no room", "code": 400}',
    "anthropic": b'event: error\ndata: {"type": "error", "error": {"type": "api", "message": "no room"}}',
    "event with anything": b'event: error\ndata: {"why": {"message": "no room"}, "message": "no room"}',
    "event with text": b"event: error\ndata: no room",
    "event with JSON text": b'event:error\ndata:"no room"',
    "message": b'data: {"message": "no room"}',
    "detail": b'data: {"detail": "no room"}',
    "fastapi": b'data: {"detail": [{"loc": ["body"], "msg": "no room"}]}',
    "google": b'data: [{"error": {"code": 503, "message": "no room"}}]',
    "with choices": b'data: {"error": {"message": "no room"}, "choices": [{"delta": {"content": ""}}]}',
    "field": b'error: {"code": 500, "message": "no room"}',
    "JSON lines": b'{"error": {"message": "no room"}}',
    "plain text": b"no room",
    "over lines": b'{\n  "error": {\n    "message": "no room"\n  }\n}',
    "true": b'data: {"error": true, "message": "no room"}',
    "of a choice": b'data: {"choices": [{"finish_reason": "error", "error": {"message": "no room"}}]}',
    "problem": b'data: {"type": "about:blank", "title": "no room", "status": 503}',
    "minimax": b'data: {"choices": null, "base_resp": {"status_code": 1008, "status_msg": "no room"}}',
    "dashscope": b'data: {"code": "Throttling", "message": "no room", "request_id": "1"}',
}


@behaviour("models:ends:errors")
@pytest.mark.parametrize("end", ["\n\n", "", "\r\n\r\n"])
@pytest.mark.parametrize("shape", ERRORS)
async def test_an_error_of_any_shape_in_the_stream_is_told(canned: Can, shape: str, end: str) -> None:
    url = canned(said("It is") + ERRORS[shape] + end.encode())
    assert await told(url) == ("It is", "ended the reply with an error: no room")


@behaviour("models:ends:errors")
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream", "text/plain", ""])
@pytest.mark.parametrize("indent", [None, 2])
async def test_an_error_in_place_of_a_stream_is_told(canned: Can, kind: str, indent: int | None) -> None:
    body = json.dumps({"object": "error", "message": "no room"}, indent=indent).encode()
    assert await told(canned(body, kind=kind)) == ("", "ended the reply with an error: no room")


@behaviour("models:ends:errors")
@pytest.mark.parametrize("datum", [b"", b"data:\n", b"data: {}\n", b"data: null\n"])
async def test_an_error_event_without_a_word_is_an_error(canned: Can, datum: bytes) -> None:
    url = canned(said("It is") + b"event: error\n" + datum + b"\n" + DONE)
    assert await told(url) == ("It is", f"ended the reply with an error: {WORDLESS}")


@behaviour("models:ends:errors")
async def test_plain_words_in_place_of_a_stream_are_told(canned: Can) -> None:
    url = canned(b"upstream connect error\n", kind="text/plain")
    assert await told(url) == ("", "sent invalid JSON: upstream connect error")


@behaviour("models:ends:errors")
@pytest.mark.parametrize(
    "chunk",
    [
        b'{"choices": [], "message": "hi"}',
        b'{"error": null}',
        b'{"type": "ping"}',
        b'{"id": "1", "detail": ""}',
        b'{"choices": [{"delta": {"content": "a"}, "error": null}]}',
        b'{"status": 200, "title": "A greeting"}',
        b'{"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}}',
    ],
)
async def test_what_only_resembles_an_error_is_none(canned: Can, chunk: bytes) -> None:
    assert await chunks_of(canned(b"data: " + chunk + b"\n\n" + DONE)) == [json.loads(chunk)]


@behaviour("models:client:unstreamed")
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/html", "text/plain", ""])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("lines", [False, True])
async def test_a_stream_is_read_whatever_it_is_called(
    canned: Can, kind: str, mark: bytes, lines: bool
) -> None:
    sent = said("Hi") + STOP + DONE
    sent = sent.replace(b"data: ", b"").replace(b"\n\n", b"\n") if lines else sent
    chunks = await chunks_of(canned(mark + sent, kind=kind))
    assert [piece(chunk) for chunk in chunks] == [ChunkContent("Hi"), ChunkContent(finish_reason="stop")]


@behaviour("models:client:unstreamed")
async def test_of_a_chunk_with_the_whole_beside_its_delta_only_the_delta_counts(canned: Can) -> None:
    both = b'data: {"choices": [{"delta": {"content": "b"}, "message": {"content": "ab"}}]}\n\n'
    assert [piece(each) for each in await chunks_of(canned(both + DONE))] == [ChunkContent("b")]


async def heard(reply: ContinuedReply) -> tuple[list[Delta], str]:
    deltas: list[Delta] = []
    try:
        async for delta in reply.generate():
            deltas += [delta]
    except EndpointFailed as failure:
        return deltas, str(failure)
    return deltas, ""


@behaviour("models:ends:kept")
async def test_what_was_said_before_a_stream_broke_is_given(canned: Can) -> None:
    half = b'data: {"choices": [{"delta": {"content": "so \\ud83d"}}]}\n\n'
    async with client_of(canned(said("It is ") + half)) as client:
        deltas, failure = await heard(ContinuedReply(client, HELLO["messages"]))
    assert "".join(delta.content for delta in deltas) == "It is so \ufffd"
    assert "ended the reply before it was complete" in failure


@behaviour("models:ends:kept")
async def test_half_a_call_in_a_broken_stream_runs_nothing(canned: Can) -> None:
    call = {"index": 0, "function": {"name": "run_python", "arguments": '{"code": "print(1)"}'}}
    sent = b"data: " + json.dumps({"choices": [{"delta": {"tool_calls": [call]}}]}).encode() + b"\n\n"
    async with client_of(canned(sent)) as client:
        deltas, failure = await heard(ContinuedReply(client, HELLO["messages"], continuation="tools"))
    assert deltas == []
    assert "ended the reply before it was complete" in failure


@behaviour("models:ends:complete")
async def test_a_refusal_is_what_the_model_says(canned: Can) -> None:
    chunk = b'data: {"choices": [{"delta": {"content": null, "refusal": "I cannot"}}]}\n\n'
    async with client_of(canned(chunk + STOP)) as client:
        deltas, _ = await heard(ContinuedReply(client, HELLO["messages"]))
    assert deltas == [Delta("I cannot")]


@behaviour("models:reply:usage")
@pytest.mark.parametrize("count", [10**30, -1, 2**53 + 1, 7.0, "7", True, None, [7]])
async def test_what_is_no_count_of_tokens_counts_nothing(count: object) -> None:
    usage = {
        "prompt_tokens": count,
        "completion_tokens": 2**53,
        "prompt_tokens_details": {"cached_tokens": count},
    }
    tokens = piece({"choices": [], "usage": usage}).tokens
    assert tokens is not None
    assert (tokens.prompt, tokens.completion, tokens.cached) == (0, 2**53, 0)


@behaviour("models:ends:complete")
async def test_a_connection_that_is_lost_after_the_reason_does_no_harm(serve: Serve, canned: Can) -> None:
    short = ((b"content-length", b"100000"),)
    chunks = await chunks_of(canned(said("Hi") + STOP, headers=short))
    assert [piece(chunk) for chunk in chunks] == [ChunkContent("Hi"), ChunkContent(finish_reason="stop")]
