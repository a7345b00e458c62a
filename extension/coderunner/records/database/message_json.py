"""The parts of a message as JSON and back. Pure.

Almost all that a reader saw of a reply stands in the text that the model gets, and is kept as its place
there: nothing is saved twice.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coderunner.outputs import Aftermath, Result, Status

Span = list[int] | str
"""Where a text begins and ends within another one, or the text itself."""


class Kind(StrEnum):
    """What a piece is."""

    PROSE = "prose"
    """Markdown that the model wrote."""
    THOUGHT = "thought"
    """What the model thought; the model does not get it again."""
    NOTICE = "notice"
    """A sentence of the host's: why the reply ended early."""
    BLOCK = "block"
    """A fence with code, as it stands in the reply."""
    FILE = "file"
    """A file that a person sent with a message: its path in the chat's folder."""


@dataclass(frozen=True, slots=True)
class MessagePart:
    """A part of a message, as a reader saw it."""

    kind: Kind
    text: str
    read: str = ""
    """Of a block: what the model read of its result, as it stands in the reply."""
    ordinal: int | None = None
    """Of a block: how many stand before it in the reply; None where its fence was never closed."""
    end: Result | None = None
    """Of a block that did not run: why, without outputs."""
    size: int = 0
    """Of a file: its bytes when it was sent."""
    facts: str | None = None
    """Of a file: what the model is told of what is in it; None where nobody has looked."""


def encode(pieces: Sequence[MessagePart], text: str) -> str:
    """The pieces of the message `text` as JSON in ASCII."""
    spelt, at = [], 0
    for piece in pieces:
        where, at = _place(piece.text, text, at)
        fields: dict[str, object] = {"kind": piece.kind, "text": where}
        if piece.kind is Kind.BLOCK:
            fields["read"], at = _place(piece.read, text, at)
            fields["ordinal"] = piece.ordinal
            fields["end"] = [piece.end.status, piece.end.aftermath, piece.end.detail] if piece.end else None
        if piece.kind is Kind.FILE:
            fields |= {"size": piece.size, "facts": piece.facts}
        spelt.append(fields)
    return json.dumps(spelt)


def decode(spelt: str, text: str) -> tuple[MessagePart, ...]:
    """The pieces that `encode` was given with *text*."""
    return tuple(_piece(fields, text) for fields in json.loads(spelt))


def _place(part: str, text: str, after: int) -> tuple[Span, int]:
    """Where `part` stands in `text`, and where to look for the next one."""
    start = text.find(part, after) if part else -1
    return (part, after) if start < 0 else ([start, start + len(part)], start + len(part))


def _piece(fields: dict[str, Any], text: str) -> MessagePart:
    kind, words = Kind(fields["kind"]), _words(fields["text"], text)
    if kind is Kind.FILE:
        return MessagePart(kind, words, size=fields["size"], facts=fields["facts"])
    if kind is not Kind.BLOCK:
        return MessagePart(kind, words)
    end = None
    if fields["end"] is not None:
        status, aftermath, detail = fields["end"]
        end = Result(status=Status(status), aftermath=Aftermath(aftermath), detail=detail)
    return MessagePart(kind, words, _words(fields["read"], text), fields["ordinal"], end)


def _words(span: Span, text: str) -> str:
    return span if isinstance(span, str) else text[slice(*span)]
