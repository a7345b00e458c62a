"""What a person has defined: names, types, sizes and a few words of values, without running their code."""

import time
import types
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.control import question
    from coderunner.kernel.sessions.prelude.values import (
        SIZED,
        home,
        is_class,
        known_of,
        look_for_libraries,
        short,
        type_name,
    )

MOST = 1000
"""Variables in one answer."""
LONGEST = 200
"""Characters of a name; one that is longer is counted only."""
BUDGET, WAIT = 0.02, 0.2
"""Seconds of work, and of waiting for the program that runs, for what there is to say of values; of those
behind that the types only are said."""
TURN = 0.0005
"""Seconds of work after which a cell that has just begun may run: it would wait for five milliseconds."""
ABSENT = object()
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)


@question("variables")
def variables(match: str = "", limit: int = 500, names: "list[str] | None" = None) -> "dict[str, Any]":
    """Those whose name or type contains a text, the newest last; and how many more there are.

    With `names` those of these names.
    """
    look_for_libraries()
    match = match.lower()
    every = [pair for pair in defined() if match in f"{pair[0]}\n{type_name(type(pair[1]))}".lower()]
    if names is not None:
        every = [pair for pair in every if pair[0] in names]
    listed = every[-min(max(limit, 1), MOST) :]
    began = turn = time.thread_time()
    latest = time.monotonic() + WAIT
    told: list[dict[str, Any]] = []
    # The newest are the first to be looked at.
    for name, value in reversed(listed):
        worked = time.thread_time()
        if worked - turn > TURN:
            turn = worked
            time.sleep(0)
        look = worked - began < BUDGET and time.monotonic() < latest
        told.append({"name": name, **described(value, look=look)})
    return {"variables": told[::-1], "more": len(every) - len(told)}


@question("variable_count")
def variable_count() -> "dict[str, int]":
    """How many of them are data."""
    return {"data": sum(kind(value) == "data" for _, value in defined())}


def defined() -> "list[tuple[str, Any]]":
    """The names that a person has given, with their values; not those that IPython has."""
    shell: Any = get_ipython()
    hidden = shell.user_ns_hidden
    # One step of C: a cell that runs may define more meanwhile.
    pairs = list(shell.user_ns.items())
    return [
        (name, value)
        for name, value in pairs
        if type(name) is str
        and len(name) <= LONGEST
        and not name.startswith("_")
        and hidden.get(name, ABSENT) is not value
    ]


def described(value: Any, *, look: bool = True) -> "dict[str, Any]":
    """What a value is; without `look` its type only."""
    cls = type(value)
    said: dict[str, Any] = {"type": type_name(cls), "from": origin(value), "kind": kind(value)}
    if not look:
        return {**said, "cut": True}
    known = known_of(value)
    try:
        said["value"] = short(value)
        if id(cls) in SIZED:
            said |= {
                "shape": [len(value)],
                "bytes": getsizeof(value),
                "table": cls is list and records(value),
            }
        elif known is not None:
            said["shape"] = known.shape(value) if known.shape is not None else None
            said["bytes"] = known.size(value) if known.size is not None else None
            said["table"] = known.table is not None and known.table(value)
    except Exception as error:
        # It changes while it is looked at, or its library is at odds with itself.
        said["value"] = f"<not readable: {type_name(type(error))}>"
    return said


def origin(value: Any) -> str:
    """The package that a value's type comes from; of a class or a function its own."""
    if is_class(value):
        return home(value)
    if kind(value) == "function":
        module = value.__module__
        return module.partition(".")[0][:LONGEST] if type(module) is str else ""
    return home(type(value))


def kind(value: Any) -> str:
    """Whether it is data, or a part of a program."""
    if is_class(value):
        return "class"
    if type(value) is types.ModuleType:
        return "module"
    return "function" if any(type(value) is each for each in FUNCTIONS) else "data"


def records(value: "list[Any]") -> bool:
    """Whether a list looks like a table: its first items are dicts."""
    first = value[:20]
    return bool(first) and all(type(each) is dict for each in first)
