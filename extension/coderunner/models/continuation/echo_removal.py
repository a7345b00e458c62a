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

OPENINGS = re.compile(r"<(think|thinking|thought|reason|reasoning|seed:think)>|\[THINK\]")
BLANKS = re.compile(r"\s*")
CLOSING = "</think>"


def without_thoughts(text: str) -> str:
    """The text without the spans that a server with a reasoning parser takes out before it repeats it.

    A thought that the prompt has opened ends at its closing tag. Linear, also in tags that nothing closes.
    """
    opening = OPENINGS.match(text)
    closed = text.find(CLOSING)
    if (not opening or _closing(opening, text, at=0) < 0) and closed >= 0 and "<think>" not in text[:closed]:
        text = text[_end(text, closed + len(CLOSING)) :]
    pieces: list[str] = []
    kept = at = 0
    unclosed: set[str] = set()
    while opening := OPENINGS.search(text, at):
        at = opening.end()
        if opening.group() in unclosed:
            continue
        end = _closing(opening, text, at=at)
        if end < 0:
            unclosed.add(opening.group())
            continue
        pieces.append(text[kept : opening.start()])
        kept = at = _end(text, end)
    return "".join([*pieces, text[kept:]])


def _closing(opening: re.Match[str], text: str, *, at: int) -> int:
    """Where what closes a thought ends; -1 where nothing does."""
    tag = f"</{opening[1]}>" if opening[1] else "[/THINK]"
    place = text.find(tag, at)
    return place + len(tag) if place >= 0 else -1


def _end(text: str, at: int) -> int:
    """Where the white space after a thought ends."""
    blanks = BLANKS.match(text, at)
    return blanks.end() if blanks else at


class EchoGuard:
    """Holds what a model sends back while it could be the reply that we gave it.

    Cutting the stream elsewhere changes nothing. White space at the beginning and the end may differ, and
    thoughts inside the reply may be missing, since chat templates take both away. A guard over an empty reply
    lets everything pass.
    """

    def __init__(self, reply: str) -> None:
        self._tail = reply[len(reply.rstrip()) :]
        shapes = (reply.strip(), without_thoughts(reply).strip())
        self._shapes = sorted({shape for shape in shapes if shape}, key=len, reverse=True)
        self._possible = list(self._shapes)
        """What the text so far may become a repetition of."""
        self._repeated: list[str] = []
        """What it has repeated to the end."""
        self._held: list[str] = []
        self._begun = 0
        """Characters that are held, without the white space before them."""
        self._open = not self._shapes
        self.restarted = False
        """The model did not continue: it began our reply anew. All that it says is to be thrown away."""

    def receive(self, delta: str) -> str:
        """Take a piece; give what of the text is new."""
        if self.restarted:
            return ""
        if self._open:
            return delta
        self._held.append(delta)
        self._follow(delta if self._begun else delta.lstrip())
        if self._possible:
            return ""
        begun = "".join(self._held).lstrip()
        if self._repeated:
            return self._after_echo(begun[len(max(self._repeated, key=len)) :])
        return self._diverged(begun)

    def close(self) -> str:
        """The stream ended; give what was held and is new."""
        if self._open or self.restarted or self._repeated:
            return ""
        return self._diverged("".join(self._held).lstrip())

    def _follow(self, new: str) -> None:
        """Compare what is new with the place where each shape has come to."""
        possible, self._possible = self._possible, []
        for shape in possible:
            left = len(shape) - self._begun
            if len(new) < left and shape.startswith(new, self._begun):
                self._possible.append(shape)
            elif len(new) >= left and new.startswith(shape[self._begun :]):
                self._repeated.append(shape)
        self._begun += len(new)

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
        return "" if self.restarted else "".join(self._held)


def _common(one: str, other: str) -> str:
    """Return the beginning that both have."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return "".join(each for each, _ in pairs)
