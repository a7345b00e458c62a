"""What a kernel is asked about its variables, and what it uses: the questions as calls. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from coderunner.kernel.variables.table_page import TablePage, page_of
from coderunner.kernel.variables.variable_list import VariableList, variables_of

PATIENCE = 3.0
"""Seconds for an answer: it takes milliseconds, unless a program holds the interpreter."""


class Asked(Protocol):
    """The part of a session that is needed here."""

    async def ask(
        self, question: str, arguments: Mapping[str, object] | None = None, patience: float = 5.0
    ) -> Mapping[str, object]:
        """Ask the kernel; raises NotAnswered."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a kernel uses."""

    memory: int
    """Bytes."""
    cpu: float
    """Seconds of CPU time so far."""
    at: float
    """When that was, in seconds by a clock of the kernel's machine."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of a table."""

    name: str
    """The variable's."""
    offset: int = 0
    limit: int = 50
    sort: int | None = None
    """The column that they are sorted by."""
    descending: bool = False
    first: int = 0
    """The column that is shown first."""


async def variables_in(kernel: Asked, match: str = "", *, patience: float = PATIENCE) -> VariableList:
    """The variables whose name or type contains a text; raises NotAnswered."""
    return variables_of(await kernel.ask("variables", {"match": match}, patience))


async def count_of_variables(kernel: Asked, *, patience: float = PATIENCE) -> int:
    """How many variables hold data, not classes, functions or modules; raises NotAnswered."""
    said = await kernel.ask("variable_count", None, patience)
    return int(_number(said.get("data")))


async def variables_named(kernel: Asked, names: Sequence[str], *, patience: float = PATIENCE) -> VariableList:
    """The variables of these names, in their order, as far as there are any; raises NotAnswered."""
    found = variables_of(await kernel.ask("variables", {"names": list(names)}, patience))
    return replace(found, variables=tuple(sorted(found.variables, key=lambda each: names.index(each.name))))


async def rows_in(kernel: Asked, rows: Rows, *, patience: float = PATIENCE) -> TablePage:
    """A page of a table; raises NotAnswered, also where there is no such table."""
    asked: dict[str, object] = {
        "name": rows.name,
        "offset": rows.offset,
        "limit": rows.limit,
        "sort": rows.sort,
        "descending": rows.descending,
        "first": rows.first,
    }
    return page_of(await kernel.ask("table", asked, patience))


async def usage_of(kernel: Asked, *, patience: float = PATIENCE) -> Usage:
    """What a kernel uses; raises NotAnswered."""
    said = await kernel.ask("usage", None, patience)
    return Usage(int(_number(said.get("memory"))), _number(said.get("cpu")), _number(said.get("at")))


def _number(value: object) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1 << 62
    return value if known else 0.0  # type: ignore[return-value]
