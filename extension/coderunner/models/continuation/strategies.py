"""How a reply that was broken off for a result goes on: one row for each way that servers understand.

A prefill strategy sends the reply so far as a trailing assistant message that the model goes on with.
`RAW` makes the prompt itself, of the server's own template and the reply so far. `NEXT` needs nothing from
the server: the reply so far is a finished message, the result comes as the user's next one, and what the
model answers is shown in the same reply. `TOOLS` is the same for a model that would rather call a tool.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coderunner.languages import PYTHON, Language, tool_name
from coderunner.models.continuation.tool_calls import Call, tool

Message = Mapping[str, object]

RESULT_NOTE = (
    "A message that starts with `Result:` is the output of your code, not the user. "
    "Continue your answer; do not greet or repeat."
)
"""Said once in the system message where results come as user messages."""

TOOL_NOTE = (
    "To run {language}, call `{name}` instead of writing a block; the reader sees the code and its result "
    "in your answer. "
) + RESULT_NOTE

SHOWN = "Images shown by the code:"
"""Said before the pictures of a tool's result: a tool's message holds text alone."""

GO_ON = "Continue your answer exactly where it stops. Do not repeat any of it."


@dataclass(frozen=True, slots=True)
class Round:
    """One segment of a reply: what the model said up to its code, and the result that we appended."""

    said: str
    result: str
    call: Call | None = None
    """The call of our tool that the code at the end of `said` came by."""
    pictures: Sequence[str] = ()
    """What the code showed, as data addresses; only a strategy without prefill can tell them."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to have a reply continued; `body` and `message` are what has to be added for it."""

    name: str
    prefill: bool = True
    body: Mapping[str, object] = field(default_factory=dict)
    message: Mapping[str, object] = field(default_factory=dict)
    path: str = "chat/completions"
    thought: bool = True
    """Whether this turn's reasoning may be sent back: strict APIs refuse fields that they do not know."""
    tools: bool = False
    """The model gets a tool of ours, from the first request on."""

    def first(self, base: Sequence[Message], language: Language = PYTHON) -> list[Message]:
        """Return the messages of a reply's first request, which continues nothing."""
        return list(base) if self.prefill else _with_note(base, self._note(language))

    def again(
        self,
        base: Sequence[Message],
        *,
        reply: str,
        rounds: Sequence[Round],
        reasoning: str = "",
        language: Language = PYTHON,
    ) -> list[Message]:
        """Return the messages of a request that continues `reply`, which consists of `rounds`."""
        if not self.prefill:
            return [*_with_note(base, self._note(language)), *_as_dialogue(reply, rounds, tools=self.tools)]
        thought = {"reasoning_content": reasoning} if reasoning and self.thought else {}
        return [*base, {"role": "assistant", "content": reply, **thought, **self.message}]

    def offered(self, language: Language) -> Mapping[str, object]:
        """What has to be added to the body for a kernel of that language."""
        return {**self.body, "tools": [tool(language)]} if self.tools else self.body

    def _note(self, language: Language) -> str:
        named = {"language": language.title, "name": tool_name(language)}
        return TOOL_NOTE.format(**named) if self.tools else RESULT_NOTE


FLAGS = Strategy("flags", body={"continue_final_message": True, "add_generation_prompt": False})
"""vLLM, SGLang, TabbyAPI, new llama.cpp. vLLM refuses the request where both are true."""

TRAIL = Strategy("trailing")
"""Ollama and older llama.cpp: a trailing assistant message alone."""

TGW = Strategy("continue", body={"continue_": True})
"""text-generation-webui's API; its first delta repeats the whole reply, which the echo guard drops."""

PREFIX = Strategy("prefix", message={"prefix": True}, thought=False)
"""Mistral."""

PREFIX_BETA = Strategy("prefix-beta", message={"prefix": True}, path="/beta/chat/completions")
"""DeepSeek, which takes a prefix at another address only."""

PARTIAL = Strategy("partial", message={"partial": True}, thought=False)
"""Moonshot (Kimi) and DashScope (Qwen)."""

RAW = Strategy("raw", path="completions")
"""Servers that show the prompt which their template makes, where that template closes every reply."""

NEXT = Strategy("next-turn", prefill=False)
"""Everybody."""

TOOLS = Strategy("tools", prefill=False, tools=True)
"""Hosted APIs whose models are made to call tools."""

STRATEGIES = {each.name: each for each in (FLAGS, TRAIL, TGW, PREFIX, PREFIX_BETA, PARTIAL, RAW, NEXT, TOOLS)}
"""By the name that the setting `continuation` knows, beside `auto`."""

HOSTS = {
    "api.mistral.ai": PREFIX,
    "api.deepseek.com": PREFIX_BETA,
    "api.moonshot.ai": PARTIAL,
    "api.moonshot.cn": PARTIAL,
    "dashscope.aliyuncs.com": PARTIAL,
    "dashscope-intl.aliyuncs.com": PARTIAL,
    # Anthropic since 4.6 and Google's newer models answer 400; OpenAI starts a new turn. All their models
    # call tools, and may write a block all the same. A router passes it on to whom it likes: what works with
    # all models there is the next turn.
    "api.anthropic.com": TOOLS,
    "generativelanguage.googleapis.com": TOOLS,
    "api.openai.com": TOOLS,
    "openrouter.ai": NEXT,
}

HOST_SUFFIXES = {".openai.azure.com": TOOLS, ".maas.aliyuncs.com": PARTIAL}


def hosted(host: str) -> Strategy | None:
    """Return the strategy of a hosted API, or None where the host is not one that we know."""
    if host in HOSTS:
        return HOSTS[host]
    return next((each for suffix, each in HOST_SUFFIXES.items() if host.endswith(suffix)), None)


def _with_note(base: Sequence[Message], note: str) -> list[Message]:
    """Add the note to the system message, or begin with one."""
    for place, message in enumerate(base):
        if message.get("role") in ("system", "developer"):
            return [*base[:place], _noted(message, note), *base[place + 1 :]]
    return [{"role": "system", "content": note}, *base]


def _noted(message: Message, note: str) -> Message:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {**message, "content": f"{content}\n\n{note}".lstrip()}
    parts = list(content) if isinstance(content, Sequence) else []
    return {**message, "content": [*parts, {"type": "text", "text": note}]}


def _as_dialogue(reply: str, rounds: Sequence[Round], *, tools: bool) -> list[Message]:
    """Give each round as the assistant's message and the result as the user's, or as that of its call."""
    told: list[Message] = []
    for each in rounds:
        if tools and each.call:
            told += _as_call(each, each.call)
            continue
        # Claude refuses an assistant message that is empty or ends with white space.
        if each.said.strip():
            told.append({"role": "assistant", "content": each.said.rstrip()})
        told.append({"role": "user", "content": _with_pictures(each.result.strip(), each.pictures)})
    rest = reply[sum(len(each.said) + len(each.result) for each in rounds) :]
    if rest.strip():
        told.append({"role": "assistant", "content": rest.rstrip()})
        told.append({"role": "user", "content": GO_ON})
    return told


def _as_call(its: Round, call: Call) -> list[Message]:
    words = its.said.removesuffix(call.block).rstrip()
    return [
        {"role": "assistant", "content": words or None, "tool_calls": [call.wire]},
        {"role": "tool", "tool_call_id": call.wire["id"], "content": its.result.strip()},
        *([{"role": "user", "content": _with_pictures(SHOWN, its.pictures)}] if its.pictures else []),
    ]


def with_pictures(message: Message, pictures: Sequence[str]) -> Message:
    """The message with pictures, as data addresses, below its text."""
    return (
        {**message, "content": _with_pictures(str(message.get("content")), pictures)} if pictures else message
    )


def _with_pictures(text: str, pictures: Sequence[str]) -> str | list[Message]:
    if not pictures:
        return text
    shown = [{"type": "image_url", "image_url": {"url": picture}} for picture in pictures]
    return [{"type": "text", "text": text}, *shown]
