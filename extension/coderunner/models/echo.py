"""Tells a repetition of our own reply from its continuation: pure.

Some servers begin a continuation with the whole text that they were given (text-generation-webui always,
llama.cpp without the flag), and some silently begin a new turn that says the same again. Neither may reach
the reader, and above all not the fence parser: the code in it has run already.
"""

import re
from itertools import takewhile

RESTART_CHARACTERS = 24
"""From so many equal characters on a diverging text counts as our reply begun anew: about six tokens, which
no continuation shares with the beginning of its own reply by chance."""

FENCE_LINES = re.compile(r"^[ \t>*+\-\d.)]*(?:`{3,}|~{3,})", re.MULTILINE)

THOUGHTS = re.compile(
    r"<(think|thinking|thought|reason|reasoning|seed:think)>.*?</\1>\s*"
    r"|\[THINK\].*?\[/THINK\]\s*"
    r"|\A(?:(?!<think>).)*?</think>\s*",  # opened by the prompt
    re.DOTALL,
)
"""Spans that a server with a reasoning parser takes out of the text before it repeats it."""


class EchoGuard:
    """Holds what a model sends back while it could be the reply that we gave it.

    Cutting the stream elsewhere changes nothing. White space at the beginning and the end may differ, and
    thoughts inside the reply may be missing, since chat templates take both away. A guard over an empty reply
    lets everything pass.
    """

    def __init__(self, reply: str) -> None:
        self._tail = reply[len(reply.rstrip()) :]
        shapes = (reply.strip(), THOUGHTS.sub("", reply).strip())
        self._shapes = sorted({shape for shape in shapes if shape}, key=len, reverse=True)
        self._held = ""
        self._open = not self._shapes
        self.restarted = False
        """The model did not continue: it began our reply anew. All that it says is to be thrown away."""

    def receive(self, delta: str) -> str:
        """Take a piece; give what of the text is new."""
        if self.restarted:
            return ""
        if self._open:
            return delta
        self._held += delta
        begun = self._held.lstrip()
        if any(shape.startswith(begun) and shape != begun for shape in self._shapes):
            return ""
        for shape in self._shapes:
            if begun.startswith(shape):
                return self._after_echo(begun[len(shape) :])
        return self._diverged(begun)

    def close(self) -> str:
        """The stream ended; give what was held and is new."""
        if self._open or self.restarted:
            return ""
        begun = self._held.lstrip()
        return "" if any(begun.startswith(shape) for shape in self._shapes) else self._diverged(begun)

    def _after_echo(self, rest: str) -> str:
        if len(rest) < len(self._tail) and self._tail.startswith(rest):
            return ""  # more of the white space at our reply's end may come
        self._open = True
        return rest[len(_common(self._tail, rest)) :]

    def _diverged(self, begun: str) -> str:
        common = max((_common(shape, begun) for shape in self._shapes), key=len)
        # Two fence lines are a whole block of ours, however short: never let it be read again.
        self.restarted = len(common) >= RESTART_CHARACTERS or len(FENCE_LINES.findall(common)) > 1
        self._open = True
        return "" if self.restarted else self._held


def _common(one: str, other: str) -> str:
    """Give the beginning that both have."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(each for each, _ in pairs)
