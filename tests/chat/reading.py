"""What the tests of this room share: the cells of a reply, the corpus, markdown-it's word on a document."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from coderunner.chat.parsing.fence_parser import (
    Code,
    Event,
    FenceAbandoned,
    FenceClosed,
    FenceOpened,
    FenceParser,
    Text,
)
from coderunner.chat.parsing.reply_parser import ReplyParser
from coderunner.chat.runnable_block import RunnableBlock

CORPORA = Path(__file__).parent.parent / "corpora"


@dataclass(frozen=True, slots=True)
class Fence:
    """A fence as a reader sees it, with line ends and NUL as CommonMark normalises them."""

    info: str
    code: str
    closed: bool


def read(pieces: Iterable[str]) -> list[Event]:
    """The events of a reply that arrives in these pieces; neighbours of the same kind are joined."""
    parser = FenceParser()
    events = [event for piece in pieces for event in parser.receive(piece)]
    return joined([*events, *parser.close()])


def joined(events: Iterable[Event]) -> list[Event]:
    whole: list[Event] = []
    for event in events:
        match whole[-1:], event:
            case [Text(before)], Text(text):
                whole[-1] = Text(before + text)
            case [Code(before, code)], Code(text, more):
                whole[-1] = Code(before + text, code + more)
            case _:
                whole.append(event)
    return whole


def fences(text: str) -> list[Fence]:
    """The fences that we see."""
    found: list[Fence] = []
    for event in read([text]):
        match event:
            case FenceOpened(info=info):
                found.append(Fence(normal(info), "", closed=False))
            case Code(code=code):
                found[-1] = Fence(found[-1].info, found[-1].code + normal(code), closed=False)
            case FenceClosed():
                found[-1] = Fence(found[-1].info, found[-1].code, closed=True)
            case Text() | FenceAbandoned():
                pass
    return [trimmed(fence) for fence in found]


def fences_of_markdown_it(text: str) -> list[Fence]:
    """The fences outside of block quotes that a plain parse of the whole document finds."""
    lines = normal(text).split("\n")
    found: list[Fence] = []
    quotes = 0
    for token in MarkdownIt("commonmark", {"maxNesting": 100}).parse(text):
        quotes += token.nesting * (token.type in ("blockquote_open", "blockquote_close"))
        if token.type == "fence" and token.map and not quotes:
            start, end = token.map
            last = lines[end - 1].strip(" \t") if start + 1 < end <= len(lines) else ""
            complete = not token.content or token.content.endswith("\n")
            closed = (
                last.strip(token.markup[0]) == ""
                and len(last) >= len(token.markup)
                and token.content.count("\n") == end - start - 2
                and complete
            )
            found.append(trimmed(Fence(token.info.strip(" \t"), token.content, closed=closed)))
    return found


def trimmed(fence: Fence) -> Fence:
    """Without the blank end of an unclosed fence, of which parsers may think as they like."""
    return fence if fence.closed else Fence(fence.info, fence.code.rstrip("\n \t"), closed=False)


def normal(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd")


def cells(pieces: Sequence[str], *, thinking: bool = False) -> list[str]:
    """The code that a turn would run if each result were empty."""
    reader, block = ReplyParser(thinking=thinking), RunnableBlock()
    events = [event for piece in pieces for event in reader.receive(piece)]
    return [cell.source for event in [*events, *reader.close()] if (cell := block.follow(event))]


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the corpus; see its README."""

    title: str
    reply: str
    prompted: bool
    runs: list[str]


_WRITTEN = {"␍␤\n": "\r", "␍": "\r", "␉": "\t", "␄\n": "", "␄": ""}


def corpus() -> Iterator[Case]:
    for path in sorted((CORPORA / "fences").glob("*.md")):
        if path.stem == "README":
            continue
        for section in path.read_text(encoding="utf-8").split("\n## ")[1:]:
            head, reply, runs = re.split(r"^(?:<<<|>>>)\n", section, maxsplit=2, flags=re.MULTILINE)
            title, *notes = head.splitlines()
            expected = [line for line in runs.splitlines() if line]
            assert expected == ["nothing runs"] or all(line.startswith("runs ") for line in expected), title
            yield Case(
                f"{path.stem}: {title}",
                _reply(reply),
                "prompted" in notes,
                [json.loads(line.removeprefix("runs ")) for line in expected if line != "nothing runs"],
            )


def _reply(written: str) -> str:
    for sign, character in _WRITTEN.items():
        written = written.replace(sign, character)
    return re.sub(r"⟨U\+([0-9A-F]{4,6})⟩", lambda found: chr(int(found[1], 16)), written)


def commonmark_examples() -> list[str]:
    examples: list[str] = json.loads((CORPORA / "commonmark-fences.json").read_text(encoding="utf-8"))[
        "inputs"
    ]
    return examples
