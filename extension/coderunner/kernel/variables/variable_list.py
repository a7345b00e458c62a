"""The variables of a kernel, as it answers the question `variables`. Pure; every value is checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from coderunner.kernel.protocol.message_content import text_of

MOST = 1000
"""Variables of one answer."""
NAME, VALUE = 200, 200
"""Characters of a name or a type, and of a value."""
DIMENSIONS = 32
KINDS = ("data", "function", "class", "module")

Kind = Literal["data", "function", "class", "module"]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a person has defined under a name."""

    name: str
    type: str
    home: str = ""
    """The package that the type comes from; of a class or a function its own."""
    kind: Kind = "data"
    value: str = ""
    """A few words of it; of what is of a type that the program has defined, its type."""
    shape: tuple[int, ...] = ()
    """Its length, or rows and columns; empty where it has none."""
    size: int | None = None
    """Bytes, without what it refers to; None where that is not known cheaply."""
    table: bool = False
    """Its rows can be looked at."""

    @property
    def extent(self) -> str:
        """Its shape in words: `1,000 x 5`."""
        return " × ".join(f"{each:,}" for each in self.shape)


@dataclass(frozen=True, slots=True)
class VariableList:
    """Some of a kernel's variables, the newest last."""

    variables: tuple[Variable, ...] = ()
    more: int = 0
    """How many there are beside these."""


def variables_of(answer: Mapping[str, object]) -> VariableList:
    """Read an answer; what is no variable is left out."""
    listed = answer.get("variables")
    every = listed[:MOST] if isinstance(listed, list) else []
    read = (_variable(each) for each in every if isinstance(each, dict))
    return VariableList(tuple(each for each in read if each is not None), _count(answer.get("more")) or 0)


def _variable(said: Mapping[str, object]) -> Variable | None:
    name, kind = line(said.get("name"), NAME), said.get("kind")
    if not name:
        return None
    return Variable(
        name,
        line(said.get("type"), NAME),
        line(said.get("from"), NAME),
        kind if kind in KINDS else "data",  # type: ignore[arg-type]
        line(said.get("value"), VALUE),
        _shape(said.get("shape")),
        _count(said.get("bytes")),
        said.get("table") is True,
    )


def line(value: object, most: int) -> str:
    """A text of one line and at most so many characters; empty where it is none."""
    text = text_of(value)[:most]
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def _shape(value: object) -> tuple[int, ...]:
    sizes = [_count(each) for each in value[:DIMENSIONS]] if isinstance(value, list) else []
    return tuple(size for size in sizes if size is not None)


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 63 else None
