"""Hints: one line below an error that models make because they know scripts better than notebooks.

A table of what is known, and no more: where nothing certain can be said, nothing is.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coderunner.packages.names import OWN, missing_module, package_of

# A message has what matters in its first line or two.
_LONGEST = 2_000

_DEBUGGER = re.compile(r"[/\\](?:pdb|bdb|debugger)\.py\b")
_SHELL = re.compile(r"^[ \t]*(?:[\w, \t]+=[ \t]*)?!|^%%(?:bash|sh|script|cmd|powershell|!)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Row:
    """One mistake: the name of its error, words of its message, and what to do about it."""

    name: str
    words: str
    advice: str | Callable[[str, Sequence[str]], str]


def _install(message: str, _traceback: Sequence[str]) -> str:
    module = missing_module(message)
    top = module.partition(".")[0]
    if top in OWN:
        return f"there is no file {top}.py here; put its content into the code."
    name = package_of(module)
    return f"if it is needed, run `%pip install {name}` in a separate block." if name else ""


def _ask(_message: str, traceback: Sequence[str]) -> str:
    if any(_DEBUGGER.search(line) for line in traceback):
        return "a debugger cannot be used here; print what you want to know."
    return "nobody can answer input() here; put the values into the code."


_AWAIT = "an event loop is already running; use top-level `await`."

_TABLE = (
    _Row("RuntimeError", "asyncio.run() cannot be called", _AWAIT),
    _Row("RuntimeError", "event loop is already running", _AWAIT),
    _Row("RuntimeError", "while another loop is running", _AWAIT),
    _Row("SystemExit", "2", "there is no command line here; give argparse an explicit list of arguments."),
    _Row("StdinNotImplementedError", "", _ask),
    _Row("ModuleNotFoundError", "", _install),
    _Row("NameError", "name '__file__' is not defined", "a block is not a file; use Path.cwd()."),
)


def hint(name: str, message: str, traceback: Sequence[str] = ()) -> str:
    """One line about an error, without a line end; empty where there is nothing to say.

    `traceback` is what IPython wrote, as lines without colours.
    """
    message = message[:_LONGEST]
    for row in _TABLE:
        if row.name == name and row.words in message:
            advice = row.advice if isinstance(row.advice, str) else row.advice(message, traceback)
            return f"Hint: {advice}" if advice else ""
    return ""


def waits(code: str) -> str:
    """What to say of a cell that does not end, from its code; empty where that shows nothing."""
    return "a shell command that asks for input waits forever" if _SHELL.search(code) else ""
