"""Native tool calling: one tool that runs Python, whose calls become blocks of the reply. Pure.

A call is invisible to the reader, and to the model as well once the client has sent the reply back as text.
So it is written into the reply as the block that it stands for, and run as any other block is.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAME = "run_python"

RUN_PYTHON: Mapping[str, object] = {
    "type": "function",
    "function": {
        "name": NAME,
        "description": "Run Python in this conversation's Jupyter kernel, which keeps all variables. "
        "Print what you want to see.",
        "parameters": {
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The Python program."}},
            "required": ["code"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the tool."""

    wire: Mapping[str, object]
    """As the model sent it, with all fields: some APIs want their own back."""
    block: str
    """The same as a block of the reply."""


def called(fragments: Sequence[object]) -> Call | None:
    """The first call in the fragments of a stream; None where there is none, or none that can be read.

    Several at once are one after the other: the model makes the next when it has read what came of the first.
    """
    first = next(iter(joined(fragments)), None)
    code = _code(first["function"]["arguments"]) if first else None
    if first is None or code is None:
        return None
    function = {**first["function"], "name": first["function"].get("name") or NAME}
    wire = {**first, "id": first.get("id") or "call_1", "function": function}
    return Call(wire, block(code))


def block(code: str) -> str:
    """The code as a block, whose fence is longer than all that look like it in there."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", code))])
    return f"{fence}python\n{code.rstrip()}\n{fence}\n"


def joined(fragments: Sequence[object]) -> list[dict[str, Any]]:
    """The calls of tools that `fragments` of a stream are the pieces of, fields that we do not know kept."""
    calls: list[tuple[object, dict[str, Any]]] = []
    for fragment in fragments:
        if not isinstance(fragment, Mapping):
            continue
        if not _belongs(fragment, calls):
            calls.append((fragment.get("index"), {"type": "function", "function": {"arguments": ""}}))
        call = next(call for index, call in reversed(calls) if index == fragment.get("index"))
        given = fragment.get("function")
        function = given if isinstance(given, Mapping) else {}
        call |= {
            name: value for name, value in fragment.items() if name not in ("index", "function") and value
        }
        its = call["function"]
        its |= {name: value for name, value in function.items() if name != "arguments" and value}
        its["arguments"] += _text(function.get("arguments"))
    return [call for _, call in calls]


def _belongs(fragment: Mapping[str, object], calls: Sequence[tuple[object, dict[str, Any]]]) -> bool:
    """Whether a fragment goes on with a call; some servers give all the same index and others an id."""
    known = [call.get("id") for index, call in calls if index == fragment.get("index")]
    return bool(known) and (not fragment.get("id") or known[-1] in (None, fragment["id"]))


def _text(arguments: object) -> str:
    """Arguments as JSON; some servers send them as an object."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments) if isinstance(arguments, Mapping) else ""


def _code(arguments: str) -> str | None:
    """The code in a call's arguments; small models forget the JSON around it."""
    try:
        value = json.loads(arguments, strict=False)
    except ValueError:
        # What begins as JSON and ends in its midst was cut off, and half a program is none.
        value = None if arguments.lstrip().startswith("{") else arguments
    except RecursionError:
        return None
    code = value.get("code") if isinstance(value, dict) else value
    return code if isinstance(code, str) and code.strip() else None
