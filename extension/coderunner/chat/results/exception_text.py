"""An exception of a program in few words: what it is and where in the user's own code it came from."""

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from coderunner.chat.results import error_hints
from coderunner.outputs import Error
from coderunner.text.terminal_text import plain

# A traceback is read in pieces: a frame is short, and what is not is the message, which the error has anyway.
_PIECE = 20_000
# A recursion has a thousand frames that say the same.
_FIRST_FRAMES = 3
_LAST_FRAMES = 5
_SOURCE = 160
# What a cause says in full: a validation error of a dozen fields, and no page of a server.
_SAID = 30

# IPython's ultratb, since 8.0. The cell's number is that of its execution.
_RAISED = re.compile(r"(\S+)\s+Traceback \(most recent call last\)")
_OWN = re.compile(
    r"\s*(?:Cell In ?\[(?P<cell>\d+)\], line \d+|Input In \[(?P<old>\d+)\]|File \S*ipykernel_\d+/)"
    r"(?:.*?, in (?:[\w.<>]+\.<locals>\.)?(?P<name>[\w.]+|<\w+>)\()?"
)
_FOREIGN = re.compile(r"\s*File ")
_ARROW = re.compile(r"-+> ?(\d+) ?(.*)")
_LINKS = ("The above exception was the direct cause", "During handling of the above exception")
# Frames of their own up to Python 3.11, in the line of the frame before; IPython shows a wrong source there.
_WITHIN = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
# A magic that runs the rest of its cell, and the places in that by which IPython's magics call it.
_MAGIC = re.compile(r"get_ipython\(\)\.run_cell_magic\((.*)\)\s*")
_BELOW_MAGIC = re.compile(
    r"\s*File <(?P<file>timed exec|magic-timeit|string)>:(?P<line>\d+)(?:, in (?P<name>[\w.]+)\()?"
)
# A place in code that is no file of anybody: `eval`, `ast.parse`, an expression of pandas.
_PLACE = re.compile(r"\s*File (?P<name>[^\n]{1,200}?):(?P<line>\d+)(?: in [^\n]*)?\s*")
# The name that ipykernel gives to a cell's code in messages: it means nothing to a reader.
_CELL_FILE = re.compile(r" ?\((?:<\w+>|\S{1,80}\.py), line \d+\)$")

# The command that a `%%bash` cell runs is the cell itself; a list is one that the code made.
_OWN_COMMAND = re.compile(r"Command 'b[\"'].*' (returned non-zero exit status|died with)", re.DOTALL)

_SYNTAX = ("SyntaxError", "IndentationError", "TabError", "_IncompleteInputError")
_NOT_RUN = "nothing of this block ran"


@dataclass(slots=True)
class _Raised:
    """One exception of a chain."""

    name: str
    message: str = ""
    said: list[str] = field(default_factory=list)
    """The lines of its message in the traceback, and those of its notes."""
    frames: list[str] = field(default_factory=list)
    link: str = ""


def describe(error: Error, *, cell: int | None = None, began: bool = False) -> str:
    """The error for a model: the exceptions of its chain, each with the lines of user code that led to it.

    `cell` is the execution count of the cell, so that frames of earlier cells can be named as such; `began`:
    it had shown something before, as where a server has just put another process in place of an ended one.
    """
    message = plain(str(error.evalue)[:_PIECE])
    if not error.ename:
        return replace(error, evalue=message).headline
    if error.ename == "ERROR" and message.startswith("Error"):
        return message.rstrip("\n")  # R's are all called so
    if error.ename in _SYNTAX:
        said = f"{error.ename}: {_CELL_FILE.sub('', message)}"
        parts = [f"{said}; {_NOT_RUN}" if not began and _whole(error, cell) else said, *_caret(error, cell)]
    else:
        *before, last = _chain(error, cell) or [_Raised(error.ename)]
        parts = [line for raised in before for line in _lines(raised)]
        said = _OWN_COMMAND.sub(r"Command \1", message)
        # Of a command that is the cell, the place is the cell.
        frames = last.frames if said == message else []
        parts += _lines(_Raised(error.ename, _with_notes(said, message, last), frames=frames))
    return "\n".join(parts)


def _with_notes(said: str, message: str, last: _Raised) -> str:
    """What is said of an exception with that message: the traceback has its notes below it."""
    text = "\n".join(last.said)
    notes = text.removeprefix(message) if message and text.startswith(f"{message}\n") else ""
    return f"{said}{notes}"


def advice(error: Error) -> str:
    """What a model should know about the error beside itself: one line, or nothing."""
    return error_hints.hint(error.ename, plain(str(error.evalue)[:_PIECE]), _traceback(error))


def _lines(raised: _Raised) -> Iterator[str]:
    message = raised.message or _some(raised.said)
    yield f"{raised.name}: {message}" if message else raised.name
    repeated = [(frame, len(list(group))) for frame, group in groupby(raised.frames)]
    frames = [f"{frame} (×{times})" if times > 1 else frame for frame, times in repeated]
    left_out = len(frames) - _FIRST_FRAMES - _LAST_FRAMES
    if left_out > 1:
        frames = [*frames[:_FIRST_FRAMES], f"[… {left_out:,} frames left out …]", *frames[-_LAST_FRAMES:]]
    yield from (f"  {frame}" for frame in frames)
    if raised.link:
        yield raised.link


def _some(said: Sequence[str]) -> str:
    """The beginning of what a cause says."""
    left_out = len(said) - _SAID
    more = [f"[… {left_out:,} lines left out …]"] if left_out > 0 else []
    return "\n".join([*(line[:_SOURCE] for line in said[:_SAID]), *more])


def _traceback(error: Error) -> list[str]:
    """The lines of the traceback; of a very long one its beginning and its end."""
    pieces = [piece[:_PIECE] for piece in error.traceback if isinstance(piece, str)]
    return [line for piece in pieces for line in plain(piece).split("\n")]


def _chain(error: Error, cell: int | None) -> list[_Raised]:
    chain: list[_Raised] = []
    own: re.Match[str] | None = None
    place, says, magic, runs = "", False, "", ""
    for line in _traceback(error):
        if found := _RAISED.match(line):
            chain.append(_Raised(found[1]))
            place, says, magic, runs = "", False, "", ""
        elif not chain:
            continue
        elif line.startswith(_LINKS):
            chain[-1].link, says = line.strip(), False
        elif says:
            chain[-1].said.append(line)
        elif line.startswith(f"{chain[-1].name}:") or line == chain[-1].name:
            # Source stands behind numbers: at the start of a line it is the exception that says something.
            says = True
            chain[-1].said.append(line.removeprefix(chain[-1].name).removeprefix(":").removeprefix(" "))
        elif (found := _OWN.match(line)) or _FOREIGN.match(line):
            if magic and (below := _BELOW_MAGIC.match(line)) and runs in ("", below["file"]):
                # The first takes the place of the magic's own line.
                kept = len(chain[-1].frames) - (not runs)
                runs = below["file"]
                chain[-1].frames[kept:] = [_below(magic, below)]
            own = found
        elif found := _ARROW.match(line):
            before, place = place, f"{own['cell'] or own['old']}:{found[1]}" if own else ""
            if own and not (own["name"] in _WITHIN and place == before):
                chain[-1].frames.append(_frame(own, found[1], found[2], cell))
                magic = called[1] if (called := _MAGIC.fullmatch(found[2])) else ""
    for raised in chain:
        while raised.said and not raised.said[-1].strip():
            raised.said.pop()
    return chain


def _frame(own: re.Match[str], line: str, source: str, cell: int | None) -> str:
    number = int(own["cell"] or own["old"] or 0)
    other = bool(number) and cell is not None and number != cell
    earlier = "earlier block, " if other and cell is not None and number < cell else ""
    name = f", in {own['name']}" if own["name"] and own["name"] != "<module>" else ""
    # One with a later number was run by the cell itself: `%%capture`, `run_cell`.
    within = " of code that this block ran" if other and not earlier else ""
    return f"{earlier}line {line}{within}{name}: {source.strip()[:_SOURCE]}"


def _below(magic: str, place: re.Match[str]) -> str:
    """A line of what stands below a magic such as `%%time`, which is the first line of its cell."""
    source = ""
    with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
        source = ast.literal_eval(f"({magic},)")[-1].split("\n")[int(place["line"]) - 1]
    # What makes a function of the cell, as `%%timeit` does, is none of it.
    name = f", in {place['name']}" if place["name"] and place["file"] != "magic-timeit" else ""
    return f"line {int(place['line']) + 1}{name}: {source.strip()[:_SOURCE]}"


def _whole(error: Error, cell: int | None) -> bool:
    """Whether it is the cell itself that is no Python, not something that it ran.

    Then the place in the cell is the only one. A kernel runs a cell when the whole of it compiles.
    """
    lines = _traceback(error)
    own = [found for line in lines if (found := _OWN.match(line))]
    elsewhere = any(_FOREIGN.match(line) and not _OWN.match(line) for line in lines)
    number = own[0]["cell"] or own[0]["old"] if len(own) == 1 else None
    return len(own) == 1 and not elsewhere and (not number or cell is None or int(number) == cell)


def _caret(error: Error, cell: int | None) -> list[str]:
    """The line that is no Python with the caret below it, and the lines of user code that led there."""
    lines = _traceback(error)
    for at, line in enumerate(lines):
        if set(line.strip()) == {"^"} and at:
            *_, place = [(0, ""), *((n, each) for n, each in enumerate(lines[: at - 1]) if _placed(each))]
            led = [
                f"  {_frame(own, number[1], lines[n + 1], cell)}"
                for n, each in enumerate(lines[: place[0]])
                if (own := _OWN.match(each)) and (number := re.search(r"line (\d+)", each))
            ]
            return [*led, *_where(place[1], cell), lines[at - 1][:_SOURCE], line[:_SOURCE]]
    return []


def _placed(line: str) -> bool:
    return bool(_OWN.match(line) or _PLACE.fullmatch(line))


def _where(place: str, cell: int | None) -> list[str]:
    """The head above a line that is no Python."""
    if (own := _OWN.match(place)) and (found := re.search(r"line (\d+)", place)):
        return [f"  {_frame(own, found[1], '', cell).removesuffix(' ')}"]
    found = _PLACE.fullmatch(place)
    return [f"  {found['name']}, line {found['line']}:"] if found else []
