import asyncio
import socket
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from coderunner.models.continuation.chat_template import ask_llama_cpp, ask_textgen, go_on
from coderunner.models.continuation.detection import PROBE, Found, choose, fingerprint, scan
from coderunner.models.continuation.strategies import FLAGS, NEXT, RAW, TGW, TOOLS, TRAIL, Strategy
from coderunner.models.continuation.strategy_cache import Choice
from coderunner.models.demo.demo_replies import MODEL
from coderunner.models.demo.server_profiles import LLAMACPP, TEXTGEN, VLLM, Continues, ServerProfile
from coderunner.models.endpoint.client import Client, Endpoint, ModelInfo
from tests.behaviours import behaviour
from tests.models.conftest import Can, Serve

PATIENT = 60.0
"""Seconds that a server has which answers at once, on a machine that has a lot to do."""

KINDS = [
    ("demo", "demo"),
    ("vllm", "vllm"),
    ("sglang", "sglang"),
    ("llamacpp", "llama.cpp"),
    ("ollama", "ollama"),
    ("textgen", "text-generation-webui"),
    ("tabbyapi", "tabbyapi"),
    ("llama-cpp-python", "llama-cpp-python"),
    ("hosted", "openai-compatible"),
]


def port(url: str) -> int:
    number = urlsplit(url).port
    assert number
    return number


@behaviour("models:detect:fingerprint")
@pytest.mark.parametrize(("profile", "kind"), KINDS)
async def test_each_kind_of_server_is_known_by_its_signs(serve: Serve, profile: str, kind: str) -> None:
    served = serve(profile)
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        assert await fingerprint(client) == kind
    assert served.asked == []


@behaviour("models:detect:fingerprint")
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"result": "KoboldCpp", "version": "1.90"}', "koboldcpp"),
        (b'{"data": [], "object": "list"}', "lm-studio"),
        (b'{"model_name": "x"}', "text-generation-webui"),
        (b"{}", "openai-compatible"),
        (b"<html>", "openai-compatible"),
    ],
)
async def test_a_server_without_a_telling_owner_is_known_by_its_routes(
    canned: Can, answer: bytes, kind: str
) -> None:
    async with Client(Endpoint(canned(answer, kind="application/json"))) as client:
        assert await fingerprint(client) == kind


@behaviour("models:detect:scan")
async def test_a_scan_finds_what_is_there_in_order_and_sends_no_prompt(serve: Serve) -> None:
    first, second = serve("llamacpp"), serve("ollama")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = [port(first.url), closed.getsockname()[1], port(second.url)]
        found = await scan(ports, patience=PATIENT)
    assert found == [
        Found(f"{first.url}/v1", "llama.cpp", (ModelInfo(MODEL, "llamacpp"),)),
        Found(f"{second.url}/v1", "ollama", (ModelInfo(MODEL, "library"),)),
    ]
    assert first.asked == second.asked == []


@behaviour("models:detect:scan")
async def test_a_scan_of_a_machine_without_models_finds_nothing() -> None:
    assert await scan([]) == []


@behaviour("models:detect:scan-locked")
async def test_a_server_that_asks_for_a_key_is_found_as_locked(serve: Serve) -> None:
    served = serve("vllm", key="right")
    found = await scan([port(served.url)], patience=PATIENT)
    assert found == [Found(f"{served.url}/v1", "openai-compatible", locked=True)]


@behaviour("models:detect:scan-slow")
async def test_a_server_that_does_not_answer_does_not_hold_up_the_scan(serve: Serve) -> None:
    served = serve()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with asyncio.timeout(PATIENT):
            found = await scan([silent.getsockname()[1], port(served.url)], patience=3.0)
    assert [each.kind for each in found] == ["demo"]


@behaviour("models:detect:choose")
@pytest.mark.parametrize(
    ("profile", "choice"),
    [
        ("demo", Choice(FLAGS, "demo is known", "demo")),
        ("vllm", Choice(FLAGS, "vllm: its chat template was asked", "vllm")),
        ("sglang", Choice(FLAGS, "sglang is known", "sglang")),
        ("llamacpp", Choice(FLAGS, "llama.cpp: its chat template was asked", "llama.cpp")),
        (
            "textgen",
            Choice(TGW, "text-generation-webui: its chat template was asked", "text-generation-webui"),
        ),
        ("tabbyapi", Choice(FLAGS, "tabbyapi is known", "tabbyapi")),
        ("llama-cpp-python", Choice(NEXT, "llama-cpp-python is known", "llama-cpp-python")),
    ],
)
async def test_each_kind_of_server_is_continued_in_its_own_way(
    serve: Serve, profile: str, choice: Choice
) -> None:
    served = serve(profile)
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        assert await choose(client) == choice
    assert served.chats == []


@behaviour("models:detect:choose")
@pytest.mark.parametrize(
    ("url", "strategy"), [("https://api.openai.com", TOOLS), ("https://api.mistral.ai/v1", None)]
)
async def test_a_hosted_api_is_looked_up_and_not_asked(url: str, strategy: Strategy | None) -> None:
    async with Client(Endpoint(url), connect=0.001) as client:
        choice = await choose(client)
    assert (choice.kind, choice.strategy) == ("hosted", strategy or choice.strategy)


@behaviour("models:detect:choose")
@pytest.mark.parametrize(
    ("profile", "strategy"),
    [
        (replace(VLLM, continues=Continues.NEVER), NEXT),
        (replace(LLAMACPP, continues=Continues.NEVER), RAW),
        (replace(LLAMACPP, continues=Continues.PARTIAL), RAW),
        (replace(TEXTGEN, continues=Continues.NEVER), RAW),
        (replace(LLAMACPP, trims=True), FLAGS),
    ],
)
async def test_a_template_that_closes_the_reply_is_noticed(
    serve: Serve, profile: ServerProfile, strategy: Strategy
) -> None:
    async with Client(Endpoint(serve(profile).url, model=MODEL)) as client:
        assert (await choose(client)).strategy == strategy


@behaviour("models:detect:headless")
async def test_a_prompt_after_which_the_model_names_its_channel_is_left_to_the_next_turn(canned: Can) -> None:
    url = canned(
        b'{"prompt": "<|start|>user<|message|>Hi<|end|><|start|>assistant"}', kind="application/json"
    )
    async with Client(Endpoint(url)) as client:
        assert await ask_llama_cpp(client) == await ask_textgen(client) == NEXT


@behaviour("models:detect:headless")
@pytest.mark.parametrize(
    ("prompt", "whole"),
    [
        ("<|user|>Hi<|assistant|>", "<|user|>Hi<|assistant|>Let me"),
        ("<|assistant|><think>\n", "<|assistant|><think>\nHm.\n</think>\n\nLet me"),
        ("<|assistant|><think>\n\n</think>\n\n", "<|assistant|><think>\n\n</think>\n\nLet me"),
    ],
)
def test_a_thought_that_the_prompt_opens_is_thought_to_its_end_first(prompt: str, whole: str) -> None:
    assert go_on(prompt, "Let me", "Hm.\n") == whole


@behaviour("models:detect:probe")
@pytest.mark.parametrize(
    ("profile", "strategy", "outcome"),
    [
        ("ollama", TRAIL, "the model continued"),
        ("ollama-closing", NEXT, "the model did not continue"),
        ("mistral", NEXT, "the model did not continue"),
        ("hosted", NEXT, "the model did not continue"),
    ],
)
async def test_where_nothing_else_tells_the_model_is_asked_once(
    serve: Serve, profile: str, strategy: Strategy, outcome: str
) -> None:
    served = serve(profile)
    async with Client(Endpoint(served.url, model=MODEL)) as client:
        choice = await choose(client)
    (asked,) = served.chats
    assert choice.strategy == strategy
    assert choice.reason.endswith(f"{outcome} a sentence of ours")
    assert (asked.body["messages"][:-1], asked.body["max_tokens"]) == (list(PROBE), 6)
