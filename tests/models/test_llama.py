"""Replies of a real engine: what a server that plays a role cannot know."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coderunner.models.continuation.continued_reply import ContinuedReply
from coderunner.models.continuation.detection import choose
from coderunner.models.continuation.strategies import FLAGS, NEXT, RAW, STRATEGIES, TOOLS, Strategy
from coderunner.models.continuation.strategy_cache import Choice, StrategyCache
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.models.endpoint.token_usage import Usage
from tests.behaviours import behaviour
from tests.models.host import Host
from tests.models.llama import llama_server

ASKED = {"role": "user", "content": "What is 6*7?"}
CODE = "print(6*7)"
BLOCK = f"```python\n{CODE}\n```\n"
WHOLE = f"Let me compute that.\n\n{BLOCK}Result: 42\nSo the answer is 42."
CALLED = f"{BLOCK}Result: 42\nSo the answer is 42."
TEMPLATE = "llama.cpp: its chat template was asked"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("llama")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with llama_server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def closing_url(folder: Path) -> Iterator[str]:
    """One that closes the replies that it is given, unless it is told not to."""
    with llama_server(folder, "--no-prefill-assistant") as address:
        yield address


@asynccontextmanager
async def replying(url: str, *messages: dict[str, str], **options: Any) -> AsyncIterator[ContinuedReply]:
    async with Client(Endpoint(url)) as client:
        yield ContinuedReply(client, messages or [ASKED], **options)


def host() -> Host:
    return Host(run=lambda _: "Result: 42\n")


@behaviour("models:llama:continues")
@pytest.mark.parametrize("way", ["auto", *sorted(set(STRATEGIES) - {"tools"})])
async def test_every_way_ends_in_one_reply_whose_block_ran_once(url: str, way: str) -> None:
    its = host()
    async with replying(url, continuation=way) as reply:
        text = await its.converse(reply)
    assert text.replace("42\n\nSo", "42\nSo") == WHOLE
    assert (its.ran, reply.finish_reason) == ([CODE], "stop")


@behaviour("models:llama:continues")
async def test_a_model_that_calls_its_tool_is_heard(url: str) -> None:
    its = host()
    async with replying(url, continuation="tools") as reply:
        text = await its.converse(reply)
    assert text.replace("42\n\nSo", "42\nSo") == CALLED
    assert (its.ran, reply.choice) == ([CODE], Choice(TOOLS, "set in the settings"))


@behaviour("models:llama:detected")
async def test_its_template_is_asked_for_the_way(url: str, closing_url: str) -> None:
    for address in (url, closing_url):
        async with Client(Endpoint(address)) as client:
            assert await choose(client) == Choice(FLAGS, TEMPLATE, "llama.cpp")


@behaviour("models:llama:cache")
@pytest.mark.parametrize("strategy", [FLAGS, RAW, NEXT], ids=lambda each: each.name)
async def test_going_on_costs_little_more_than_the_result(url: str, strategy: Strategy) -> None:
    spent: list[Usage] = []
    its = Host(run=lambda _: spent.append(reply.usage) or "Result: 42\n")
    memory = StrategyCache()
    memory.remember(Endpoint(url), Choice(strategy, "remembered", "llama.cpp"))
    long = {"role": "user", "content": f"{'All of this has to be read. ' * 40}What is 6*7?"}
    async with replying(url, long, memory=memory) as reply:
        await its.converse(reply)
    (before,), after = spent, reply.usage
    evaluated = (after.prompt_total - after.cached) - (before.prompt_total - before.cached)
    assert before.prompt > 500
    assert 0 < evaluated <= len("Result: 42\n") + 32
    assert after.counted


@behaviour("models:llama:close")
async def test_closing_the_stream_frees_its_slot(url: str) -> None:
    endless = {"role": "user", "content": "Say it forever"}
    async with replying(url, endless) as reply, aclosing(reply.generate()) as deltas:
        said = [await anext(deltas) for _ in range(3)]
    assert all(delta.content for delta in said)
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(30):
        while (await http.get(url.removesuffix("/v1") + "/slots")).json()[0]["is_processing"]:
            pass


@behaviour("models:llama:echo")
async def test_the_prefix_that_it_repeats_is_not_heard_again(url: str) -> None:
    begun = WHOLE.removesuffix("is 42.")
    async with Client(Endpoint(url)) as client:
        reply = ContinuedReply(client, [ASKED], continuation="trailing")
        text = "".join([delta.content async for delta in reply.generate(begun)])
    assert text == "is 42."
