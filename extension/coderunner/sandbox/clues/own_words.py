"""What a cell prints or raises in words of its own, or of CodeRunner's: no system has said that. Pure."""

import re

_OURS = re.compile(r"\bThis block (?:may not|cannot)\b")
"""How our own sentences about refusals begin: who prints one again was refused nothing."""
_BEFORE = re.compile(r"\s*(?:-+>)?\s*(?:\d+\s+)?(?:[\w.]{1,100}: )?")
"""What a traceback puts before a line of the code, and before the text of an exception."""
_FILLED_IN = re.compile(r"(?:~|\.\.)?/[^\s'\"`:;,()<>|]{1,1000}")
"""A path, which code may have put into a sentence of its own."""


def is_own(line: str, source: str) -> bool:
    """Whether a line stands in the code itself, as it is: then it is no error, whatever it says."""
    if _OURS.search(line):
        return True
    pieces = [each.strip() for each in _FILLED_IN.split(_rest(line.strip()))]
    return any(pieces) and all(each in source for each in pieces)


def without_own(text: str, source: str, telling: re.Pattern[str]) -> str:
    """A text without those of its lines that tell of an error in words of the code itself."""
    if telling.search(text) is None:
        return text
    lines = text.split("\n")
    return "\n".join(line for line in lines if telling.search(line) is None or not is_own(line, source))


def _rest(line: str) -> str:
    begin = _BEFORE.match(line)
    return line[begin.end() :].strip() if begin else line
