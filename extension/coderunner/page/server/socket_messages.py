"""What goes over a page's socket, as JSON. Pure.

The page says `{"t": "watch", "cell": ID}` and `{"t": "leave", "cell": ID}`;it gets `draw` with
all of a block, then `more` with what has changed since, or `gone` where it has no such block. Of a long piece
that it was told before, as code that is being written, only what is new comes: `keep`, how many characters of
its beginning and of its end stay, as JavaScript counts, and `new`, what stands between.

`{"t": "whole", "cell": ID}` has long texts of the block drawn to their end, `part` as at first.

With `{"t": "widgets", "cell": ID}` it asks for the block's widgets: parcels of theirs go both ways as bytes,
each behind the block's id and one byte that says how long that is.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from coderunner.page.html.active_output import ActiveOutput
from coderunner.page.html.block_html import Look
from coderunner.page.html.output_html import Drawn

_IDENTITY = re.compile(r"[\w-]{16,64}", re.ASCII)


def asked(message: object) -> tuple[str, str]:
    """What a page wants, and of which block; two empty texts where that is nonsense."""
    match message:
        case {"t": ("watch" | "leave" | "widgets" | "whole" | "part") as what, "cell": str(cell)} if (
            _IDENTITY.fullmatch(cell)
        ):
            return what, cell
        case _:
            return "", ""


def addressed(identity: str, parcel: bytes) -> bytes:
    """A parcel of a block's widgets as it goes over the socket."""
    name = identity.encode("ascii")
    return bytes([len(name)]) + name + parcel


def opened(frame: bytes) -> tuple[str, bytes]:
    """The block that bytes from a page are for, and the parcel; two empties where they are nonsense."""
    end = 1 + frame[0] if frame else 0
    name = frame[1:end].decode("ascii", "replace")
    return (name, frame[end:]) if _IDENTITY.fullmatch(name) else ("", b"")


def gone(identity: str) -> Mapping[str, object]:
    """There is no such block for this page."""
    return {"t": "gone", "cell": identity}


def drawing(identity: str, look: Look, before: Look | None) -> Mapping[str, object]:
    """What is new in a block since a page was told how it looked `before`."""
    now, then = _whole(look), _whole(before) if before is not None else {}
    shown, known = _pieces(look), _pieces(before) if before is not None else {}
    return {
        "t": "draw" if before is None else "more",
        "cell": identity,
        **{name: value for name, value in now.items() if name not in then or then[name] != value},
        "parts": {
            name: _part(piece, known.get(name)) for name, piece in shown.items() if known.get(name) != piece
        },
    }


def _whole(look: Look) -> Mapping[str, object]:
    return {
        "mood": look.mood,
        "level": "scripts" if look.scripts else "still",
        "outputs": len(look.pieces),
        "framed": _framed(look),
    }


def text(message: Mapping[str, object]) -> str:
    """A message as JSON. A program's numbers may be none that JSON has: those become null."""
    try:
        return json.dumps(message, allow_nan=False)
    except ValueError:
        # Python itself writes and reads them by names.
        return json.dumps(json.loads(json.dumps(message), parse_constant=lambda _name: None))


def _pieces(look: Look) -> Mapping[str, Drawn]:
    shown = {str(index): drawn for index, drawn in enumerate(look.pieces)}
    names = ("code", "question", "read", "bar", "again")
    return {**{name: getattr(look, name) for name in names}, **shown}


def _framed(look: Look) -> int:
    """The first output that is in the frame: from the first that acts on, so that they keep their order."""
    acts = (index for index, drawn in enumerate(look.pieces) if isinstance(drawn, ActiveOutput))
    return next(acts, len(look.pieces))


def _part(piece: Drawn, known: Drawn | None) -> object:
    if isinstance(piece, ActiveOutput):
        data = _named(piece.data) if piece.kind == JSON else piece.data
        return {"kind": piece.kind, "data": data, "metadata": piece.metadata, "plain": piece.plain}
    return _spliced(piece, known) if isinstance(known, str) and len(known) > SHORT else piece


JSON = "application/json"
"""The kind whose values a person reads one by one."""


def _named(value: object) -> object:
    """A value of JSON for JavaScript, which rounds numbers, and sorts names that are numbers.

    A number is its digits behind an `n`, and a text stands behind an `s`, as names do.
    """
    whole: dict[str, object] = {}
    left: list[tuple[Any, object, object]] = [(whole, "", value)]
    # Not by calling itself: values are nested deeper than Python calls.
    while left:
        holder, key, each = left.pop()
        match each:
            case bool() | None:
                holder[key] = each
            case int() | float():
                holder[key] = f"n{json.dumps(each)}"
            case Mapping():
                holder[key] = made = {f"s{name}": None for name in each}
                left += [(made, f"s{name}", inner) for name, inner in each.items()]
            case list() | tuple():
                holder[key] = places = [None] * len(each)
                left += [(places, place, inner) for place, inner in enumerate(each)]
            case _:
                holder[key] = f"s{each}"
    return whole[""]


SHORT = 100
"""Characters; a shorter piece is told whole."""


def _spliced(piece: str, known: str) -> object:
    """What makes `piece` of `known`; itself where that is no shorter."""
    longest = min(len(piece), len(known))
    head = _most(longest, lambda size: piece.startswith(known[:size]))
    tail = _most(longest - head, lambda size: piece.endswith(known[len(known) - size :]))
    if head + tail < SHORT:
        return piece
    new = piece[head : len(piece) - tail]
    return {"keep": [_units(piece[:head]), _units(piece[len(piece) - tail :])], "new": new}


def _most(longest: int, holds: Callable[[int], bool]) -> int:
    """The largest size up to `longest` for which that holds, as it does for all smaller ones."""
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _units(text: str) -> int:
    """How long a text is for JavaScript."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
