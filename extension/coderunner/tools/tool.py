"""A tool as code sees it: a function, with parameters and documentation made from its schema. Pure."""

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from coderunner.text.terminal_text import visible, visible_line

Schema = Mapping[str, object]

LONGEST_TYPE, LONGEST_DEFAULT, LONGEST_DOC = 80, 40, 4_000
"""Characters of what is told of one parameter, and of one tool."""
RESERVED = frozenset({"ToolError", "self"})
CLIENTS = "A tool of the program that the user chats with."
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool."""

    name: str
    """As code writes it."""
    key: str
    """As the server knows it."""
    kind: str
    """Its type in words of Python's; empty where nothing is said."""
    required: bool
    default: str = ""
    """What it is where it is not given, as code; empty where that is not said."""

    def __str__(self) -> str:
        told = f"{self.name}: {self.kind}" if self.kind else self.name
        if self.required:
            return told
        return f"{told} = {self.default or '...'}" if self.kind else f"{told}={self.default or '...'}"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of one server."""

    name: str
    """As code writes it: `tools.name(…)`."""
    key: str
    """As its server knows it."""
    server: str
    """Empty where the client of a chat has it, which answers its calls itself."""
    summary: str = ""
    about: str = ""
    schema: Schema = field(default_factory=dict)
    output: Schema | None = None
    """The schema of what it gives, where the server says it."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its arguments, those first that have to be given."""
        known = self.schema.get("properties")
        needed = self.schema.get("required")
        needed = needed if isinstance(needed, list) else []
        each = known.items() if isinstance(known, Mapping) else ()
        names = _apart([identifier(str(key)) for key, _ in each])
        found = [
            Parameter(name, str(key), kind_of(schema), key in needed, _default(schema))
            for name, (key, schema) in zip(names, each, strict=True)
        ]
        return tuple(sorted(found, key=lambda parameter: not parameter.required))

    @property
    def open(self) -> bool:
        """It takes arguments that its schema does not name."""
        more = self.schema.get("additionalProperties", not self.parameters)
        return more is not False

    @property
    def returns(self) -> str:
        """The type of what it gives; empty where nothing is said."""
        if self.output is None:
            return ""
        return kind_of(unwrapped(self.output) or self.output)

    @property
    def signature(self) -> str:
        """How it is called, on one line."""
        told = [*map(str, self.parameters), *(["**more"] if self.open else [])]
        return f"{self.name}({', '.join(told)})" + (f" -> {self.returns}" if self.returns else "")

    @property
    def documentation(self) -> str:
        """What `help` says of it."""
        lines = [self.about]
        known = self.schema.get("properties")
        described = known if isinstance(known, Mapping) else {}
        for each in self.parameters:
            schema = described.get(each.key)
            said = schema.get("description") if isinstance(schema, Mapping) else None
            lines += [f"{each.name}: {visible_line(said)}"] if isinstance(said, str) else []
        lines.append(f"A tool of the server {self.server}." if self.server else CLIENTS)
        return "\n\n".join(filter(None, lines))[:LONGEST_DOC]


def unwrapped(schema: Schema) -> Schema | None:
    """The schema of the one value in an object that only carries it as `result`; else None."""
    known = schema.get("properties")
    if not isinstance(known, Mapping) or set(known) != {"result"}:
        return None
    inner = known["result"]
    return inner if isinstance(inner, Mapping) else None


def identifier(name: str) -> str:
    """A name that code can write."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_")[:60] or "tool"
    plain = f"tool_{plain}" if plain[0].isdigit() else plain
    return f"{plain}_" if keyword.iskeyword(plain) or plain in RESERVED else plain


def named(tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """The tools with a name each: where two have the same one, that of their server stands before it."""
    count = Counter(identifier(tool.key) for tool in tools)
    names = [
        plain if count[plain := identifier(tool.key)] == 1 else identifier(f"{tool.server}_{tool.key}")
        for tool in tools
    ]
    return tuple(replace(tool, name=name) for tool, name in zip(tools, _apart(names), strict=True))


def beside(theirs: Sequence[Tool], tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """The tools of a client with a name each: `client_` stands before one that `tools` have already."""
    taken = [tool.name for tool in tools]
    names = [f"client_{plain}" if (plain := identifier(tool.key)) in taken else plain for tool in theirs]
    free = _apart([*taken, *names])[len(taken) :]
    return tuple(replace(tool, name=name) for tool, name in zip(theirs, free, strict=True))


def described(text: object) -> tuple[str, str]:
    """The first sentence of a server's description, and all of it; a stranger's text, made visible."""
    if not isinstance(text, str) or not text.strip():
        return "", ""
    about = visible(text.strip())[:LONGEST_DOC]
    first = visible_line(re.split(r"(?<=[.!?])\s|\n\s*\n", about, maxsplit=1)[0])
    return (first if len(first) <= 120 else f"{first[:119]}…"), about


def kind_of(schema: object) -> str:
    """The type that a schema means, in words of Python's; empty where it says none that is short."""
    said = _kind(schema, 3)
    return said if len(said) <= LONGEST_TYPE else said.partition("[")[0] if "|" not in said else ""


def _kind(schema: object, depth: int) -> str:
    if not isinstance(schema, Mapping) or not depth:
        return ""
    if isinstance(choices := schema.get("enum"), list):
        return " | ".join(dict.fromkeys(map(repr, choices)))
    for key in ("anyOf", "oneOf"):
        if isinstance(each := schema.get(key), list):
            return _either(_kind(one, depth - 1) for one in each)
    kind = schema.get("type")
    if isinstance(kind, list):
        return _either(_TYPES.get(str(one), "") for one in kind)
    if kind == "array" and (inner := _kind(schema.get("items"), depth - 1)):
        return f"list[{inner}]"
    return _TYPES.get(str(kind), "")


def _either(kinds: Iterable[str]) -> str:
    each = list(dict.fromkeys(kinds))
    return " | ".join(each) if all(each) else ""


def _default(schema: object) -> str:
    if not isinstance(schema, Mapping) or "default" not in schema:
        return ""
    written = repr(schema["default"])
    return written if len(written) <= LONGEST_DEFAULT else ""


def _apart(names: Iterable[str]) -> list[str]:
    """The names, each once: a number stands behind those that come again."""
    taken: dict[str, None] = {}
    for name in names:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken[free] = None
    return list(taken)
