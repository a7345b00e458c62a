"""Native tool calling: one tool that runs code, whose calls become blocks of the reply. Pure.

A call is invisible to the reader, and to the model as well once the client has sent the reply back as text.
So it is written into the reply as the block that it stands for, and run as any other block is.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coderunner.languages import PYTHON, Language, tool_name
from coderunner.text.surrogates import SurrogateJoiner, paired

NAME = "run_python"


def tool(language: Language = PYTHON) -> Mapping[str, object]:
    """The tool, as a request has it."""
    return {
        "type": "function",
        "function": {
            "name": tool_name(language),
            "description": f"Run {language.title} in this conversation's Jupyter kernel, which keeps all "
            "variables. Print what you want to see.",
            "parameters": {
                "type": "object",
                "properties": {"code": {"type": "string", "description": f"The {language.title} program."}},
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


def called(fragments: Sequence[object], language: Language = PYTHON) -> Call | None:
    """The first call in the fragments of a stream; None where there is none, or none that can be read.

    Several at once are one after the other: the model makes the next when it has read what came of the first.
    """
    first = next(iter(joined(fragments)), None)
    code = _code(first["function"]["arguments"]) if first else None
    if first is None or code is None:
        return None
    function = {**first["function"], "name": first["function"].get("name") or tool_name(language)}
    wire = {**first, "id": first.get("id") or "call_1", "function": function}
    return Call(wire, block(code, language))


def block(code: str, language: Language = PYTHON) -> str:
    """The code as a block, whose fence is longer than all that look like it in there."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`{3,}", code))])
    return f"{fence}{language.fence}\n{code.rstrip()}\n{fence}\n"


class Fragments:
    """Joins characters that come in halves, in two fragments of the arguments of one call."""

    def __init__(self) -> None:
        self._joiners: dict[str, tuple[object, SurrogateJoiner]] = {}
        """By the index of their call as text: a server may send anything as one."""

    def receive(self, fragments: Sequence[object]) -> Sequence[object]:
        """Take fragments as they came; returns them with whole characters."""
        return tuple(self._joined(fragment) for fragment in fragments)

    def close(self) -> Sequence[object]:
        """The calls have ended; give what was held of them."""
        held = [(index, joiner.close()) for index, joiner in self._joiners.values()]
        return tuple({"index": index, "function": {"arguments": rest}} for index, rest in held if rest)

    def _joined(self, fragment: object) -> object:
        function = fragment.get("function") if isinstance(fragment, Mapping) else None
        if not isinstance(fragment, Mapping) or not isinstance(function, Mapping):
            return fragment
        arguments = function.get("arguments")
        if not isinstance(arguments, str):
            return fragment
        index = fragment.get("index")
        text = self._joiners.setdefault(str(index), (index, SurrogateJoiner()))[1].receive(arguments)
        return fragment if text == arguments else {**fragment, "function": {**function, "arguments": text}}


def joined(fragments: Sequence[object]) -> list[dict[str, Any]]:
    """The calls of tools that `fragments` of a stream are the pieces of, fields that we do not know kept."""
    calls: list[_Pieces] = []
    latest: dict[str, _Pieces] = {}
    for fragment in fragments:
        if not isinstance(fragment, Mapping):
            continue
        index = str(fragment.get("index"))
        if index not in latest or not _belongs(fragment, latest[index].call):
            latest[index] = _Pieces()
            calls.append(latest[index])
        latest[index].add(fragment)
    return [each.whole() for each in calls]


class _Pieces:
    """One call so far."""

    def __init__(self) -> None:
        self.call: dict[str, Any] = {"type": "function", "function": {"arguments": ""}}
        self._arguments: list[str] = []

    def add(self, fragment: Mapping[str, object]) -> None:
        given = fragment.get("function")
        function = given if isinstance(given, Mapping) else {}
        self.call |= {
            name: value for name, value in fragment.items() if name not in ("index", "function") and value
        }
        self.call["function"] |= {
            name: value for name, value in function.items() if name != "arguments" and value
        }
        self._arguments.append(_text(function.get("arguments")))

    def whole(self) -> dict[str, Any]:
        self.call["function"]["arguments"] = "".join(self._arguments)
        return self.call


def _belongs(fragment: Mapping[str, object], call: Mapping[str, object]) -> bool:
    """Whether a fragment goes on with a call; some servers give all the same index and others an id."""
    return not fragment.get("id") or call.get("id") in (None, fragment["id"])


def _text(arguments: object) -> str:
    """Arguments as JSON; some servers send them as an object."""
    if isinstance(arguments, str):
        return arguments
    return json.dumps(arguments) if isinstance(arguments, Mapping) else ""


def _code(arguments: str) -> str | None:
    """The code in a call's arguments; small models forget the JSON around it."""
    try:
        value = json.loads(paired(arguments), strict=False)
    except ValueError:
        # What begins as JSON and ends in its midst was cut off, and half a program is none.
        value = None if arguments.lstrip().startswith("{") else arguments
    except RecursionError:
        return None
    code = value.get("code") if isinstance(value, dict) else value
    return code if isinstance(code, str) and code.strip() else None
