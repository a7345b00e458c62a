"""What the parts of a reply say, for APIs that tell of code and its result apart from text. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

RESULT = "Result: "
_IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
_OUTPUT = re.compile(r"\A```output\n(.*?)\n```(?:\n|\Z)", re.DOTALL)
_FENCE = re.compile(r"[ \t]*(?:`{3,}|~{3,})[ \t]*\r?\n?")
_MAY_CLOSE = re.compile(r"[ \t]*(?:`*|~*)[ \t]*\r?\n?")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
LONGEST_FENCE = 1000
"""Characters of a line that closes a block; a longer one is taken for code."""
_TAG = re.compile(r"</?(?:think|thinking|thought|reasoning)>")


class CodeText:
    """The code of a block while it is written, without its fences. Linear in what it is given."""

    def __init__(self) -> None:
        self._said: list[str] = []
        """What the client knows."""
        self._held = ""
        """The beginning of a line that may close the block, or such a line; it is short."""
        self._first: list[str] | None = []
        """The line that opens the block, until it is all there."""
        self._indent = 0
        self._midline = False

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._said)

    def receive(self, text: str) -> str:
        """What of the code is certain by now."""
        if self._first is not None:
            first, end, text = text.partition("\n")
            self._first.append(first)
            if not end:
                return ""
            line, self._first = "".join(self._first), None
            self._indent = len(line) - len(line.lstrip(" "))
        return self._say("".join(map(self._certain, _LINE.findall(text))))

    def close(self) -> str:
        """The rest, but for a closing fence."""
        held, self._held = self._held, ""
        return "" if self._first is not None or _FENCE.fullmatch(held) else self._say(self._outdented(held))

    def _certain(self, piece: str) -> str:
        """What is certain with one more piece of a line, which may be its end."""
        if self._midline:
            self._midline = not piece.endswith("\n")
            return piece
        before = ""
        if self._held.endswith("\n"):  # it was a line, and not the last one
            before, self._held = self._outdented(self._held), ""
        self._held += piece
        if len(self._held) <= LONGEST_FENCE and _MAY_CLOSE.fullmatch(self._held):
            return before
        held, self._held = self._held, ""
        self._midline = not held.endswith("\n")
        return before + self._outdented(held)

    def _outdented(self, line: str) -> str:
        return line[min(self._indent, len(line) - len(line.lstrip(" "))) :]

    def _say(self, text: str) -> str:
        self._said.append(text)
        return text


@dataclass(frozen=True, slots=True)
class ResultText:
    """What a result says, in its parts."""

    logs: str
    """What the model reads, but for what marks it as a result in a text; empty where that is nothing."""
    images: Sequence[str]
    """Markdown of each image."""
    files: str
    """The lines with links: to the files that it made, and to its live page; empty where there are none."""


def result_text(said: str, kept: Sequence[str]) -> ResultText:
    """Take a result apart; `kept` are the host's Markdown of its images and its links to files.

    Only what is the host's own counts: a program may print what looks like it.
    """
    images = [markdown for markdown in kept if _IMAGE.search(markdown)]
    for markdown in images:
        said = said.replace(markdown.strip(), "", 1)
    lines = said.splitlines(keepends=True)
    ours = [any(each in line for each in kept) for line in lines]
    files = [_unbracketed(line.strip()) for line, its in zip(lines, ours, strict=True) if its]
    rest = "".join(line for line, its in zip(lines, ours, strict=True) if not its)
    return ResultText(_logs(rest), [markdown.strip() for markdown in images], "\n\n".join(files))


def addresses(markdown: str) -> list[str]:
    """The addresses of the images in Markdown of ours."""
    return _IMAGE.findall(markdown)


def without_tags(thought: str) -> str:
    """A thought without the tags around it."""
    return _TAG.sub("", thought)


def result_again(logs: str) -> str:
    """A result as it stood in the reply, or close to it."""
    logs = logs.rstrip()
    if not logs:
        return ""
    return f"{RESULT.strip()}\n```output\n{logs}\n```\n" if "\n" in logs else f"{RESULT}{logs}\n"


def _unbracketed(line: str) -> str:
    """A line without the brackets around all of it."""
    return line[1:-1] if line.startswith("(") and line.endswith(")") else line


def _logs(said: str) -> str:
    """What a result says to the model, without what marks it as one in a text."""
    rest = said.strip().removeprefix(RESULT.strip()).lstrip()
    fenced = _OUTPUT.match(rest)
    logs = f"{fenced[1]}\n{rest[fenced.end() :]}" if fenced else rest
    return f"{logs.rstrip()}\n" if logs.strip() else ""
