"""What is kept of what a program shows: bounds on texts, MIME bundles and tracebacks.

Pure. A program may show anything, of any type and size; what is left out is counted.
"""

import json
import re
import unicodedata
from typing import Literal

from coderunner.outputs import NOTHING_OMITTED, TOOL_CALL, MimeBundle, Omission, Stream
from coderunner.secret_value import Secret
from coderunner.text import surrogates
from coderunner.text.json_reader import clipped

HEAD = 256 * 1024
"""Characters kept from the start of a long text: more than any reader reads."""
TAIL = 256 * 1024
"""Characters kept from its end, where the last words of a long run stand."""
MIME_TEXT = 8 * 1024 * 1024
"""Characters of one text in a MIME bundle: a large interactive plot has 5 million."""
MIME_BINARY = 32 * 1024 * 1024
"""Characters of base64 of one image or file: a 4000 × 4000 photograph as PNG."""
TRACEBACK = 64 * 1024
"""Characters of one traceback: a RecursionError has 189 000, nearly all the same line."""

PROMPT = 1000
"""Characters of the prompt of a question: a form is no place to read."""
LINE = 10_000
"""Characters of an answer: a key or a token has a few thousand."""

_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What colours a prompt, in a terminal."""

RATE_NOTICE = re.compile(
    r"IOPub (?:message|data) rate exceeded\.\n.{,400}`--\w+\.(iopub_(?:msg|data)_rate_limit)`.{,400}",
    re.DOTALL,
)
"""What Jupyter Server writes to a cell's stderr in place of the output that it drops."""

MIME_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,128}(;[\w.+= -]{0,64})?", re.ASCII)


class BoundedText:
    """The text of one stream while it grows: its head, its tail, and how much was left out between them."""

    __slots__ = ("_characters", "_head", "_lines", "_room", "_tail", "_tail_size", "name")

    def __init__(self, name: Literal["stdout", "stderr"], text: str) -> None:
        self.name = name
        self._characters = self._lines = 0
        self._room = HEAD
        self._head: list[str] = []
        self._tail: list[str] = []
        self._tail_size = 0
        self.add(text)

    def add(self, text: str) -> None:
        """Take more text; what is between head and tail is only counted."""
        if self._room:
            kept = text[: self._room]
            self._head.append(kept)
            self._room -= len(kept)
            text = text[len(kept) :]
        if text:
            self._tail.append(text)
            self._tail_size += len(text)
            # Cutting only at twice the size keeps the cost of a chunk constant on average.
            if self._tail_size > 2 * TAIL:
                self._cut()

    def _cut(self) -> None:
        tail = "".join(self._tail)
        lost = max(0, len(tail) - TAIL)
        self._characters += lost
        self._lines += tail.count("\n", 0, lost)
        self._tail = [tail[-TAIL:]]
        self._tail_size = len(self._tail[0])

    @property
    def size(self) -> int:
        """Characters kept."""
        return HEAD - self._room + self._tail_size

    def value(self) -> Stream:
        """Return what is kept, and how much is not."""
        if self._tail_size > TAIL:
            self._cut()
        self._head = ["".join(self._head)]
        omitted = Omission(HEAD, self._lines, self._characters) if self._characters else NOTHING_OMITTED
        return Stream(self.name, self._head[0] + "".join(self._tail), omitted)


def bundle_of(data: object) -> MimeBundle:
    """Return a MIME bundle with only what is well formed and not too large.

    What was too large is named in the plain text, which is what there is to see of it.
    """
    bundle: dict[str, object] = {}
    too_large: list[str] = []
    for key, value in data.items() if isinstance(data, dict) else ():
        if isinstance(key, str) and MIME_TYPE.fullmatch(key) and key != TOOL_CALL and len(bundle) < 32:
            value = _joined(key, value)
            checked = _mime(key, value)
            if checked is not None:
                bundle[key] = checked
            elif isinstance(value, str):
                too_large.append(f"[{key} with {len(value):,} characters is too large to show]")
            elif _is_json(key) and value is not None:
                too_large.append(f"[{key} is too large to show]")
    if too_large:
        plain = bundle.get("text/plain")
        # An object's address says nothing that stands beside this.
        said = [plain] if isinstance(plain, str) and not _ADDRESS.fullmatch(plain.strip()) else []
        bundle["text/plain"] = "\n".join([*said, *too_large])
    return bundle


_ADDRESS = re.compile(r"<[\w.]{1,200} object>|<[^<>\n]{1,200} at 0x[0-9a-fA-F]+>")


def _joined(key: str, value: object) -> object:
    """Text as it is: nbformat allows a list of lines wherever it has text."""
    if isinstance(value, list) and not _is_json(key) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value


def _mime(key: str, value: object) -> object:
    if isinstance(value, str):
        binary = key.startswith(("image/", "audio/", "video/")) and not key.startswith("image/svg")
        if len(value) <= (MIME_BINARY if binary else MIME_TEXT):
            return surrogates.whole(value)
        return None if binary or "html" in key or "svg" in key else shorten(surrogates.whole(value), HEAD)
    if _is_json(key) and value is not None:
        value = clipped(value)
        return value if len(json.dumps(value)) <= MIME_TEXT else None
    return None


def _is_json(key: str) -> bool:
    return key.split(";")[0].endswith("json")


def size_of(bundle: MimeBundle) -> int:
    """Estimate the size of a MIME bundle, in characters."""
    return sum(len(value) if isinstance(value, str) else 1024 for value in bundle.values())


def shorten(text: str, limit: int) -> str:
    """Keep the head of a text, with a line that says how much is left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n… {len(text) - limit:,} characters left out …\n"


def prompt_of(text: str) -> str:
    """Return a prompt as a form may show it: no colours, nothing invisible, head and tail of a long one."""
    text = _TERMINAL.sub("", surrogates.whole(text))
    if len(text) > PROMPT:
        text = f"{text[: PROMPT // 2]} … {text[-PROMPT // 2 :]}"
    return "".join(_visible(character) for character in text.expandtabs(4).strip("\r\n"))


def line_of(answer: Secret) -> Secret:
    """Return what a program gets of an answer: the first line, since it asked for one."""
    return Secret(re.split(r"[\r\n]", answer.reveal()[:LINE], maxsplit=1)[0])


def _visible(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character != "\n"
    return f"\\u{ord(character):04x}" if hidden else character


def traceback_of(lines: object) -> tuple[str, ...]:
    """Give a traceback's frames, head and tail of a very long one: the first frame and the last say most."""
    frames = (
        [surrogates.whole(line) for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    )
    if sum(map(len, frames)) <= TRACEBACK:
        return tuple(frames)
    # A RecursionError's traceback comes as a few strings of thousands of lines: cut by lines then.
    each = "\n".join(frames).split("\n")
    head, tail = _within(each, TRACEBACK // 2), _within(each[::-1], TRACEBACK // 2)[::-1]
    left_out = len(each) - len(head) - len(tail)
    return (*head, f"… {left_out:,} lines left out …", *tail)


def _within(lines: list[str], limit: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        limit -= len(line) + 1
        if limit < 0:
            break
        kept.append(line)
    return kept
