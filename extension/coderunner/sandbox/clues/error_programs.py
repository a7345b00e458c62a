"""Other programs of this machine that a cell tried to reach, by its errors and its code. Pure, and linear.

Nobody names them in a usual way: an error of a connection says neither address nor port, so the code has to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from coderunner.outputs import Error, Result, Stream
from coderunner.sandbox.clues.own_words import without_own
from coderunner.text.terminal_text import plain

T = TypeVar("T")

LONGEST = 20_000
"""Characters of an error, or of the code, that are read."""
LATEST = 40
"""Outputs that are read: what ended the cell is among the last."""
MOST = 3
"""Of each kind, those that are looked for."""

_NOT_CONNECTED = re.compile(
    r"Connection refused|Connection error|ConnectError|ECONNREFUSED|Errno (?:99|101|111)\b|\bError 111\b"
    r"|actively refused|Network is unreachable|Cannot assign requested|Connect call failed"
    r"|(?:Failed to|(?:ca|could ?)n(?:no|')?t) connect"
    # Of a file, the path follows.
    r"|\[Errno 13\] Permission denied(?!: )",
    re.IGNORECASE,
)
"""What programs say where nobody answers at a port, or may not be asked."""
_NOT_SIGNALLED = re.compile(
    r"No such process|NoSuchProcess|\[Errno 1\] Operation not permitted(?!: )|AccessDenied|ESRCH"
    r"|Operation not permitted",
    re.IGNORECASE,
)
"""The same of processes."""

_TELLING = re.compile(rf"{_NOT_CONNECTED.pattern}|{_NOT_SIGNALLED.pattern}|permission denied", re.IGNORECASE)

_BINDS = re.compile(r"\bbind\(|\blisten\(|_server\(|to bind on|addr='tcp:")
"""The line that was run where a program wants to listen on a port, and what some say of it."""
_DENIED = re.compile(r"permission denied(?!: ')", re.IGNORECASE)

_HERE = r"(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|0\.0\.0\.0|::1)"
_PORT = re.compile(
    rf"(?<![\w.]){_HERE}\]?['\"]?(?: \([\d.:]{{3,40}}\))?"
    r"(?:\s?:\s?|\s?,\s?(?:port\s?[=:]?\s?)?|\sport\s)(\d{1,5})(?!\d)"
)
"""An address of this machine with a port, as URLs, tuples, arguments and the errors of libraries have it."""
_USUAL = re.compile(rf"\b(http|https)://{_HERE}\]?(?=[/'\"\s]|$)")
_ADDRESS = re.compile(r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?![\w.])")
_PROCESS = re.compile(
    r"\b(?:kill|killpg|pidfd_open|prlimit|ptrace|Process|getpgid|setpriority|sched_setaffinity)\("
    r"(?:[^()\n]{0,80}?[ ,(])??(\d{1,7})(?=[ ,)])"
    r"|\bkill (?:-\w{1,9} )?(\d{1,7})\b|\bkill: \((\d{1,7})\)|\bpid=(\d{1,7})\b"
)
"""How code and errors name a process by its number."""
_PARENT = re.compile(r"\bgetppid\(\)")


@dataclass(frozen=True, slots=True)
class Sought:
    """What a cell tried to reach in vain."""

    ports: tuple[int, ...] = ()
    """Of this machine."""
    addresses: tuple[str, ...] = ()
    """Of others, which were not reached by a name."""
    processes: tuple[int, ...] = ()
    parent: bool = False
    """The process that started the kernel."""
    listens: bool = False
    """It wanted to listen on a port."""

    def __bool__(self) -> bool:
        return bool(self.ports or self.addresses or self.processes or self.parent or self.listens)


def sought(result: Result, source: str) -> Sought:
    """What a cell tried to reach of other programs, as far as it failed."""
    source = source[:LONGEST]
    errors = [without_own(text, source, _TELLING) for text in _errors(result)]
    found = Sought()
    if any(_NOT_CONNECTED.search(text) for text in errors):
        texts = [*(text for text in errors if _NOT_CONNECTED.search(text)), source]
        addresses = (name for text in texts for name in _ADDRESS.findall(text))
        found = Sought(_some(_ports(texts)), _some(name for name in addresses if _is_elsewhere(name)))
    if any(_NOT_SIGNALLED.search(text) for text in errors):
        texts = [*(text for text in errors if _NOT_SIGNALLED.search(text)), source]
        numbers = (int("".join(groups)) for text in texts for groups in _PROCESS.findall(text))
        found = Sought(found.ports, found.addresses, _some(numbers), bool(_PARENT.search(source)))
    return replace(found, listens=any(_BINDS.search(text) and _DENIED.search(text) for text in errors))


def _some(found: Iterator[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(found))[:MOST]


def _ports(texts: list[str]) -> Iterator[int]:
    for text in texts:
        yield from (port for each in _PORT.findall(text) if 0 < (port := int(each)) < 65_536)
        yield from ({"http": 80, "https": 443}[scheme] for scheme in _USUAL.findall(text))


def _is_elsewhere(address: str) -> bool:
    parts = [int(each) for each in address.split(".")]
    return all(each < 256 for each in parts) and parts[0] not in (0, 127) and parts[0] < 224


def _errors(result: Result) -> Iterator[str]:
    for output in result.outputs[-LATEST:]:
        match output:
            case Error(ename, evalue, traceback):
                yield f"{ename}: {evalue[:LONGEST]}"
                # The library's own exception says less than the one that caused it.
                yield plain("\n".join(traceback)[-LONGEST:])
            case Stream(text=text):
                yield text[-LONGEST:]
