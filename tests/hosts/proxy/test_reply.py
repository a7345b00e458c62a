"""A reply through the proxy, as the official client gets it."""

import json
from typing import Any

import httpx
import openai
import pytest

from coderunner.models.demo.demo_replies import LABEL, MODEL
from coderunner.models.demo.server_profiles import PROFILES, THOUGHT
from tests.behaviours import behaviour
from tests.hosts.proxy.conftest import ALICE, RUNS, SHARED, WAIT, Open, Proxied
from tests.models.conftest import Canned, Serve, listening

ASKED: Any = [{"role": "user", "content": "What is 10 + 5?"}]
MISTAKE: Any = [{"role": "user", "content": "Make a mistake and correct it"}]
BLOCK = "```python\nprint(10 + 5)\n```\n"
WHOLE = f"{LABEL}{BLOCK}Result: 15\nIf you add 10 and 5 the result is 15.\n"


def said(stream: Any) -> tuple[str, set[tuple[Any, ...]], list[str]]:
    """The text of a stream, whatever its chunks bear in common, and its reasons to end."""
    text, heads, ends = "", set(), []
    for chunk in stream:
        heads.add((chunk.id, chunk.created, chunk.model))
        for choice in chunk.choices:
            text += choice.delta.content or ""
            ends += [choice.finish_reason] if choice.finish_reason else []
    return text, heads, ends


def stream(proxied: Proxied, messages: Any, **more: Any) -> Any:
    return proxied.client().chat.completions.create(model=RUNS, messages=messages, stream=True, **more)


@behaviour("proxy:reply:streamed")
def test_a_stream_is_one_reply_with_the_result_in_it(opened: Open, serve: Serve) -> None:
    text, heads, ends = said(stream(opened(serve("vllm").url), ASKED))
    assert (text, ends) == (WHOLE, ["stop"])
    ((identity, created, model),) = heads
    assert identity.startswith("chatcmpl-")
    assert created > 0
    assert model == RUNS


@behaviour("proxy:reply:streamed")
async def test_the_asynchronous_client_gets_the_same(opened: Open, serve: Serve) -> None:
    async with opened(serve("vllm").url).asynchronous() as client:
        chunks = await client.chat.completions.create(model=RUNS, messages=ASKED, stream=True)
        pieces = [chunk async for chunk in chunks]
        whole = await client.chat.completions.create(model=RUNS, messages=ASKED)
    assert said(pieces)[0] == whole.choices[0].message.content == WHOLE


@behaviour("proxy:reply:whole")
def test_a_client_that_does_not_stream_gets_the_whole(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    reply = opened(served.url).client().chat.completions.create(model=RUNS, messages=ASKED)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (WHOLE, "stop")
    assert reply.model == RUNS
    # The endpoint is asked for a stream all the same: only that ends as soon as it is closed.
    assert [asked.body["stream"] for asked in served.chats] == [True, True]
    assert {asked.body["model"] for asked in served.chats} == {MODEL}


@behaviour("proxy:reply:continued")
@pytest.mark.parametrize("profile", ["llamacpp-echo", "llamacpp-closing", "textgen", "hosted"])
def test_every_kind_of_endpoint_gives_one_reply(opened: Open, serve: Serve, profile: str) -> None:
    text, _, ends = said(stream(opened(serve(profile).url), ASKED))
    assert (text.replace("15\n\nIf", "15\nIf"), ends) == (WHOLE, ["stop"])


@behaviour("proxy:reply:tools")
@pytest.mark.parametrize("question", [ASKED, MISTAKE], ids=["sum", "mistake"])
def test_a_model_that_calls_a_tool_is_shown_as_one_that_writes_blocks(
    opened: Open, serve: Serve, question: Any
) -> None:
    served = serve("calling")
    proxied = opened(served.url, continuations="other=raw, demo*=tools")
    chunks = list(stream(proxied, question))
    text, _, ends = said(chunks)
    written, _, _ = said(stream(opened(serve("vllm").url), question))
    assert (text, ends) == (written, ["stop"])
    assert not [choice for chunk in chunks for choice in chunk.choices if choice.delta.tool_calls]
    assert [each["role"] for each in served.chats[1].body["messages"]][-2:] == ["assistant", "tool"]


@behaviour("proxy:reply:repaired")
def test_an_error_goes_back_to_the_model_which_mends_it(opened: Open, serve: Serve) -> None:
    text, heads, _ = said(stream(opened(serve("vllm").url), MISTAKE))
    assert len(heads) == 1
    assert "KeyError: 'plum'" in text
    assert text.endswith("Now it works: the total is 1.2, because the plum has no price.\n")


@behaviour("proxy:reply:reasoning")
def test_thought_passes_as_such_and_its_code_does_not_run(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("thinker").url)
    chunks = list(stream(proxied, ASKED))
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == THOUGHT
    assert said(chunks)[0] == WHOLE
    reply = proxied.client().chat.completions.create(model=RUNS, messages=ASKED)
    whole: Any = reply.choices[0].message
    assert (whole.reasoning_content, whole.content) == (THOUGHT, WHOLE)


@behaviour("proxy:reply:usage")
def test_tokens_are_counted_over_all_requests_if_the_client_wants_that(opened: Open, serve: Serve) -> None:
    proxied = opened(serve("vllm").url)
    said(stream(proxied, ASKED))  # only then it is known how this endpoint counts
    *_, last = stream(proxied, ASKED, stream_options={"include_usage": True})
    whole = proxied.client().chat.completions.create(model=RUNS, messages=ASKED).usage
    *_, without = stream(proxied, ASKED)
    used: Any = last.usage
    assert last.choices == []
    assert used == whole
    assert without.usage is None
    # The prompt is what the client sent; what both requests took together stands beside it.
    assert used.total_tokens == used.prompt_tokens + used.completion_tokens
    assert used.coderunner["requests"] == 2
    assert used.coderunner["prompt_tokens"] > 2 * used.prompt_tokens


@behaviour("proxy:reply:budget")
def test_the_clients_limit_of_tokens_is_one_for_the_whole_reply(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    text, _, ends = said(stream(opened(served.url), ASKED, max_tokens=22))
    first, second = (asked.body["max_tokens"] for asked in served.chats)
    assert (first, ends) == (22, ["length"])
    assert second < first
    assert text.startswith(f"{LABEL}{BLOCK}Result: 15\nIf")
    assert not text.endswith("15.\n")


@behaviour("proxy:reply:prior")
def test_a_reply_to_be_continued_is_gone_on_with_and_none_of_it_runs(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    begun = f"{LABEL}{BLOCK}Result: 15\nIf you add"
    text, _, _ = said(stream(opened(served.url), [*ASKED, {"role": "assistant", "content": begun}]))
    assert begun + text == WHOLE
    assert served.chats[-1].body["messages"][-1]["content"] == begun


@behaviour("proxy:reply:prior-alone")
@pytest.mark.parametrize("prompt", ["", " "], ids=["taught", "untaught"])
def test_a_reply_that_answers_nothing_is_gone_on_with(opened: Open, serve: Serve, prompt: str) -> None:
    served = serve("vllm")
    proxied = opened(served.url, system_prompt=prompt)
    said(stream(proxied, [{"role": "assistant", "content": "Once upon a time"}]))
    *before, last = served.chats[-1].body["messages"]
    assert [each["role"] for each in before] == ([] if prompt else ["system"])
    assert last["content"] == "Once upon a time"


@behaviour("proxy:reply:taught")
def test_the_model_is_taught_before_what_the_client_tells_it(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    said(stream(opened(served.url), [{"role": "system", "content": "Be brief."}, *ASKED]))
    system, question = served.chats[0].body["messages"]
    assert system["content"].startswith("You are a helpful assistant with a Python kernel.")
    assert system["content"].endswith("\n\nBe brief.")
    assert question == ASKED[0]


def events(proxied: Proxied, question: str) -> list[str]:
    """What stands on the wire."""
    body = {"model": RUNS, "messages": [{"role": "user", "content": question}], "stream": True}
    headers = {"Authorization": f"Bearer {ALICE}", **SHARED}
    url = f"{proxied.url}/v1/chat/completions"
    answer = httpx.post(url, json=body, headers=headers, timeout=WAIT, trust_env=False)
    return [event for event in answer.text.split("\n\n") if event]


@behaviour("proxy:reply:alive")
def test_the_connection_is_kept_alive_while_code_runs(opened: Open, serve: Serve) -> None:
    sent = events(opened(serve("vllm").url), "Count slowly to 1")
    comments = [place for place, event in enumerate(sent) if event == ": keep-alive"]
    [counted] = [place for place, event in enumerate(sent) if "1 of 1" in event]
    assert "```" in "".join(sent[: comments[0]])
    assert comments[0] < counted
    assert sent[-1] == "data: [DONE]"


@behaviour("proxy:reply:guards")
def test_a_reply_with_too_many_blocks_ends_and_says_so(opened: Open, serve: Serve) -> None:
    text, _, ends = said(stream(opened(serve("vllm").url, max_blocks=1), MISTAKE))
    assert text.endswith("Result: (not run: this reply has already run 1 blocks)\n")
    assert ends == ["length"]


@behaviour("proxy:errors:before")
@pytest.mark.parametrize("streams", [True, False])
def test_an_endpoint_that_refuses_is_told_with_its_status(opened: Open, serve: Serve, streams: bool) -> None:
    client: Any = opened(serve("vllm").url).client()
    with pytest.raises(openai.NotFoundError, match="has no model 'other'; it has: demo"):
        client.chat.completions.create(model="other+python", messages=ASKED, stream=streams)


@behaviour("proxy:errors:before")
def test_an_endpoint_that_is_not_there_is_told_as_a_bad_gateway(opened: Open) -> None:
    with pytest.raises(openai.InternalServerError, match="nothing listens at") as failed:
        said(stream(opened("http://127.0.0.1:9"), ASKED))
    assert failed.value.status_code == 502


@behaviour("proxy:errors:key")
def test_a_key_that_the_endpoint_refuses_is_not_the_clients_fault(opened: Open, serve: Serve) -> None:
    served = serve(PROFILES["vllm"], key="right-canary-1f5c")
    with pytest.raises(openai.InternalServerError, match="does not accept the key") as failed:
        said(stream(opened(served.url, key="wrong-canary-77aa"), ASKED))
    assert failed.value.status_code == 502
    assert "canary" not in str(failed.value)


@behaviour("proxy:errors:later")
def test_an_error_within_the_stream_comes_where_it_happened(opened: Open) -> None:
    begun = {"choices": [{"index": 0, "delta": {"content": "Let me see. "}}]}
    broken = {"error": {"message": "out of memory"}}
    body = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in (begun, broken))
    with listening(Canned(body)) as url:
        proxied = opened(url)
        role, text, error, end = events(proxied, "Hello")
        with pytest.raises(openai.APIError, match="ended the reply with an error: out of memory"):
            said(stream(proxied, ASKED))
    assert '"role": "assistant"' in role
    assert "Let me see. " in text
    assert "out of memory" in error
    assert end == "data: [DONE]"


@behaviour("proxy:variables")
def test_a_model_is_told_of_variables_where_the_request_asks_for_that(opened: Open, serve: Serve) -> None:
    served = serve("vllm")
    own = {"x-coderunner-session": "variables"}
    client = opened(served.url).client().with_options(default_headers=own)

    def content(model: str, *messages: Any) -> str:
        reply = client.chat.completions.create(model=model, messages=[*messages])
        return reply.choices[0].message.content or ""

    told, plain = content(f"{RUNS}+variables", *MISTAKE), content(RUNS, *MISTAKE)
    assert "Variables" not in plain
    assert "Result: 1.2\n(Variables: total (float): 1.2)\n" in told
    content(RUNS, {"role": "user", "content": "What is @total?"})
    part = {"type": "text", "text": "What is @prices?"}
    content(RUNS, {"role": "user", "content": [part]})
    read = [asked.body["messages"][-1]["content"] for asked in served.chats]
    assert "Variable total (float): 1.2\n\nWhat is @total?" in read
    ((words, asked),) = [content for content in read if isinstance(content, list)]
    assert (words["text"].startswith("Variable prices (dict 2, "), asked) == (True, part)
    assert {asked.body["model"] for asked in served.chats} == {MODEL}
