"""What a reply costs, in tokens: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

MOST = 2**53
"""The largest count that every reader of JSON takes as it is; a database takes a little more."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a server counted for one request, in tokens."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply has cost so far, in tokens, over all its requests."""

    prompt: int = 0
    """Of the first request: what the conversation was before this reply. By its length where a block
    has ended the stream before its count."""
    prompt_total: int = 0
    completion: int = 0
    cached: int = 0
    """Of `prompt_total`: what the server had in its cache."""
    calls: int = 0
    counted: bool = True
    """Whether the servers counted all of it. If not, `completion` has pieces of the stream for tokens where
    the server's own count was lost, and the prompts of those requests are in `guessed` alone."""
    guessed: int = 0
    """What the prompts whose count was lost have by their length."""

    @property
    def total(self) -> int:
        """All tokens of all requests; where `counted` is false, some of them by their length."""
        return self.prompt_total + self.completion + self.guessed

    def plus(self, tokens: Tokens | None, *, pieces: int, prompt: int = 0) -> "Usage":
        """Add one request: the server's count, or the number of pieces and `prompt` where it gave none."""
        spent = tokens or Tokens(completion=pieces)
        return Usage(
            prompt=self.prompt if self.calls else spent.prompt or prompt,
            prompt_total=self.prompt_total + spent.prompt,
            completion=self.completion + max(spent.completion, 0 if tokens else pieces),
            cached=self.cached + spent.cached,
            calls=self.calls + 1,
            counted=self.counted and tokens is not None,
            guessed=self.guessed + (0 if tokens else prompt),
        )

    def since(self, earlier: "Usage") -> "Usage":
        """What it has cost since then, for a client that gets a reply in parts; each has the prompt."""
        return replace(
            self,
            prompt_total=self.prompt_total - earlier.prompt_total,
            completion=self.completion - earlier.completion,
            cached=self.cached - earlier.cached,
            calls=self.calls - earlier.calls,
            guessed=self.guessed - earlier.guessed,
        )


BYTES = 4
"""Of text for a token: what tokenizers make of English; code and other scripts take more tokens."""
IMAGE = 1_000
"""Tokens of an image: hosted models count 85 to 1,500."""


def guess(body: Mapping[str, object]) -> int:
    """The tokens of a request's prompt, by its length."""
    messages = body.get("messages")
    prompts = [body.get("prompt"), body.get("input"), body.get("instructions")]
    said = [each.get("content") for each in _list(messages) if isinstance(each, Mapping)]
    return sum(map(_guessed, (*prompts, *said)))


def guess_text(text: str) -> int:
    """The tokens of a text, by its length."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES)


def _guessed(content: object) -> int:
    if isinstance(content, str):
        return guess_text(content)
    tokens = 0
    for part in _list(content):
        if isinstance(part, str):
            tokens += guess_text(part)
        elif isinstance(part, int):  # a text as tokens
            tokens += 1
        elif isinstance(part, Mapping):
            inner = part.get("text", part.get("content"))
            tokens += guess_text(inner) if isinstance(inner, str) else IMAGE
    return tokens


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def count(value: object) -> int:
    """A server's count of tokens; 0 for what is none: nothing, a text, a fraction, less than 0, or absurd."""
    return value if type(value) is int and 0 < value <= MOST else 0
