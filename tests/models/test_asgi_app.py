import asyncio
import json
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, OpenAI

from coderunner.models.demo.asgi_app import Asked
from coderunner.models.demo.demo_replies import LABEL, MODEL
from coderunner.models.demo.server_profiles import THOUGHT
from coderunner.models.endpoint.client import Client, Endpoint
from tests.behaviours import behaviour
from tests.models.conftest import Serve, Served

ASKED = [{"role": "user", "content": "What is 10 + 5?"}]
BLOCK = f"{LABEL}```python\nprint(10 + 5)\n```\n"


def official(url: str, *, key: str = "none") -> Any:
    """The client without its types, which know none but OpenAI's own models."""
    return OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


def official_async(url: str) -> Any:
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@behaviour("models:demo:faithful")
def test_the_official_client_lists_its_model(serve: Serve) -> None:
    with official(serve().url) as client:
        assert [(model.id, model.owned_by) for model in client.models.list()] == [(MODEL, "coderunner")]


@behaviour("models:demo:faithful")
def test_the_official_client_gets_a_whole_completion(serve: Serve) -> None:
    with official(serve("thinker").url) as client:
        completion = client.chat.completions.create(model=MODEL, messages=ASKED)
    choice, usage = completion.choices[0], completion.usage
    assert str(choice.message.content).startswith(BLOCK[:-1])
    assert choice.message.model_extra == {"reasoning_content": THOUGHT}
    assert choice.finish_reason == "stop"
    assert usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


@behaviour("models:demo:faithful")
def test_the_official_client_gets_the_same_text_as_a_stream(serve: Serve) -> None:
    with official(serve().url) as client:
        chunks = list(
            client.chat.completions.create(
                model=MODEL,
                messages=ASKED,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == BLOCK
    assert len(texts) > 10
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[-2].choices[0].finish_reason, chunks[-1].choices) == ("stop", [])
    assert chunks[-1].usage


@behaviour("models:demo:faithful")
async def test_the_official_asynchronous_client_continues_a_reply(serve: Serve) -> None:
    async with official_async(serve("vllm").url) as client:
        completion = await client.chat.completions.create(
            model=MODEL,
            messages=[*ASKED, {"role": "assistant", "content": f"{BLOCK}Result: 15\n"}],
            extra_body={"continue_final_message": True, "add_generation_prompt": False},
        )
    assert completion.choices[0].message.content == "If you add 10 and 5 the result is 15.\n"


@behaviour("models:demo:faithful")
@pytest.mark.parametrize(
    ("options", "text", "finish"),
    [
        ({"max_tokens": 3}, "I am a", "length"),
        ({"stop": ["an AI", "Python"]}, "I am a script, not ", "stop"),
        ({"stop": "not"}, "I am a script, ", "stop"),
    ],
)
def test_limits_and_stop_strings_are_kept(
    serve: Serve, options: dict[str, object], text: str, finish: str
) -> None:
    with official(serve().url) as client:
        completion = client.chat.completions.create(model=MODEL, messages=ASKED, **options)
    assert (completion.choices[0].message.content, completion.choices[0].finish_reason) == (text, finish)


@behaviour("models:demo:errors")
def test_what_is_wrong_is_answered_as_openai_does(serve: Serve) -> None:
    cases: list[tuple[Served, dict[str, Any], int, str]] = [
        (serve(), {"model": "gpt-x", "messages": ASKED}, 404, "The model `gpt-x` does not exist."),
        (serve(), {"model": MODEL, "messages": []}, 400, "'messages' is required"),
        (
            serve("hosted"),
            {"model": MODEL, "messages": [*ASKED, {"role": "assistant", "content": "so"}]},
            400,
            "This model does not support assistant message prefill.",
        ),
        (serve("vllm", key="right"), {"model": MODEL, "messages": ASKED}, 401, "Incorrect API key provided."),
    ]
    for served, body, status, message in cases:
        with official(served.url) as client, pytest.raises(APIStatusError) as failure:
            client.chat.completions.create(**body)
        assert (failure.value.status_code, failure.value.body) == (
            status,
            {"message": message, "type": "invalid_request_error", "param": None, "code": None},
        )


@behaviour("models:demo:errors")
@pytest.mark.parametrize("body", [b"", b"[1", b"3", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(serve: Serve, body: bytes) -> None:
    served = serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]))
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n")
    writer.write(f"content-length: {len(body)}\r\n\r\n".encode() + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    assert b" 400 " in answer.splitlines()[0]
    told = next(line for line in answer.splitlines() if line.startswith(b"{"))
    assert json.loads(told)["error"]["message"] == "The body is no JSON object."


@behaviour("models:demo:errors")
async def test_a_route_that_is_not_there_is_told(serve: Serve) -> None:
    async with Client(Endpoint(serve().url)) as client:
        for body in (None, {"model": MODEL}):
            with pytest.raises(RuntimeError, match=r"There is no /nowhere\."):
                await client.ask("/nowhere", body)


@behaviour("models:demo:cancel")
async def test_it_stops_when_its_client_leaves(serve: Serve) -> None:
    served = serve("llamacpp", delay=0.001)
    async with official_async(served.url) as client:
        stream = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()
        ended = await served.ended()
    assert not ended.complete
    assert [type(each) for each in served.asked] == [Asked]


@behaviour("models:demo:cancel")
async def test_a_reply_that_was_heard_to_its_end_is_complete(serve: Serve) -> None:
    served = serve("demo", delay=0.0005)
    async with (
        Client(Endpoint(served.url, model=MODEL)) as client,
        client.stream({"messages": ASKED}) as chunks,
    ):
        count = sum([len(together) async for together in chunks])
    ended = await served.ended()
    assert (ended.complete, ended.tokens) == (True, count + 1)  # the last event is the end mark
