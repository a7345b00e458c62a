"""What a reply costs, in tokens: pure."""

from dataclasses import dataclass

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
    """Of the first request: what the conversation was before this reply."""
    prompt_total: int = 0
    completion: int = 0
    cached: int = 0
    """Of `prompt_total`: what the server had in its cache."""
    calls: int = 0
    counted: bool = True
    """Whether the servers counted all of it. If not, `completion` has pieces of the stream for tokens where
    the server's own count was lost, and the prompts of those requests are missing."""

    def plus(self, tokens: Tokens | None, *, pieces: int) -> "Usage":
        """Add one request: the server's count, or the number of pieces where it gave none."""
        spent = tokens or Tokens(completion=pieces)
        return Usage(
            prompt=self.prompt if self.calls else spent.prompt,
            prompt_total=self.prompt_total + spent.prompt,
            completion=self.completion + max(spent.completion, 0 if tokens else pieces),
            cached=self.cached + spent.cached,
            calls=self.calls + 1,
            counted=self.counted and tokens is not None,
        )


def count(value: object) -> int:
    """A server's count of tokens; 0 for what is none: nothing, a text, a fraction, less than 0, or absurd."""
    return value if type(value) is int and 0 < value <= MOST else 0
