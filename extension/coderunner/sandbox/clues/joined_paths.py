"""The paths that code puts together from a folder and names in it. Pure, and linear in what it reads.

Code that catches an error often tells neither path nor reason; then only its text says what it looked for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST = 40
"""Variables with a path that are kept in mind."""

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

_ASSIGNED = re.compile(rf"[ \t]*(?:(?:const|let|var|local)[ \t]+)?({_NAME})[ \t]*(?:=(?!=)|<-)[ \t]*(.*)")
_START = re.compile(rf"(?:[\w.]{{1,40}}\(\s?)?{_BASE}")
_PLACE = re.compile(r"~(?:/|$)|/")
_PART = re.compile(_QUOTED)
_WORD = re.compile(_NAME)


@dataclass(frozen=True, slots=True)
class Joined:
    """A path that code puts together, and a line in which it is used."""

    path: str
    line: str


def joined(source: str) -> Iterator[Joined]:
    """The paths that code puts together, in its order; again in each line where a variable stands for one."""
    known: dict[str, str] = {}
    made: set[str] = set()
    """Variables whose path was put together."""
    for line in source.split("\n"):
        found = list(dict.fromkeys(_in_line(line, known)))
        yield from (Joined(path, line) for path in found)
        assigned = _ASSIGNED.match(line)
        used = made.intersection(_WORD.findall(assigned[2] if assigned else line))
        yield from (Joined(known[name], line) for name in sorted(used))
        if assigned and len(known) < MOST:
            name, value = assigned[1], _value(assigned[2], found, known)
            known.pop(name, None)
            made.discard(name)
            if value:
                known[name] = value
                made.update([name] if found else [])


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
    text = quoted.lstrip("rbfuRBFU")[1:-1]
    return text if _PLACE.match(text) else ""
