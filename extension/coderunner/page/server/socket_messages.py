"""The messages of a page's socket. Pure.

The page sends `{"t": "watch", "cell": ID}` and `{"t": "leave", "cell": ID}`; it gets `draw` with the whole
block, then `more` with what has changed since, or `gone` if it has no such block. Of a long piece that it has
already, such as code that is being written, it gets only what is new: `keep`, how many characters of its
beginning and of its end stay, as JavaScript counts them, and `new`, the text between.

`loaders` names what earlier blocks of the conversation loaded, which the block's frame runs first; the page
gets each by its name from a route. `omitted` is a sentence where there was too much of that.

`{"t": "whole", "cell": ID}` asks for the block's long texts in full, `part` for the shortened ones.

`{"t": "widgets", "cell": ID}` asks for the block's widgets: their messages go both ways as bytes, each after
the block's id and one byte with the length of that id.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from coderunner.page.html.active_output import EXECUTED, ActiveOutput, Boxed
from coderunner.page.html.block_html import Look
from coderunner.page.html.output_html import Drawn

_IDENTITY = re.compile(r"[\w-]{16,64}", re.ASCII)


def asked(message: object) -> tuple[str, str]:
    """What a page asks for, and of which block; two empty strings if the message is invalid."""
    match message:
        case {"t": ("watch" | "leave" | "widgets" | "whole" | "part") as what, "cell": str(cell)} if (
            _IDENTITY.fullmatch(cell)
        ):
            return what, cell
        case _:
            return "", ""


def addressed(identity: str, message: bytes) -> bytes:
    """A message of a block's widgets as it goes over the socket."""
    name = identity.encode("ascii")
    return bytes([len(name)]) + name + message


def opened(frame: bytes) -> tuple[str, bytes]:
    """The block that bytes from a page are for, and the message; both empty if they are invalid."""
    end = 1 + frame[0] if frame else 0
    name = frame[1:end].decode("ascii", "replace")
    return (name, frame[end:]) if _IDENTITY.fullmatch(name) else ("", b"")


def gone(identity: str) -> Mapping[str, object]:
    """The page has no such block."""
    return {"t": "gone", "cell": identity}


def drawing(identity: str, look: Look, before: Look | None) -> Mapping[str, object]:
    """What is new in a block since the page was sent how it looked `before`."""
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
        "loaders": look.loaders,
        "omitted": look.omitted,
    }


def text(message: Mapping[str, object]) -> str:
    """A message as JSON. Numbers that JSON does not have become null."""
    try:
        return json.dumps(message, allow_nan=False)
    except ValueError:
        # Python itself writes and reads them as NaN and Infinity.
        return json.dumps(json.loads(json.dumps(message), parse_constant=lambda _name: None))


def _pieces(look: Look) -> Mapping[str, Drawn]:
    first = _framed(look)
    shown = {str(index): _placed(drawn, index < first) for index, drawn in enumerate(look.pieces)}
    names = ("code", "files", "refused", "question", "read", "bar", "again")
    return {**{name: getattr(look, name) for name in names}, **shown}


def _placed(drawn: Drawn, in_page: bool) -> Drawn:  # noqa: FBT001 - one of two places
    return drawn.active if isinstance(drawn, Boxed) and not in_page else drawn


_REACHES = re.compile(rf"text/html|application/javascript|{EXECUTED.pattern}", re.ASCII)
"""Kinds whose scripts and styles may be meant for what other outputs of the block show."""


def _framed(look: Look) -> int:
    """The first output in the frame: the first active one and all after it, so that they keep their order.

    Where one may reach into others, so that they stand in one document, the first one that is in no text.
    """
    acts = [drawn.kind for drawn in look.pieces if isinstance(drawn, ActiveOutput)]
    kinds = (Boxed, ActiveOutput) if any(map(_REACHES.fullmatch, acts)) else ActiveOutput
    found = (index for index, drawn in enumerate(look.pieces) if acts and isinstance(drawn, kinds))
    return next(found, len(look.pieces))


def _part(piece: Drawn, known: Drawn | None) -> object:
    match piece:
        case ActiveOutput():
            return _data(piece)
        case Boxed(active, html, style):
            box = {"html": html, "style": style}
            # Cleaned it says the same, and is sent once.
            return {**_data(active), **({"data": None} if active.kind == HTML else {}), "box": box}
    return _spliced(piece, known) if isinstance(known, str) and len(known) > SHORT else piece


def _data(output: ActiveOutput) -> dict[str, object]:
    data = _named(output.data) if output.kind == JSON else output.data
    told = {"kind": output.kind, "data": data, "metadata": output.metadata, "plain": output.plain}
    return {**told, "instead": output.instead} if output.instead else told


HTML = "text/html"
JSON = "application/json"
"""The kind whose values a person reads one by one."""


def _named(value: object) -> object:
    """A JSON value for JavaScript, which rounds numbers and sorts names that are numbers.

    A number becomes its digits after an `n`; texts and names get an `s` in front.
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
"""Characters; a shorter piece is sent whole."""


def _spliced(piece: str, known: str) -> object:
    """What turns `known` into `piece`; `piece` itself if that is no longer."""
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
    """The length of a text in JavaScript."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
