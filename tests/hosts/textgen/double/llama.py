"""A scripted model where the webui keeps its loader. Its class has the name that the webui looks for."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from modules import shared

TOKEN = 4
"""Characters in a token of this model."""


@dataclass
class LlamaServer:
    """Says the next of its replies at each call; remembers each prompt, state and how the stream ended."""

    replies: list[str]
    prompts: list[str] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    burst: int = TOKEN
    """Characters that arrive at once; a back-end that batches has more than a token."""
    pace: float = 0.0
    """Seconds for each of them."""
    failure: Exception | None = None
    """With what each reply breaks off."""
    complaint: str = ""
    """What the loader says when it refuses a prompt."""

    def generate_with_streaming(self, prompt: str, state: dict[str, Any]) -> Iterator[str]:
        self.prompts.append(prompt)
        self.states.append(state)
        reply = self.replies.pop(0) if self.replies else ""
        if not state["auto_max_new_tokens"]:
            reply = reply[: state["max_new_tokens"] * TOKEN]
        if self.complaint:
            logging.getLogger("textgen").error(self.complaint)
            return
        event = state.get("stop_event")
        self.ends.append("closed early")
        for end in range(self.burst, len(reply) + self.burst, self.burst):
            time.sleep(self.pace)
            if shared.stop_everything or (event and event.is_set()):
                return
            yield reply[:end]
        if self.failure is not None:
            raise self.failure
        self.ends[-1] = "ended"

    def generate(self, prompt: str, state: dict[str, Any]) -> str:
        return "".join([*self.generate_with_streaming(prompt, state)][-1:])

    def encode(self, text: str) -> list[str]:
        return [text[start : start + TOKEN] for start in range(0, len(text), TOKEN)]
