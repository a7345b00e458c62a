"""Asks a server what prompt it would make of a reply to be continued: deterministic, and no model is run.

Each question gives the strategy with which the prompt ends in the reply, another one where none does, and
None where the server did not understand the question.
"""

import re
from collections.abc import Mapping, Sequence

from coderunner.errors import ModelError
from coderunner.models.continuation.strategies import FLAGS, NEXT, RAW, TGW, TRAIL, Message, Strategy
from coderunner.models.endpoint.client import Client

ASKED = ({"role": "user", "content": "Count to five."},)
BEGUN = "One, two, three."
"""Ends visibly: many templates trim white space, and that alone does no harm."""

LLAMA_CPP = "/apply-template"
TEXTGEN = "/v1/internal/chat-prompt"

OPENED = re.compile(r"<(think|thinking|thought|reasoning|seed:think)>\s*\Z")
"""A thought that the template opens for the model."""

HEADLESS = ("<|start|>assistant",)
"""How prompts end after which the model names a channel before it speaks (gpt-oss): text of ours would stand
in the place of that name."""


async def prompt(client: Client, messages: Sequence[Message]) -> str | None:
    """The prompt that the server makes of a conversation, up to where its model begins to speak.

    None where it does not show it, or where nothing of ours can follow it.
    """
    for path in (LLAMA_CPP, TEXTGEN):
        made = await _text(client, path, {"messages": list(messages)}, "prompt")
        if made:
            return None if made.rstrip().endswith(HEADLESS) else made
    return None


def go_on(prompt: str, reply: str, reasoning: str) -> str:
    """A prompt with the reply so far at its end, and with its thought where the template opened one."""
    opened = OPENED.search(prompt)
    thought = f"{reasoning.strip()}\n</{opened[1]}>\n\n".lstrip("\n") if opened else ""
    return f"{prompt}{thought}{reply}"


async def ask_llama_cpp(client: Client) -> Strategy | None:
    """`/apply-template` with the flags, then without, as builds before the flags know it."""
    answered = False
    for strategy in (FLAGS, TRAIL):
        made = await _text(client, LLAMA_CPP, _body(strategy), "prompt")
        if made is not None and made.rstrip().endswith(BEGUN):
            return strategy
        answered = answered or made is not None
    return await _otherwise(client) if answered else None


async def ask_tokenizer(client: Client) -> Strategy | None:
    """`/tokenize` and back by `/detokenize`: vLLM, and SGLang where it takes messages."""
    tokens = (await _answer(client, "/tokenize", _body(FLAGS))).get("tokens")
    if not tokens:
        return None
    body = {"model": client.endpoint.model, "tokens": tokens}
    answer = await _answer(client, "/detokenize", body)
    made = answer.get("prompt") or answer.get("text")
    if not isinstance(made, str):
        return None
    return FLAGS if made.rstrip().endswith(BEGUN) else NEXT


async def ask_textgen(client: Client) -> Strategy | None:
    """`/v1/internal/chat-prompt` of text-generation-webui."""
    made = await _text(client, TEXTGEN, _body(TGW), "prompt")
    if made is None:
        return None
    return TGW if made.rstrip().endswith(BEGUN) else await _otherwise(client)


async def _otherwise(client: Client) -> Strategy:
    """What is left where the template closes a reply: the prompt before one, if that is shown."""
    return RAW if await prompt(client, ASKED) else NEXT


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
