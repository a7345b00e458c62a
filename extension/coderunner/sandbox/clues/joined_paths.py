"""The paths that code puts together from a folder and names in it, or gives a name. Pure, and linear.

Code that catches an error often tells neither path nor reason; then only its text says what it looked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from coderunner.sandbox.clues.statements import statements

MOST = 40
"""Variables with a path that are kept in mind."""
LONGEST = 2_000
"""Characters of a line that may be several statements."""

_QUOTED = r"\w{0,2}(?:'[^'\n]{1,300}'|\"[^\"\n]{1,300}\")"
_HOME = (
    r"(?:pathlib\.)?Path\.home\(\)",
    r"(?:os\.path\.|path\.)?expand(?:user)?\(\s?['\"]~['\"]\s?\)",
    r"(?:pathlib\.)?Path\(\s?['\"]~['\"]\s?\)(?:\.expanduser\(\))?",
    r"os\.environ\[\s?['\"]HOME['\"]\s?\]",
    r"(?:os\.getenv|os\.environ\.get|Sys\.getenv)\(\s?['\"]HOME['\"]\s?\)",
    r"(?:os\.)?homedir\(\)",
    r"(?:process\.env\.|Deno\.env\.get\(['\"])HOME(?:['\"]\))?",
    r"ENV\[\s?['\"]HOME['\"]\s?\]",
)
"""How programs of several languages ask for the home folder."""
_WRAPPED = rf"(?:[\w.]{{1,40}}\(\s?)?({_QUOTED})\s?\)?(?:\.expanduser\(\))?"
"""A path as it is, or as the one thing that a call is given."""
_NAME = r"[A-Za-z_]\w{0,60}"
_BASE = rf"(?<![\w.])(?:({'|'.join(_HOME)})|({_NAME})|{_WRAPPED})"

_CHAINED = re.compile(rf"{_BASE}\)?((?:\s?/\s?{_QUOTED})+)")
_ADDED = re.compile(rf"{_BASE}((?:\s?\+\s?{_QUOTED})+)")
_CALLED = re.compile(rf"(?:join|file\.path|\bPath)\(\s?(?:str\(\s?)?{_BASE}\)?((?:\s?,\s?{_QUOTED})+)")
_METHOD = re.compile(rf"{_BASE}\.joinpath\(((?:\s?,?\s?{_QUOTED})+)")
_FILLED = re.compile(rf"\{{{_BASE}\}}((?:/[\w .,+@%-]{{1,100}}){{1,20}})")
_OF_SHELL = re.compile(r"(\$\{?HOME\}?)()()((?:/[\w.,+@%-]{1,100}){1,20})")
_FORMS = ((_CHAINED, "/"), (_CALLED, "/"), (_METHOD, "/"), (_ADDED, ""))
"""How paths are put together, and what comes between the parts."""

_ASSIGNED = re.compile(
    rf"[ \t]*(?:(?:const|let|var|local)[ \t]+)?({_NAME})[ \t]*(?::[^=\n]{{1,40}})?(?:=(?!=)|<-)[ \t]*(.*)"
)
_START = re.compile(rf"(?:[\w.]{{1,40}}\(\s?)?{_BASE}")
_NAMED = re.compile(
    rf"(?:(?:[\w.]{{1,40}}\.)?(?:expand(?:user)?|path\.expand|\w{{0,40}}Path|(?:abs|real|norm)path|fspath|str|resolve)"
    rf"\(\s*){{0,3}}({_QUOTED})[\s)]*(?:\.(?:expanduser|resolve|absolute|as_posix)\(\s*\)[\s)]*)*(?:;|#|\Z)"
)
"""A path as it is, or in calls that give a path again: who has its name has the path."""
_SAID = re.compile(r"(?:\.write(?:lines)?|print|\bcat)\([^()\n]{0,400}\)")
"""Calls that write their text, not to where it leads."""
_COPIED = re.compile(rf"\bcopy\w*\([^,\n]{{1,300}},\s?(?:str\(\s?)?({_NAME})\b")
_PLACE = re.compile(r"~(?:/|$)|/")
_PART = re.compile(_QUOTED)
_WORD = re.compile(_NAME)


@dataclass(frozen=True, slots=True)
class Joined:
    """A path that code puts together, and a line in which it is used."""

    path: str
    line: str
    copied: bool = False
    """It is where something is copied to."""


def joined(source: str) -> Iterator[Joined]:
    """The paths that code puts together, in its order; again in each line where a variable stands for one.

    A variable may also stand for a path that is written as it is: that is yielded where it is used alone.
    """
    known: dict[str, str] = {}
    made: set[str] = set()
    """Variables that stand for a path."""
    for line in (part.strip() for each in statements(source) for part in _parts(each)):
        found = list(dict.fromkeys(_in_line(line, known)))
        yield from (Joined(path, line) for path in found)
        assigned = _ASSIGNED.match(line)
        used = made.intersection(_WORD.findall(_SAID.sub("", assigned[2] if assigned else line)))
        yield from (Joined(known[name], line, name in _COPIED.findall(line)) for name in sorted(used))
        if assigned and len(known) < MOST:
            name, value = assigned[1], _value(assigned[2], found, known)
            stands = bool(found or _NAMED.match(assigned[2]) or assigned[2].strip() in made)
            known.pop(name, None)
            made.discard(name)
            if value:
                known[name] = value
                made.update([name] if stands else [])


def _parts(statement: str) -> Iterator[str]:
    """What stands in one line, side by side; a text with a semicolon in it is taken apart, too."""
    yield from statement.split(";") if len(statement) <= LONGEST else [statement]


def _in_line(line: str, known: Mapping[str, str]) -> Iterator[str]:
    for form, between in _FORMS:
        for each in form.finditer(line):
            if base := _base(each, known):
                parts = (part.lstrip("rbfuRBFU")[1:-1] for part in _PART.findall(each[4]))
                yield between.join((base.rstrip("/") if between else base, *parts))
    for form in (_FILLED, _OF_SHELL):
        for each in form.finditer(line):
            if base := "~" if form is _OF_SHELL else _base(each, known):
                yield base.rstrip("/") + each[4].rstrip()


def _value(text: str, found: list[str], known: Mapping[str, str]) -> str:
    """What a variable stands for from now on; empty where that is no path."""
    if found and text.startswith(("f'", 'f"')):
        return found[0]
    if named := _NAMED.match(text):
        return _place(named[1])
    start = _START.match(text)
    if start is None or not (base := _base(start, known)):
        return ""
    return found[0] if found and found[0].startswith(base) else base


def _base(found: re.Match[str], known: Mapping[str, str]) -> str:
    """The folder that a path begins with; empty where the text is no path."""
    home, name, quoted = found[1], found[2], found[3]
    if home:
        return "~"
    if name:
        return known.get(name, "")
    return _place(quoted)


def _place(quoted: str) -> str:
    text = quoted.lstrip("rbfuRBFU")[1:-1]
    return text if _PLACE.match(text) else ""
