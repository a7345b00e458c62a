"""What a chunk of a model's stream says: parsed once, here. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coderunner.models.endpoint.repeated_chunks import TextChunk
from coderunner.models.endpoint.sse import Chunk, reason
from coderunner.models.endpoint.token_usage import Tokens, count
from coderunner.text.surrogates import whole


@dataclass(frozen=True, slots=True)
class ChunkContent:
    """One chunk: text of the reply, text of the thought, calls of tools, why it ended, what it cost.

    Each may be missing.
    """

    content: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    tokens: Tokens | None = None
    calls: Sequence[object] = ()
    """Fragments of calls of tools, as they came."""


def piece(chunk: Chunk) -> ChunkContent:
    """Read a chunk, or a reply that came whole; fields that are missing or of a wrong type are nothing."""
    if isinstance(chunk, TextChunk):
        return ChunkContent(chunk.text)
    choices = chunk.get("choices")
    choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    # Some servers send both, and the whole so far in the message.
    delta = _mapping(choice["delta"] if isinstance(choice.get("delta"), dict) else choice.get("message"))
    content, thought = _texts(delta.get("content"))
    # `text` is that of a completion without chat; OpenAI says in `refusal` why there is no content.
    content = content or _text(choice.get("text")) or _text(delta.get("refusal"))
    # llama.cpp, SGLang and DeepSeek say `reasoning_content`; vLLM, Ollama and OpenRouter `reasoning`.
    # Some send both with the same text.
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    return ChunkContent(
        content=content,
        reasoning=reasoning if isinstance(reasoning, str) else thought,
        finish_reason=whole(reason(choice)),
        tokens=_tokens(chunk),
        calls=calls if isinstance(calls := delta.get("tool_calls"), list) else (),
    )


def by_lines(pieces: Sequence[ChunkContent]) -> Iterator[Sequence[ChunkContent]]:
    """The pieces in groups, each up to a line's end: a block closes there, and what follows is dropped."""
    group: list[ChunkContent] = []
    for each in pieces:
        group.append(each)
        if "\n" in each.content:
            yield group
            group = []
    if group:
        yield group


def _texts(content: object) -> tuple[str, str]:
    """Return text and thought of a content, which Mistral sends as a list of parts when its model thinks."""
    if isinstance(content, str):
        return content, ""
    parts = [_mapping(part) for part in content] if isinstance(content, Sequence) else []
    text = "".join(_text(part.get("text")) for part in parts if part.get("type") == "text")
    thought = "".join(_texts(part.get("thinking"))[0] for part in parts if part.get("type") == "thinking")
    return text, thought


def _tokens(chunk: Chunk) -> Tokens | None:
    if usage := _mapping(chunk.get("usage")):
        cached = _mapping(usage.get("prompt_tokens_details")).get("cached_tokens")
        return Tokens(count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), count(cached))
    if timings := _mapping(chunk.get("timings")):  # llama.cpp; its prompt_n leaves out what was in the cache
        cached, evaluated = count(timings.get("cache_n")), count(timings.get("prompt_n"))
        return Tokens(cached + evaluated, count(timings.get("predicted_n")), cached)
    return None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
