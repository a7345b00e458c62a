"""Terminal text as safe HTML: ANSI colours become spans, everything else is escaped or made visible."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from coderunner.text.cursor_up import settled
from coderunner.text.readable_colours import Colour, css, rgb

_ESCAPE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"  # colours and weights
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other control sequences: moving, erasing
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # strings for devices
    r"|\x1b[ -/]*[0-~]?"  # everything else that starts with ESC
)

# Invisible characters that hide or reorder text (Unicode TR36); shown by their code point.
_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_MOVES = re.compile(r"[\r\b]|[^\r\b]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


@dataclass(frozen=True, slots=True)
class _Style:
    """The text style at one point: a class for each named colour, a CSS value for each exact one."""

    foreground: str = ""
    background: str = ""
    exact_foreground: Colour | None = None
    exact_background: Colour | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underlined: bool = False

    def tag(self) -> str:
        names = [
            name
            for name in (
                self.foreground and f"cr-ink-{self.foreground}",
                self.background and f"cr-paper-{self.background}",
                "cr-bold" if self.bold else "",
                "cr-faint" if self.faint else "",
                "cr-italic" if self.italic else "",
                "cr-under" if self.underlined else "",
            )
            if name
        ]
        ink, paper = self.exact_foreground, self.exact_background
        # On a ground of its own, text is as the program chose both.
        inked = css(ink) if ink and not paper and not self.background else ink and rgb(ink)
        style = "".join(
            f"{name}:{value};"
            for name, value in (("color", inked), ("background", paper and rgb(paper)))
            if value
        )
        tag = f' class="{" ".join(names)}"' if names else ""
        return f"<span{tag}" + (f' style="{style}"' if style else "") + ">"


_PLAIN = _Style()


def html(text: str) -> str:
    """Give `text` as HTML that shows what a terminal would show, and can do nothing else.

    Costs time in proportion to the text.
    """
    style, lines = _PLAIN, []
    for line in settled(text).split("\n"):
        line = line.rstrip("\r")
        read = _moved if "\r" in line or "\b" in line else _written
        spans, style = read(line, style)
        lines.append("".join(_span(written, piece) for written, piece in spans))
    return "\n".join(lines)


def plain(text: str) -> str:
    """Give `text` without its colours."""
    return _ESCAPE.sub("", text)


_Span = tuple[_Style, str]


def _written(line: str, style: _Style) -> tuple[list[_Span], _Style]:
    """The spans of a line, and the style at its end."""
    spans = []
    for piece, codes in _split(line):
        spans.append((style, piece))
        style = style if codes is None else _after_sgr(style, codes)
    return spans, style


def _moved(line: str, style: _Style) -> tuple[list[_Span], _Style]:
    """The same with backspaces and carriage returns applied, as a progress bar expects."""
    cells: list[_Span] = []
    cursor = 0
    spans, end = _written(line, style)
    for style, piece in spans:
        for move in _MOVES.findall(piece):
            if move == "\r":
                cursor = 0
            elif move == "\b":
                cursor = max(cursor - 1, 0)
            else:
                cells[cursor : cursor + len(move)] = [(style, character) for character in move]
                cursor += len(move)
    same = groupby(cells, key=lambda cell: cell[0])
    return [(style, "".join(character for _, character in run)) for style, run in same], end


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """Split at each escape sequence: the text before it, and its codes if it sets the style."""
    start = 0
    for match in _ESCAPE.finditer(text):
        yield text[start : match.start()], match["sgr"]
        start = match.end()
    yield text[start:], None


def _span(style: _Style, text: str) -> str:
    shown = _visible(escape(text, quote=False))
    return shown if style == _PLAIN or not text else f"{style.tag()}{shown}</span>"


def _visible(text: str) -> str:
    text = _CONTROL.sub(lambda match: f'<span class="cr-control">{_symbol(match[0])}</span>', text)
    return _INVISIBLE.sub(lambda match: f'<span class="cr-control">U+{ord(match[0]):04X}</span>', text)


def _symbol(control: str) -> str:
    # The symbols of the C0 controls begin at U+2400.
    code = ord(control)
    return chr(0x2400 + code) if code < 0x20 else ("␡" if code == 0x7F else f"U+{code:04X}")


def _after_sgr(style: _Style, codes: str) -> _Style:
    """The style after one SGR sequence (ECMA-48, 8.3.117; colours as xterm has them)."""
    numbers = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", codes)] if codes else [0]
    numbers = numbers[:32]
    while numbers:
        number = numbers.pop(0)
        match number:
            case 0:
                style = _PLAIN
            case 1:
                style = replace(style, bold=True)
            case 2:
                style = replace(style, faint=True)
            case 3:
                style = replace(style, italic=True)
            case 4:
                style = replace(style, underlined=True)
            case 22:
                style = replace(style, bold=False, faint=False)
            case 23:
                style = replace(style, italic=False)
            case 24:
                style = replace(style, underlined=False)
            case 38 | 48:
                style = _with_exact_colour(style, numbers, foreground=number == 38)
            case _:
                style = _with_named_colour(style, number)
    return style


def _with_named_colour(style: _Style, number: int) -> _Style:
    """The style after a named colour; an unknown number changes nothing."""
    tens, ones = divmod(number, 10)
    if tens in (3, 4) and ones == 9:
        return (
            replace(style, foreground="", exact_foreground=None)
            if tens == 3
            else replace(style, background="", exact_background=None)
        )
    if tens not in (3, 4, 9, 10) or ones > 7:
        return style
    name = _NAMES[ones]
    return (
        replace(style, foreground=name, exact_foreground=None)
        if tens in (3, 9)
        else replace(style, background=name, exact_background=None)
    )


def _with_exact_colour(style: _Style, numbers: list[int], *, foreground: bool) -> _Style:
    """The style after `38;5;n` or `38;2;r;g;b`; removes the parameters from `numbers`."""
    kind = numbers.pop(0) if numbers else 0
    taken, numbers[:] = (
        (numbers[:1], numbers[1:])
        if kind == 5
        else (numbers[:3], numbers[3:])
        if kind == 2
        else ([], numbers)
    )
    if kind == 5 and taken and taken[0] < 16:
        name = _NAMES[taken[0] % 8]
        return (
            replace(style, foreground=name, exact_foreground=None)
            if foreground
            else replace(style, background=name, exact_background=None)
        )
    red, green, blue = _cube(taken[0]) if kind == 5 and taken else (*taken, 0, 0, 0)[:3]
    if not taken:
        return style
    colour = (min(red, 255), min(green, 255), min(blue, 255))
    return (
        replace(style, foreground="", exact_foreground=colour)
        if foreground
        else replace(style, background="", exact_background=colour)
    )


def _cube(index: int) -> tuple[int, int, int]:
    """One of xterm's 256 colours: a cube of 6 × 6 × 6, then 24 greys."""
    if index >= 232:
        grey = 8 + 10 * (min(index, 255) - 232)
        return grey, grey, grey
    index -= 16
    steps = (0, 95, 135, 175, 215, 255)
    return steps[index // 36], steps[index // 6 % 6], steps[index % 6]
