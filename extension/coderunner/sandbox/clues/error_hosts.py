"""The hosts that a cell could not find, by its errors and its code. Pure, and linear in what it reads.

A library that heeds no proxy asks for the address itself, where there is nobody to ask.
"""

import re
from collections.abc import Iterator, Set

from coderunner.outputs import Error, Result, Stream
from coderunner.sandbox.clues.own_words import without_own

LONGEST = 20_000
"""Characters of an error, or of the code, that are read."""
LATEST = 40
"""Outputs that are read: what ended the cell is among the last."""
MOST = 3
"""Hosts that are told."""

_UNFOUND = re.compile(
    r"name resolution|Name or service not known|nodename nor servname|Network is unreachable"
    r"|getaddrinfo failed|No address associated|could ?n[o']t resolve host|failed to resolve|UnknownHost"
    r"|\bENOTFOUND\b|EAI_AGAIN|failed to lookup address",
    re.IGNORECASE,
)
"""What programs say where no address is found, or no way to it."""

_PROXY = re.compile(r"\b(?:cannot be found|cannot be looked up): ")
"""What the egress proxy says of a host that it was asked for, and that is not there."""

_NAME = r"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})(?![\w.-])"
_TOLD = re.compile(
    rf"(?:host(?:name)?[ =:]{{1,3}}|resolve[ :]{{1,2}}(?:host: )?|connect to (?:host )?)['\"]?{_NAME}"
)
_URL = re.compile(rf"\b(?:https?|wss?|ftp)://{_NAME}")
_QUOTED = re.compile(rf"['\"]{_NAME}['\"]")


def unfound(result: Result, source: str, known: Set[str] = frozenset()) -> list[str]:
    """The hosts that a program looked for by itself: those that errors name, else those that code names.

    Not those that are `known` to have been asked for through the proxy.
    """
    told = (without_own(text, source[:LONGEST], _UNFOUND) for text in _errors(result))
    errors = [text for text in told if _UNFOUND.search(text) and not _PROXY.search(text)]
    if not errors:
        return []
    for pattern, texts in ((_TOLD, errors), (_URL, [*errors, source]), (_QUOTED, [source])):
        named = (name.lower() for text in texts for name in pattern.findall(text[:LONGEST]))
        if found := [name for name in dict.fromkeys(named) if name not in known]:
            return found[:MOST]
    return []


def _errors(result: Result) -> Iterator[str]:
    for output in result.outputs[-LATEST:]:
        match output:
            case Error(ename, evalue):
                yield f"{ename}: {evalue[:LONGEST]}"
            case Stream("stderr" | "stdout", text):
                yield text[-LONGEST:]
