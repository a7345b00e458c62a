"""Which server this is and how it continues a reply: looked up, then asked, then remembered.

Nothing here sends a model anything that a person wrote, and `scan` and `fingerprint` send no prompt at all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from coderunner.errors import EndpointFailed, EndpointRefused, ModelError
from coderunner.models.continuation.chat_template import ask_llama_cpp, ask_textgen, ask_tokenizer
from coderunner.models.continuation.strategies import FLAGS, NEXT, TGW, TRAIL, Strategy, hosted
from coderunner.models.continuation.strategy_cache import Choice
from coderunner.models.endpoint.chunks import piece
from coderunner.models.endpoint.client import Client, Endpoint, ModelInfo

UNKNOWN = "openai-compatible"

OWNERS = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llama.cpp",
    "tabbyAPI": "tabbyapi",
    "me": "llama-cpp-python",
    "coderunner": "demo",
}
"""What `owned_by` in the list of models gives away."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A route that only one kind of server answers with these names in its JSON."""

    kind: str
    path: str
    names: tuple[str, ...]


SIGNS = (
    # KoboldCpp also answers some of Ollama's routes, so its own come first.
    Sign("koboldcpp", "/api/extra/version", ("result", "version")),
    Sign("text-generation-webui", "/v1/internal/model/info", ("model_name",)),
    Sign("llama.cpp", "/props", ("default_generation_settings",)),
    Sign("lm-studio", "/api/v0/models", ("data",)),
    Sign("ollama", "/api/version", ("version",)),
    Sign("vllm", "/version", ("version",)),
)

PORTS = (11434, 1234, 8080, 5000, 8000, 30000, 1337, 5001, 8081)
"""Ollama · LM Studio · llama.cpp and llamafile · text-generation-webui and TabbyAPI · vLLM · SGLang · Jan ·
KoboldCpp · a second llama.cpp."""

SCAN_CONNECT = 0.3
SCAN_SECONDS = 1.3
"""For one port, all questions together: a page that waits longer for its model list feels broken."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What is known about a kind of server: whom to ask about its template, and what it does as a rule."""

    strategy: Strategy | None = None
    asks: Callable[[Client], Awaitable[Strategy | None]] | None = None


BACKENDS = {
    "demo": Backend(FLAGS),
    "vllm": Backend(FLAGS, ask_tokenizer),
    "sglang": Backend(FLAGS, ask_tokenizer),
    "tabbyapi": Backend(FLAGS),
    "llama.cpp": Backend(TRAIL, ask_llama_cpp),
    "text-generation-webui": Backend(TGW, ask_textgen),
    "llama-cpp-python": Backend(NEXT),
}
"""Not here are those where it depends on the model (Ollama, LM Studio, KoboldCpp, Jan): they begin a new turn
without a word where they do not continue, so the model itself is asked."""


@dataclass(frozen=True, slots=True)
class Found:
    """A server that a scan found; `locked` where it asks for a key before it lists its models."""

    url: str
    kind: str
    models: tuple[ModelInfo, ...] = ()
    locked: bool = False


async def scan(ports: Sequence[int] = PORTS, *, patience: float = SCAN_SECONDS) -> list[Found]:
    """Return the model servers of this machine, in the order of `ports`.

    `patience`: seconds that each of them has, all at once.
    """
    found = await asyncio.gather(*(_look(port, patience) for port in ports))
    return [each for each in found if each]


async def fingerprint(client: Client, models: Sequence[ModelInfo] | None = None) -> str:
    """Return the kind of the server, `openai-compatible` where it shows no sign that we know.

    `models` spares the question for them.
    """
    try:
        listed = await client.models() if models is None else models
    except ModelError:
        listed = []
    owner = listed[0].owned_by if listed else ""
    if owner in OWNERS:
        return OWNERS[owner]
    shown = await asyncio.gather(*(_shows(client, sign) for sign in SIGNS))
    return next((sign.kind for sign, yes in zip(SIGNS, shown, strict=True) if yes), UNKNOWN)


async def choose(client: Client) -> Choice:
    """Find out how this endpoint's model continues a reply.

    Hosted APIs are looked up. A server with a template to ask is asked what prompt it would make. One whose
    way is known is believed. For the rest, where a wrong guess would not be noticed, the model is asked
    once to go on with a sentence of ours (about 40 tokens).
    """
    if known := hosted(client.endpoint.host):
        return Choice(known, f"{client.endpoint.host} is known", "hosted")
    kind = await fingerprint(client)
    backend = BACKENDS.get(kind, Backend())
    if backend.asks and (said := await backend.asks(client)):
        return Choice(said, f"{kind}: its chat template was asked", kind)
    if backend.strategy:
        return Choice(backend.strategy, f"{kind} is known", kind)
    goes_on = await _goes_on(client)
    outcome = "the model continued" if goes_on else "the model did not continue"
    return Choice(TRAIL if goes_on else NEXT, f"{kind}: {outcome} a sentence of ours", kind)


async def _look(port: int, patience: float) -> Found | None:
    endpoint = Endpoint(f"http://127.0.0.1:{port}")
    kind, models = UNKNOWN, None
    try:
        async with (
            asyncio.timeout(patience),
            Client(endpoint, connect=max(SCAN_CONNECT, patience / 4), answer=patience) as client,
        ):
            models = tuple(await client.models())
            kind = await fingerprint(client, models)
    except EndpointRefused:
        return Found(endpoint.url, UNKNOWN, locked=True)
    except (ModelError, TimeoutError):
        if models is None:
            return None
    return Found(endpoint.url, kind, models)


async def _shows(client: Client, sign: Sign) -> bool:
    try:
        answer = await client.ask(sign.path)
    except ModelError:
        return False
    return isinstance(answer, dict) and all(name in answer for name in sign.names)


PROBE = ({"role": "user", "content": "Repeat exactly: alpha bravo charlie delta echo"},)
BEGUN = "alpha bravo charlie"
FOLLOWS = "delta"
PROBE_TOKENS = 6


async def _goes_on(client: Client) -> bool:
    body = {
        "messages": TRAIL.again(PROBE, reply=BEGUN, rounds=()),
        "max_tokens": PROBE_TOKENS,
        "temperature": 0,
    }
    text = ""
    try:
        async with client.stream(body) as chunks:
            async for together in chunks:
                text += "".join(piece(chunk).content for chunk in together)
    except EndpointFailed:
        return False
    # A reply that begins with "alpha" is a new turn, or an echo; the next turn is right for both.
    return text.lstrip().startswith(FOLLOWS)
