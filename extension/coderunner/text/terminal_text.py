"""Text that was written to a terminal, as a reader would have seen it there, with nothing left invisible."""

import re

from coderunner.text.cursor_up import settled
from coderunner.text.surrogates import INVISIBLE

# ECMA-48: control sequences, operating system commands, the other strings, and two-character escapes. Erasing
# to the end of a line is kept for `_fold`.
_ERASE = r"\x1b\[[02]?K"
_ANSI = re.compile(
    rf"(?!{_ERASE})(?:[\x1b][\[][0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~])"
)
_ERASURES = re.compile(_ERASE)
_MOVES = re.compile(rf"{_ERASE}|[\r\b]|[^\r\b\x1b]+|\x1b")

_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def plain(text: str) -> str:
    """The text without ANSI sequences, with carriage returns and backspaces applied, and all of it visible.

    Lines end in a line feed. Control characters become their pictures (␛), other invisible ones an escape as
    Python writes it. Costs time in proportion to the text.
    """
    text = settled(text)
    if "\x1b" in text or "\x9b" in text:
        text = _ANSI.sub("", text)
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_fold, text.split("\n")))
    return visible(_ERASURES.sub("", text) if "\x1b" in text else text)


def visible(text: str) -> str:
    """The text with every character that a reader would not see replaced by one that says what it is."""
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub(_picture, text)


def visible_line(text: str) -> str:
    """The same in one line, as a name has to be that may be anything."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def _fold(line: str) -> str:
    """What stands on a terminal's line after all movements on it: progress bars write over themselves."""
    line = line.rstrip("\r")
    if "\r" not in line and "\b" not in line:
        return line
    shown: list[str] = []
    cursor = 0
    for move in _MOVES.findall(line):
        if move == "\r":
            cursor = 0
        elif move == "\b":
            cursor = max(cursor - 1, 0)
        elif move.endswith("K") and move.startswith("\x1b"):
            shown[cursor if move != "\x1b[2K" else 0 :] = [" "] * (cursor if move == "\x1b[2K" else 0)
        else:
            shown[cursor : cursor + len(move)] = move
            cursor += len(move)
    return "".join(shown).rstrip(" ") if "\x1b[" in line else "".join(shown)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
