"""The servers that the demo model can pass for, as facts about each: the double behind our tests. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

Message = Mapping[str, object]


class Continues(StrEnum):
    """What a server does with a trailing assistant message."""

    FLAGS = "flags"
    """Goes on if `continue_final_message` is set; vLLM refuses it beside `add_generation_prompt`."""
    TRAILING = "trailing"
    """Goes on always."""
    CONTINUE = "continue_"
    """Goes on if the body says `continue_`."""
    PREFIX = "prefix"
    """Goes on if the message says `prefix`."""
    PARTIAL = "partial"
    """Goes on if the message says `partial`."""
    NEVER = "never"
    """Takes it and begins a new turn without a word."""
    REFUSES = "refuses"
    """400."""


class Echo(StrEnum):
    """When a continuation begins with the text that it continues."""

    NEVER = "never"
    UNFLAGGED = "unflagged"
    """llama.cpp: where `continue_final_message` is not set."""
    ALWAYS = "always"


class Tools(StrEnum):
    """What a model does with the tools that it is given."""

    IGNORES = "ignores"
    """Writes a block all the same."""
    CALLS = "calls"
    MISCALLS = "miscalls"
    """Gives arguments that nobody can read."""
    REFUSES = "refuses"
    """400."""


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """One kind of server."""

    name: str
    owned_by: str
    continues: Continues = Continues.FLAGS
    echo: Echo = Echo.NEVER
    as_user: bool = False
    """SGLang without the flag: the trailing assistant message becomes the user's."""
    address: str = "/v1"
    """Where it continues: DeepSeek does so below `/beta` only."""
    trims: bool = False
    """Its chat template drops white space at the end of a message."""
    restarts: bool = False
    """Takes the flags, and begins the reply anew all the same."""
    opening: str = ""
    """Said before a reply that was begun anew: a restart that no comparison can notice."""
    surplus: str = ""
    """Said after a block, as models do that are not stopped there; never true."""
    reasoning: str = ""
    """Thought before the first text, as `reasoning_content` or in the field `reasoning_field`."""
    reasoning_field: str = "reasoning_content"
    inline: bool = False
    """The thought stands in the text, between `<think>` and `</think>`."""
    tools: Tools = Tools.IGNORES
    blind: bool = False
    """Refuses pictures, as servers do whose model cannot see."""
    completes: bool = False
    """Goes on with any prompt, too."""
    routes: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """What it answers to GET elsewhere: its fingerprint."""
    meters: bool = False
    """Counts tokens in each chunk, if asked to."""


GUESS = "\n\n\nI guess it is 41. That is only a guess." + " Or is it 42?" * 20
THOUGHT = "I could run\n```python\nprint('never run me')\n```\nbut I only think about it.\n"

PLAIN = ServerProfile("demo", "coderunner", meters=True)
"""What the app serves: no surplus, no tricks."""

VLLM = ServerProfile(
    "vllm", "vllm", surplus=GUESS, meters=True, completes=True, routes={"/version": {"version": "0.33.0"}}
)
LLAMACPP = ServerProfile(
    "llamacpp",
    "llamacpp",
    continues=Continues.TRAILING,
    echo=Echo.UNFLAGGED,
    surplus=GUESS,
    meters=True,
    completes=True,
    routes={"/props": {"default_generation_settings": {}, "build_info": "b1"}},
)
OLLAMA = ServerProfile(
    "ollama",
    "library",
    continues=Continues.TRAILING,
    surplus=GUESS,
    trims=True,
    reasoning_field="reasoning",
    routes={"/api/version": {"version": "0.9.0"}},
)
TEXTGEN = ServerProfile(
    "textgen",
    "user",
    continues=Continues.CONTINUE,
    echo=Echo.ALWAYS,
    surplus=GUESS,
    completes=True,
    routes={"/v1/internal/model/info": {"model_name": "demo"}},
)

HOSTED = ServerProfile("hosted", "anthropic", continues=Continues.REFUSES, surplus=GUESS)

PROFILES = {
    each.name: each
    for each in (
        PLAIN,
        VLLM,
        LLAMACPP,
        OLLAMA,
        TEXTGEN,
        replace(VLLM, name="sglang", owned_by="sglang", as_user=True, meters=False),
        replace(VLLM, name="restarting", restarts=True),
        replace(VLLM, name="thinker", reasoning=THOUGHT),
        replace(VLLM, name="inline-thinker", reasoning=THOUGHT, inline=True),
        replace(LLAMACPP, name="llamacpp-echo", echo=Echo.ALWAYS, meters=False),
        replace(OLLAMA, name="ollama-thinker", reasoning=THOUGHT),
        replace(OLLAMA, name="ollama-closing", continues=Continues.NEVER, opening="Of course, gladly. "),
        replace(LLAMACPP, name="llamacpp-closing", continues=Continues.NEVER),
        ServerProfile("llama-cpp-python", "me", continues=Continues.NEVER, surplus=GUESS, completes=True),
        ServerProfile("tabbyapi", "tabbyAPI", surplus=GUESS),
        HOSTED,
        replace(HOSTED, name="calling", tools=Tools.CALLS),
        replace(HOSTED, name="miscalling", tools=Tools.MISCALLS),
        replace(HOSTED, name="toolless", tools=Tools.REFUSES),
        replace(LLAMACPP, name="llamacpp-blind", blind=True),
        ServerProfile("mistral", "mistralai", continues=Continues.PREFIX, surplus=GUESS),
        ServerProfile("deepseek", "deepseek", continues=Continues.PREFIX, address="/beta", surplus=GUESS),
        ServerProfile("dashscope", "system", continues=Continues.PARTIAL, surplus=GUESS),
    )
}
"""By name."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a server makes of a request's messages."""

    messages: Sequence[Message]
    partial: str = ""
    """The assistant's text that the model goes on with."""
    echoed: bool = False
    anew: bool = False
    """A new turn is begun although the assistant has spoken last."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server answers where it does not take the request."""

    status: int
    message: str


def prompt(profile: ServerProfile, body: Mapping[str, object], path: str) -> Prompt | Refusal:
    """Read the messages of a request as `profile` does."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return Refusal(400, "'messages' is required")
    if body.get("tools") and profile.tools is Tools.REFUSES:
        return Refusal(400, "This model does not support tools.")
    if profile.blind and "image_url" in str(messages):
        return Refusal(500, "image input is not supported")
    *before, last = messages
    if last.get("role") != "assistant":
        return Prompt(messages)
    flagged = body.get("continue_final_message") is True
    text = str(last.get("content") or "")
    match profile.continues:
        case Continues.REFUSES:
            return Refusal(400, "This model does not support assistant message prefill.")
        case Continues.FLAGS if flagged and body.get("add_generation_prompt", True):
            return Refusal(400, "continue_final_message and add_generation_prompt cannot both be true.")
        case Continues.PREFIX if last.get("prefix") and profile.address not in path:
            return Refusal(400, f"prefix is taken below {profile.address} only")
    if profile.restarts or not _goes_on(profile, body, last):
        turned = [*before, {"role": "user", "content": text}] if profile.as_user else before
        return Prompt(turned, anew=True)
    echoed = profile.echo is Echo.ALWAYS or (profile.echo is Echo.UNFLAGGED and not flagged)
    return Prompt(before, text.rstrip() if profile.trims else text, echoed)


def rendered(profile: ServerProfile, body: Mapping[str, object], path: str) -> str | None:
    """Return the prompt as text, in the form that most chat templates have; None where it is refused."""
    # Beginning anew is a model's whim, of which its template knows nothing.
    read = prompt(replace(profile, restarts=False), body, path)
    if isinstance(read, Refusal):
        return None
    turns = [f"<|im_start|>{each.get('role')}\n{each.get('content')}<|im_end|>\n" for each in read.messages]
    return f"{''.join(turns)}<|im_start|>assistant\n{read.partial}"


TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>\n", re.DOTALL)


def taken_apart(prompt: str) -> Prompt:
    """What `rendered` has made a prompt of, and whatever was added at its end."""
    turns = list(TURN.finditer(prompt))
    rest = prompt[turns[-1].end() :] if turns else prompt
    told = [{"role": turn[1], "content": turn[2]} for turn in turns]
    return Prompt(told, rest.removeprefix("<|im_start|>assistant\n"))


def _goes_on(profile: ServerProfile, body: Mapping[str, object], last: Message) -> bool:
    match profile.continues:
        case Continues.FLAGS:
            return body.get("continue_final_message") is True
        case Continues.CONTINUE:
            return body.get("continue_") is True
        case Continues.PREFIX | Continues.PARTIAL:
            return last.get(profile.continues.value) is True
    return profile.continues is Continues.TRAILING
