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


class EchoGuard:
    """Holds what a model sends back while it could be the reply that we gave it.

    Cutting the stream elsewhere changes nothing. White space at the beginning and the end may differ, since
    chat templates trim it. A guard over an empty reply lets everything pass.
    """

    def __init__(self, reply: str) -> None:
        self._core = reply.strip()
        self._tail = reply[len(reply.rstrip()) :]
        self._held = ""
        self._open = not self._core
        self.restarted = False
        """The model did not continue: it began our reply anew. All that it says is to be thrown away."""

    @property
    def open(self) -> bool:
        """Whether it is settled that what comes is a continuation."""
        return self._open and not self.restarted

    def receive(self, delta: str) -> str:
        """Take a piece; give what of the text is new."""
        if self.restarted:
            return ""
        if self._open:
            return delta
        self._held += delta
        begun = self._held.lstrip()
        if begun.startswith(self._core):
            return self._after_echo(begun[len(self._core) :])
        if self._core.startswith(begun):
            return ""
        return self._diverged(_common(self._core, begun))

    def close(self) -> str:
        """The stream ended; give what was held and is new."""
        if self._open or self.restarted:
            return ""
        begun = self._held.lstrip()
        return "" if begun.startswith(self._core) else self._diverged(begun)

    def _after_echo(self, rest: str) -> str:
        if len(rest) < len(self._tail) and self._tail.startswith(rest):
            return ""  # more of the white space at our reply's end may come
        self._open = True
        return rest[len(_common(self._tail, rest)) :]

    def _diverged(self, common: str) -> str:
        # Two fence lines are a whole block of ours, however short: never let it be read again.
        self.restarted = len(common) >= RESTART_CHARACTERS or len(FENCE_LINES.findall(common)) > 1
        self._open = True
        return "" if self.restarted else self._held


def _common(one: str, other: str) -> str:
    """Give the beginning that both have."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(each for each, _ in pairs)
