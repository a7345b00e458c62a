"""What a line of Markdown begins, looked at from its first character that is no white space.

The patterns of HTML blocks are markdown-it's own; the others say what its rules say.
"""

import re

from markdown_it.rules_block.html_block import HTML_SEQUENCES

SPECIAL = frozenset("`~>*-_+<#=[0123456789")
"""A line that begins with anything else begins nothing but a paragraph."""

FENCE = re.compile(r"`{3,}(?=[^`]*\Z)|~{3,}")
HEADING = re.compile(r"#{1,6}(?:[ \t]|\Z)")
RULE = re.compile(r"(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})\Z")
UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*\Z")
MARKER = re.compile(r"(?:[-+*]|(?P<number>[0-9]{1,9})[.)])(?=[ \t]|\Z)")
_SPACE = re.compile(r"[ \t]*")

BLANK_ENDS = 5
"""HTML blocks of this kind and of later ones end at a blank line."""
_INTERRUPTS = [sequence[2] for sequence in HTML_SEQUENCES]
# All in one, so that a line is looked at once. Each of markdown-it's begins with `^`; ours match in mid-text.
_HTML = re.compile(
    "|".join(
        f"(?P<kind{kind}>(?{'i' if begins.flags & re.IGNORECASE else ''}:{begins.pattern.removeprefix('^')}))"
        for kind, (begins, *_) in enumerate(HTML_SEQUENCES)
    )
)
_KINDS = {f"kind{kind}": kind for kind in range(len(HTML_SEQUENCES))}


def indentation(text: str) -> tuple[int, int]:
    """Where the white space at the beginning of a line ends, and how wide it is."""
    if not text or text[0] not in " \t":
        return 0, 0
    end = skip(text, 0)
    return end, len(text[:end].expandtabs(4))


def skip(text: str, position: int) -> int:
    """Where the white space at the position ends."""
    found = _SPACE.match(text, position)
    return found.end() if found else position


def html(text: str, position: int) -> int | None:
    """The kind of the HTML block that begins at the position, counted from 0 as in CommonMark 4.6."""
    found = _HTML.match(text, position)
    return _KINDS[found.lastgroup or ""] if found else None


def html_ends(kind: int, text: str) -> bool:
    """Whether a line that is not blank ends an HTML block of that kind."""
    return HTML_SEQUENCES[kind][1].search(text) is not None


def item(text: str, position: int, *, interrupts: bool) -> re.Match[str] | None:
    """The list marker at the position, if an item begins there.

    One that interrupts a paragraph begins with the number one, and not with a blank line.
    """
    found = MARKER.match(text, position)
    if found is None or not interrupts:
        return found
    number = found["number"]
    if (number is not None and int(number) != 1) or skip(text, found.end()) == len(text):
        return None
    return found


def interrupts(
    text: str, position: int, column: int, indent: int, list_indent: int, *, paragraph: bool
) -> bool:
    """Whether a block begins there that ends what may go on lazily: a paragraph, or something else.

    `column` is that of the position, `indent` that of the block which goes on, `list_indent` that of the
    innermost list, or -1.
    """
    if column - indent >= 4:
        return False
    match text[position]:
        case "`" | "~":
            return FENCE.match(text, position) is not None
        case ">":
            return True
        case "#":
            return HEADING.match(text, position) is not None
        case "<":
            kind = html(text, position)
            return kind is not None and _INTERRUPTS[kind]
        case "-" | "*" | "_" if RULE.match(text, position):
            return True
        case first if first in SPECIAL:
            if list_indent >= 0 and column - list_indent >= 4 and column < indent:
                return False
            return item(text, position, interrupts=paragraph and column >= indent) is not None
        case _:
            return False
