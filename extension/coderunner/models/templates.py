"""Asks a server what prompt it would make of a reply to be continued: deterministic, and no model is run.

Each question gives the strategy with which the prompt ends in the reply, `NEXT` where none does, and None
where the server did not understand the question.
"""

from collections.abc import Mapping

from coderunner.errors import ModelError
from coderunner.models.endpoint import Client
from coderunner.models.strategies import FLAGS, NEXT, TGW, TRAIL, Strategy

ASKED = ({"role": "user", "content": "Count to five."},)
BEGUN = "One, two, three."
"""Ends visibly: many templates trim white space, and that alone does no harm."""


async def ask_llama_cpp(client: Client) -> Strategy | None:
    """`/apply-template` with the flags, then without, as builds before the flags know it."""
    answered = False
    for strategy in (FLAGS, TRAIL):
        prompt = await _text(client, "/apply-template", _body(strategy), "prompt")
        if prompt is not None and prompt.rstrip().endswith(BEGUN):
            return strategy
        answered = answered or prompt is not None
    return NEXT if answered else None


async def ask_tokenizer(client: Client) -> Strategy | None:
    """`/tokenize` and back by `/detokenize`: vLLM, and SGLang where it takes messages."""
    tokens = (await _answer(client, "/tokenize", _body(FLAGS))).get("tokens")
    if not tokens:
        return None
    body = {"model": client.endpoint.model, "tokens": tokens}
    answer = await _answer(client, "/detokenize", body)
    prompt = answer.get("prompt") or answer.get("text")
    if not isinstance(prompt, str):
        return None
    return FLAGS if prompt.rstrip().endswith(BEGUN) else NEXT


async def ask_textgen(client: Client) -> Strategy | None:
    """`/v1/internal/chat-prompt` of text-generation-webui."""
    prompt = await _text(client, "/v1/internal/chat-prompt", _body(TGW), "prompt")
    if prompt is None:
        return None
    return TGW if prompt.rstrip().endswith(BEGUN) else NEXT


def _body(strategy: Strategy) -> dict[str, object]:
    return {"messages": strategy.again(ASKED, reply=BEGUN, rounds=()), **strategy.body}


async def _text(client: Client, path: str, body: Mapping[str, object], name: str) -> str | None:
    value = (await _answer(client, path, {"model": client.endpoint.model, **body})).get(name)
    return value if isinstance(value, str) else None


async def _answer(client: Client, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
    try:
        answer = await client.ask(path, {"model": client.endpoint.model, **body})
    except ModelError:
        return {}
    return answer if isinstance(answer, Mapping) else {}
