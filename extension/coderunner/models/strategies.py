"""How a reply that was broken off for a result goes on: one row for each way that servers understand.

A prefill strategy sends the reply so far as a trailing assistant message that the model goes on with.
`NEXT` needs nothing from the server: the reply so far is a finished message, the result comes as the user's
next one, and what the model answers is shown in the same reply.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Message = Mapping[str, object]

RESULT_NOTE = (
    "A message that starts with `Result:` is the output of your code, not the user. "
    "Continue your answer; do not greet or repeat."
)
"""Said once in the system message where results come as user messages."""

GO_ON = "Continue your answer exactly where it stops. Do not repeat any of it."


@dataclass(frozen=True, slots=True)
class Round:
    """One stretch of a reply: what the model said up to its code, and the result that we appended."""

    said: str
    result: str


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

    def first(self, base: Sequence[Message]) -> list[Message]:
        """Give the messages of a reply's first request, which continues nothing."""
        return list(base) if self.prefill else _with_note(base)

    def again(
        self, base: Sequence[Message], *, reply: str, rounds: Sequence[Round], reasoning: str = ""
    ) -> list[Message]:
        """Give the messages of a request that continues `reply`, which consists of `rounds`."""
        if not self.prefill:
            return [*_with_note(base), *_as_dialogue(reply, rounds)]
        thought = {"reasoning_content": reasoning} if reasoning and self.thought else {}
        return [*base, {"role": "assistant", "content": reply, **thought, **self.message}]


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

NEXT = Strategy("next-turn", prefill=False)
"""Everybody."""

STRATEGIES = {each.name: each for each in (FLAGS, TRAIL, TGW, PREFIX, PREFIX_BETA, PARTIAL, NEXT)}
"""By the name that the setting `continuation` knows, beside `auto`."""

HOSTS = {
    "api.mistral.ai": PREFIX,
    "api.deepseek.com": PREFIX_BETA,
    "api.moonshot.ai": PARTIAL,
    "api.moonshot.cn": PARTIAL,
    "dashscope.aliyuncs.com": PARTIAL,
    "dashscope-intl.aliyuncs.com": PARTIAL,
    # Anthropic since 4.6 and Google's newer models answer 400; OpenAI starts a new turn; a router passes it
    # on to whom it likes. What works with all their models is the next turn.
    "api.anthropic.com": NEXT,
    "generativelanguage.googleapis.com": NEXT,
    "api.openai.com": NEXT,
    "openrouter.ai": NEXT,
}

HOST_SUFFIXES = {".openai.azure.com": NEXT, ".maas.aliyuncs.com": PARTIAL}


def hosted(host: str) -> Strategy | None:
    """Give the strategy of a hosted API, or None where the host is not one that we know."""
    if host in HOSTS:
        return HOSTS[host]
    return next((each for suffix, each in HOST_SUFFIXES.items() if host.endswith(suffix)), None)


def _with_note(base: Sequence[Message]) -> list[Message]:
    """Add the note to the system message, or begin with one."""
    for place, message in enumerate(base):
        if message.get("role") in ("system", "developer"):
            return [*base[:place], _noted(message), *base[place + 1 :]]
    return [{"role": "system", "content": RESULT_NOTE}, *base]


def _noted(message: Message) -> Message:
    content = message.get("content") or ""
    if isinstance(content, str):
        return {**message, "content": f"{content}\n\n{RESULT_NOTE}".lstrip()}
    parts = list(content) if isinstance(content, Sequence) else []
    return {**message, "content": [*parts, {"type": "text", "text": RESULT_NOTE}]}


def _as_dialogue(reply: str, rounds: Sequence[Round]) -> list[Message]:
    """Give each round as the assistant's message and the result as the user's."""
    told: list[Message] = []
    for each in rounds:
        # Claude refuses an assistant message that is empty or ends with white space.
        if each.said.strip():
            told.append({"role": "assistant", "content": each.said.rstrip()})
        told.append({"role": "user", "content": each.result.strip()})
    rest = reply[sum(len(each.said) + len(each.result) for each in rounds) :]
    if rest.strip():
        told.append({"role": "assistant", "content": rest.rstrip()})
        told.append({"role": "user", "content": GO_ON})
    return told
