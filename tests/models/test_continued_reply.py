import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from coderunner.errors import EndpointFailed, SettingsError
from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.reply_segment import Delta
from coderunner.models.continuation.strategies import FLAGS, NEXT, RAW, STRATEGIES, TOOLS, TRAIL
from coderunner.models.continuation.strategy_cache import Choice, StrategyCache
from coderunner.models.demo.demo_replies import LABEL, MODEL
from coderunner.models.demo.server_profiles import OLLAMA, PROFILES, THOUGHT, VLLM
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.models.endpoint.token_usage import Usage
from tests.behaviours import behaviour
from tests.models.conftest import Canned, Serve, Served, listening
from tests.models.host import Host

ASKED = {"role": "user", "content": "What is 10 + 5?"}
BLOCK = "```python\nprint(10 + 5)\n```\n"
WHOLE = f"{LABEL}{BLOCK}Result: 15\nIf you add 10 and 5 the result is 15.\n"


@asynccontextmanager
async def replying(
    served: Served, *messages: dict[str, str], **options: Any
) -> AsyncIterator[ContinuedReply]:
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        yield ContinuedReply(client, messages or [ASKED], **options)


@behaviour("models:reply:continues")
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"inline-thinker"}))
async def test_every_kind_of_server_gives_one_reply_with_the_result_in_it(serve: Serve, profile: str) -> None:
    host = Host()
    async with replying(serve(profile)) as reply:
        text = await host.converse(reply)
    # A template that trims costs the line end after the result, and the model says it anew.
    assert text.replace("15\n\nIf", "15\nIf") == WHOLE
    assert (host.ran, reply.finish_reason) == (["print(10 + 5)"], "stop")


@behaviour("models:reply:continues")
async def test_a_reply_with_two_blocks_has_two_results(serve: Serve) -> None:
    results = {"total = prices.get": "Result: 1.2\n"}
    error = "Result:\n```output\nKeyError: 'plum'\n```\n"
    for profile in ("vllm", "textgen", "hosted", "restarting"):
        host = Host(run=lambda code: next((results[each] for each in results if "get" in code), error))
        async with replying(serve(profile), {"role": "user", "content": "Make a mistake"}) as reply:
            text = await host.converse(reply)
        assert len(host.ran) == 2
        assert text.endswith("Now it works: the total is 1.2, because the plum has no price.\n")
        assert text.count("```python") == 2


@behaviour("models:reply:strategies")
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"inline-thinker", "ollama-closing"}))
async def test_any_way_to_continue_ends_well_on_any_server(serve: Serve, profile: str, strategy: str) -> None:
    host = Host()
    async with replying(serve(profile), continuation=strategy) as reply:
        text = await host.converse(reply)
    assert text.replace("15\n\nIf", "15\nIf") == WHOLE
    assert host.ran == ["print(10 + 5)"]


@behaviour("models:reply:strategies")
async def test_the_way_that_gave_in_is_named(serve: Serve) -> None:
    for profile, reason in (
        ("hosted", "it refused to continue a reply (400)"),
        ("restarting", "it started its reply over"),
    ):
        async with replying(serve(profile), continuation="trailing") as reply:
            await Host().converse(reply)
        assert reply.choice == Choice(NEXT, reason)


@behaviour("models:reply:tools")
async def test_a_call_is_a_block_of_the_reply_and_its_result_goes_back_as_its_own(serve: Serve) -> None:
    served = serve("calling")
    async with replying(served, continuation="tools") as reply:
        host = Host()
        assert await host.converse(reply) == WHOLE
    first, second = (asked.body for asked in served.chats)
    assert [each["function"]["name"] for each in (*first["tools"], *second["tools"])] == ["run_python"] * 2
    called, told = second["messages"][-2:]
    assert called["content"] == LABEL.strip()
    assert json.loads(called["tool_calls"][0]["function"]["arguments"]) == {"code": "print(10 + 5)\n"}
    assert told == {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": "Result: 15"}
    assert (host.ran, reply.finish_reason, reply.usage.counted) == (["print(10 + 5)"], "stop", True)


@behaviour("models:reply:tools")
async def test_several_calls_have_a_result_each(serve: Serve) -> None:
    results = iter(("Result:\n```output\nKeyError: 'plum'\n```\n", "Result: 1.2\n"))
    served, host = serve("calling"), Host(run=lambda _: next(results))
    async with replying(served, {"role": "user", "content": "Make a mistake"}, continuation="tools") as reply:
        text = await host.converse(reply)
    assert text.endswith("Now it works: the total is 1.2, because the plum has no price.\n")
    roles = [each["role"] for each in served.chats[-1].body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "assistant", "tool"]


@behaviour("models:reply:tools")
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ("toolless", "it refused a tool (400)"),
        ("miscalling", "it made a tool call that cannot be parsed"),
    ],
)
async def test_who_cannot_call_is_asked_without(serve: Serve, profile: str, reason: str) -> None:
    served, memory = serve(profile), StrategyCache()
    memory.remember(Endpoint(served.url, model=MODEL), Choice(TOOLS, "remembered"))
    async with replying(served, memory=memory) as reply:
        assert await Host().converse(reply) == WHOLE
    assert reply.choice == Choice(NEXT, reason)
    assert ["tools" in asked.body for asked in served.chats] == [True, False, False]


@behaviour("models:reply:tools")
async def test_a_client_with_tools_of_its_own_has_none_of_ours_beside_them(serve: Serve) -> None:
    served, tool = serve("hosted"), {"type": "function", "function": {"name": "look"}}
    async with replying(served, continuation="tools", options={"tools": [tool]}) as reply:
        assert await Host().converse(reply) == WHOLE
    assert [asked.body["tools"] for asked in served.chats] == [[tool], [tool]]


@behaviour("models:reply:raw")
@pytest.mark.parametrize("options", [{}, {"max_completion_tokens": 60}], ids=str)
async def test_the_servers_own_prompt_is_gone_on_with(serve: Serve, options: dict[str, int]) -> None:
    served, memory = serve("llamacpp-closing"), StrategyCache()
    async with replying(served, memory=memory, options=options) as reply:
        assert await Host().converse(reply) == WHOLE
    assert reply.choice == Choice(RAW, "llama.cpp: its chat template was asked", "llama.cpp")
    (asked,) = [each.body for each in served.asked if each.path == "/v1/completions"]
    so_far = f"{LABEL}{BLOCK}Result: 15\n"
    assert asked["prompt"] == (
        f"<|im_start|>user\n{ASKED['content']}<|im_end|>\n<|im_start|>assistant\n{so_far}"
    )
    assert ("max_tokens" in asked, "max_completion_tokens" in asked) == (bool(options), False)


@behaviour("models:reply:remembers")
async def test_only_the_first_reply_has_to_find_out(serve: Serve) -> None:
    served, memory = serve("hosted"), StrategyCache()
    for _ in range(2):
        async with replying(served, memory=memory) as reply:
            await Host().converse(reply)
    told = [asked.body["messages"][0]["role"] for asked in served.chats]
    # First reply: begun, asked how it goes on, gone on with. Second: both requests know the way.
    assert told == ["user", "user", "system", "system", "system"]


@behaviour("models:reply:remembers")
async def test_a_restart_is_remembered_for_this_process_only(serve: Serve, tmp_path: Any) -> None:
    served, path = serve("restarting"), tmp_path / "file"
    memory = StrategyCache(path)
    async with replying(served, memory=memory) as reply:
        await Host().converse(reply)
    endpoint = Endpoint(served.url, model=MODEL)
    assert memory.recall(endpoint) == Choice(NEXT, "it started its reply over", "vllm")
    assert StrategyCache(path).recall(endpoint) is None


@behaviour("models:reply:remembers")
async def test_what_has_worked_is_there_for_the_next_process(serve: Serve, tmp_path: Any) -> None:
    served, path = serve("ollama"), tmp_path / "file"
    async with replying(served, memory=StrategyCache(path)) as reply:
        await Host().converse(reply)
    remembered = StrategyCache(path).recall(Endpoint(served.url, model=MODEL))
    assert remembered
    assert remembered.strategy == TRAIL


@behaviour("models:reply:whim")
async def test_a_single_restart_does_not_unlearn_what_has_worked(serve: Serve) -> None:
    served, memory = serve("restarting"), StrategyCache()
    proven = Choice(FLAGS, "vllm is known", "vllm")
    memory.remember(Endpoint(served.url, model=MODEL), proven)
    async with replying(served, memory=memory) as reply:
        assert await Host().converse(reply) == WHOLE
    assert memory.recall(Endpoint(served.url, model=MODEL)) == proven


@behaviour("models:reply:unmetered")
async def test_a_server_that_refuses_to_count_is_asked_without() -> None:
    refusal = b'{"error": {"message": "Unrecognized request argument: stream_options"}}'
    app = Canned(refusal, status=400, kind="application/json")
    with listening(app) as url:
        async with Client(Endpoint(url)) as client:
            with pytest.raises(EndpointFailed, match="stream_options"):
                await anext(ContinuedReply(client, [ASKED]).generate())
    asked = [json.loads(body) for body in app.bodies]
    assert ["stream_options" in each for each in asked] == [True, False]


@behaviour("models:reply:prior")
@pytest.mark.parametrize("profile", ["vllm", "textgen", "llamacpp-echo", "ollama"])
@pytest.mark.parametrize("end", [4, len(LABEL) + 12, len(WHOLE) - 10])
async def test_a_reply_that_was_cut_is_gone_on_with(serve: Serve, profile: str, end: int) -> None:
    host = Host()
    async with replying(serve(profile)) as reply:
        assert await host.converse(reply, prior=WHOLE[:end]) in (WHOLE, WHOLE.replace("15\nIf", "15\n\nIf"))


@behaviour("models:reply:prior")
async def test_code_that_has_run_before_is_not_run_when_the_reply_goes_on(serve: Serve) -> None:
    for profile in ("vllm", "textgen", "restarting", "hosted"):
        host = Host()
        async with replying(serve(profile)) as reply:
            await host.converse(reply, prior=WHOLE[:-10])
        assert host.ran == []


@behaviour("models:reply:prior")
async def test_a_reply_whose_past_was_changed_is_one_round(serve: Serve) -> None:
    served = serve("hosted")
    async with replying(served, continuation="next-turn") as reply:
        for text in (f"{BLOCK}Result: 1\n", f"Changed.\n{BLOCK}Result: 2\n"):
            async with aclosing(reply.generate(text, text[-10:])) as deltas:
                await anext(deltas)
    sent = served.chats[-1].body["messages"]
    assert [each["content"] for each in sent[2:]] == [f"Changed.\n{BLOCK}".rstrip(), "Result: 2"]


@behaviour("models:reply:close")
async def test_closing_the_generator_closes_the_connection(serve: Serve) -> None:
    served = serve(replace(VLLM, surplus=" and so on" * 10_000), delay=0.001)
    async with replying(served) as reply:
        deltas = reply.generate()
        assert await anext(deltas)
        await deltas.aclose()
        assert not (await served.ended()).complete


@behaviour("models:reply:close")
async def test_cancelling_who_reads_closes_the_connection(serve: Serve) -> None:
    served = serve(replace(VLLM, surplus=" and so on" * 10_000), delay=0.001)
    begun = asyncio.Event()

    async def read(reply: ContinuedReply) -> None:
        async for _ in reply.generate():
            begun.set()

    async with replying(served) as reply:
        reading = asyncio.create_task(read(reply))
        await asyncio.wait_for(begun.wait(), 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not (await served.ended()).complete


@behaviour("models:reply:line-break")
@pytest.mark.parametrize("profile", ["demo", "hosted"])
async def test_what_follows_a_result_begins_on_its_own_line(serve: Serve, profile: str) -> None:
    async with replying(serve(profile)) as reply:
        text = await Host(run=lambda _: "Result: 15").converse(reply)
    assert text == WHOLE


@behaviour("models:reply:line-break")
async def test_a_word_that_was_cut_is_not_broken_into_two_lines(serve: Serve) -> None:
    async with replying(serve()) as reply:
        text = "".join([delta.content async for delta in reply.generate("I am a scri")])
    assert text.startswith("pt, not an AI")


@behaviour("models:reply:reasoning")
@pytest.mark.parametrize("profile", ["thinker", "ollama-thinker"])
async def test_thought_is_never_content_and_never_runs(serve: Serve, profile: str) -> None:
    host = Host()
    async with replying(serve(profile)) as reply:
        text = await host.converse(reply)
    assert (host.thought, host.ran) == (THOUGHT, ["print(10 + 5)"])
    assert "never run me" not in text


@behaviour("models:reply:reasoning")
async def test_thought_goes_back_to_the_model_with_its_reply(serve: Serve) -> None:
    served = serve("thinker")
    async with replying(served) as reply:
        await Host().converse(reply)
    assert served.chats[-1].body["messages"][-1]["reasoning_content"] == THOUGHT


@behaviour("models:reply:reasoning")
async def test_thought_in_the_text_stays_where_it_is(serve: Serve) -> None:
    async with replying(serve("inline-thinker"), continuation="flags") as reply:
        text = "".join([delta.content async for delta in reply.generate()])
    assert text.startswith(f"<think>\n{THOUGHT}</think>\n\n{LABEL}")


@behaviour("models:reply:usage")
@pytest.mark.parametrize("profile", ["vllm", "llamacpp"])
async def test_tokens_are_summed_over_all_requests(serve: Serve, profile: str) -> None:
    served, memory = serve(profile), StrategyCache()
    async with replying(served, memory=memory) as reply:
        await Host().converse(reply)
    async with replying(served, memory=memory) as reply:
        await Host().converse(reply)
    assert reply.usage == Usage(prompt=8, prompt_total=40, completion=32, cached=31, calls=2, counted=True)


@behaviour("models:reply:usage-lost")
async def test_a_count_that_was_lost_is_made_up_from_the_pieces(serve: Serve) -> None:
    async with replying(serve("tabbyapi")) as reply:
        await Host().converse(reply)
    lost = reply.usage.guessed  # the first request's, which ends with the block
    counted = Usage(prompt_total=32, completion=32, cached=31, calls=2, counted=False)
    assert reply.usage == replace(counted, prompt=lost, guessed=lost)
    assert reply.usage.guessed > 0


@behaviour("models:reply:usage")
async def test_a_reply_without_code_is_counted_by_the_server(serve: Serve) -> None:
    async with replying(serve(), {"role": "user", "content": "Hello"}) as reply:
        await Host().converse(reply)
    assert (reply.usage.calls, reply.usage.counted, reply.usage.prompt) == (1, True, 4)


@behaviour("models:reply:budget")
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_the_budget_is_for_the_whole_reply(serve: Serve, name: str) -> None:
    served, memory = serve("vllm"), StrategyCache()
    async with replying(served, memory=memory, options={name: 25, "temperature": 0.5}) as reply:
        text = await Host().converse(reply)
    first, second = served.chats[0].body, served.chats[-1].body
    assert (first[name], second[name], second["temperature"]) == (25, 25 - 21, 0.5)
    assert text.endswith("Result: 15\nIf you add 10")
    assert (reply.finish_reason, reply.usage.completion) == ("length", 25)


@behaviour("models:reply:budget")
async def test_a_budget_whose_other_name_is_null_counts_as_well(serve: Serve) -> None:
    served = serve("vllm")
    async with replying(served, options={"max_completion_tokens": None, "max_tokens": 25}) as reply:
        await Host().converse(reply)
    assert [asked.body["max_tokens"] for asked in served.chats] == [25, 25 - 21]
    assert {asked.body["max_completion_tokens"] for asked in served.chats} == {None}


@behaviour("models:reply:budget")
async def test_no_request_is_made_once_the_budget_is_spent(serve: Serve) -> None:
    served = serve()
    async with replying(served, options={"max_tokens": 3}) as reply:
        assert [delta async for delta in reply.generate()]
        assert [delta async for delta in reply.generate("I am a")] == []
    assert (len(served.chats), reply.finish_reason) == (1, "length")


@behaviour("models:reply:finish")
async def test_why_the_model_ended_is_kept(serve: Serve) -> None:
    async with replying(serve(), {"role": "user", "content": "Hello"}) as reply:
        assert reply.finish_reason == ""
        deltas = [delta async for delta in reply.generate()]
    assert (reply.finish_reason, Delta() in deltas) == ("stop", False)


@behaviour("models:reply:failure")
async def test_a_failure_that_the_next_turn_does_not_mend_is_raised(canned: Any) -> None:
    url = canned(b'{"error": "context is full"}', status=400, kind="application/json")
    async with Client(Endpoint(url)) as client:
        reply = ContinuedReply(client, [ASKED], continuation="flags")
        with pytest.raises(EndpointFailed, match="context is full"):
            await anext(reply.generate(f"{BLOCK}Result: 15\n", "Result: 15\n"))


@behaviour("models:reply:failure")
async def test_a_failure_of_the_first_request_is_raised_as_it_is(serve: Serve) -> None:
    served = serve()
    async with Client(Endpoint(served.url, model="gone")) as client:
        with pytest.raises(EndpointFailed, match="has no model 'gone'"):
            await anext(ContinuedReply(client, [ASKED]).generate())
    assert len(served.chats) == 1


@behaviour("models:reply:setting")
async def test_the_way_to_continue_can_be_set_by_hand(serve: Serve) -> None:
    served, memory = serve(OLLAMA), StrategyCache()
    async with replying(served, continuation="next-turn", memory=memory) as reply:
        await Host().converse(reply)
    assert served.chats[-1].body["messages"][-1] == {"role": "user", "content": "Result: 15"}
    assert memory.recall(Endpoint(served.url, model=MODEL)) is None


@behaviour("models:reply:setting")
async def test_a_way_that_does_not_exist_is_refused_with_those_that_do() -> None:
    async with Client(Endpoint("http://127.0.0.1:1")) as client:
        with pytest.raises(SettingsError, match="unknown continuation 'magic'; use one of: auto, flags"):
            ContinuedReply(client, [ASKED], continuation="magic")
