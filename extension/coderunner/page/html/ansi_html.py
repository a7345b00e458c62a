"""A terminal's text as safe HTML: ANSI colours become spans, all else is escaped or made visible."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from coderunner.text.terminal_cursor import settled

_ESCAPE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"  # colours and weights
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other control sequences: moving, erasing
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # strings for devices
    r"|\x1b[ -/]*[0-~]?"  # everything else that starts with ESC
)

# Invisible to a reader, yet they hide text or turn it around (Unicode TR36): shown by their number.
_INVISIBLE = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
_MOVES = re.compile(r"[\r\b]|[^\r\b]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


@dataclass(frozen=True, slots=True)
class _Pen:
    """How the terminal writes at the moment: a class for each named colour, a style for each exact one."""

    ink: str = ""
    paper: str = ""
    exact_ink: str = ""
    exact_paper: str = ""
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underlined: bool = False

    def open(self) -> str:
        names = [
            name
            for name in (
                self.ink and f"cr-ink-{self.ink}",
                self.paper and f"cr-paper-{self.paper}",
                "cr-bold" if self.bold else "",
                "cr-faint" if self.faint else "",
                "cr-italic" if self.italic else "",
                "cr-under" if self.underlined else "",
            )
            if name
        ]
        style = "".join(
            f"{name}:{value};"
            for name, value in (("color", self.exact_ink), ("background", self.exact_paper))
            if value
        )
        tag = f' class="{" ".join(names)}"' if names else ""
        return f"<span{tag}" + (f' style="{style}"' if style else "") + ">"


_PLAIN = _Pen()


def html(text: str) -> str:
    """Give `text` as HTML that shows what a terminal would show, and can do nothing else.

    Costs time in proportion to the text.
    """
    pen, lines = _PLAIN, []
    for line in settled(text).split("\n"):
        line = line.rstrip("\r")
        read = _moved if "\r" in line or "\b" in line else _written
        spans, pen = read(line, pen)
        lines.append("".join(_span(written, piece) for written, piece in spans))
    return "\n".join(lines)


def plain(text: str) -> str:
    """Give `text` without its colours."""
    return _ESCAPE.sub("", text)


_Span = tuple[_Pen, str]


def _written(line: str, pen: _Pen) -> tuple[list[_Span], _Pen]:
    """The line as it is written from left to right, and the pen at its end."""
    spans = []
    for piece, codes in _pieces(line):
        spans.append((pen, piece))
        pen = pen if codes is None else _turned(pen, codes)
    return spans, pen


def _moved(line: str, pen: _Pen) -> tuple[list[_Span], _Pen]:
    """The same with backspaces and carriage returns carried out, as a progress bar expects."""
    cells: list[_Span] = []
    cursor = 0
    spans, end = _written(line, pen)
    for pen, piece in spans:
        for move in _MOVES.findall(piece):
            if move == "\r":
                cursor = 0
            elif move == "\b":
                cursor = max(cursor - 1, 0)
            else:
                cells[cursor : cursor + len(move)] = [(pen, character) for character in move]
                cursor += len(move)
    same = groupby(cells, key=lambda cell: cell[0])
    return [(pen, "".join(character for _, character in run)) for pen, run in same], end


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """Cut at each escape sequence: the text before it, and its codes where it sets the pen."""
    start = 0
    for match in _ESCAPE.finditer(text):
        yield text[start : match.start()], match["sgr"]
        start = match.end()
    yield text[start:], None


def _span(pen: _Pen, text: str) -> str:
    shown = _visible(escape(text, quote=False))
    return shown if pen == _PLAIN or not text else f"{pen.open()}{shown}</span>"


def _visible(text: str) -> str:
    text = _CONTROL.sub(lambda match: f'<span class="cr-control">{_picture(match[0])}</span>', text)
    return _INVISIBLE.sub(lambda match: f'<span class="cr-control">U+{ord(match[0]):04X}</span>', text)


def _picture(control: str) -> str:
    # U+2400 and following are the pictures of the C0 controls.
    code = ord(control)
    return chr(0x2400 + code) if code < 0x20 else ("␡" if code == 0x7F else f"U+{code:04X}")


def _turned(pen: _Pen, codes: str) -> _Pen:
    """The pen after one SGR sequence (ECMA-48, 8.3.117; colours as xterm has them)."""
    numbers = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", codes)] if codes else [0]
    numbers = numbers[:32]
    while numbers:
        number = numbers.pop(0)
        match number:
            case 0:
                pen = _PLAIN
            case 1:
                pen = replace(pen, bold=True)
            case 2:
                pen = replace(pen, faint=True)
            case 3:
                pen = replace(pen, italic=True)
            case 4:
                pen = replace(pen, underlined=True)
            case 22:
                pen = replace(pen, bold=False, faint=False)
            case 23:
                pen = replace(pen, italic=False)
            case 24:
                pen = replace(pen, underlined=False)
            case 38 | 48:
                pen = _exactly(pen, numbers, ink=number == 38)
            case _:
                pen = _coloured(pen, number)
    return pen


def _coloured(pen: _Pen, number: int) -> _Pen:
    """The pen after one of the named colours; what we do not know changes nothing."""
    tens, ones = divmod(number, 10)
    if tens in (3, 4) and ones == 9:
        return replace(pen, ink="", exact_ink="") if tens == 3 else replace(pen, paper="", exact_paper="")
    if tens not in (3, 4, 9, 10) or ones > 7:
        return pen
    name = _NAMES[ones]
    return (
        replace(pen, ink=name, exact_ink="") if tens in (3, 9) else replace(pen, paper=name, exact_paper="")
    )


def _exactly(pen: _Pen, numbers: list[int], *, ink: bool) -> _Pen:
    """The pen after `38;5;n` or `38;2;r;g;b`; takes its parameters out of `numbers`."""
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
        return replace(pen, ink=name, exact_ink="") if ink else replace(pen, paper=name, exact_paper="")
    red, green, blue = _cube(taken[0]) if kind == 5 and taken else (*taken, 0, 0, 0)[:3]
    if not taken:
        return pen
    colour = f"rgb({min(red, 255)},{min(green, 255)},{min(blue, 255)})"
    return replace(pen, ink="", exact_ink=colour) if ink else replace(pen, paper="", exact_paper=colour)


def _cube(index: int) -> tuple[int, int, int]:
    """One of xterm's 256 colours: a cube of 6 × 6 × 6, then 24 greys."""
    if index >= 232:
        grey = 8 + 10 * (min(index, 255) - 232)
        return grey, grey, grey
    index -= 16
    steps = (0, 95, 135, 175, 215, 255)
    return steps[index // 36], steps[index // 6 % 6], steps[index % 6]
