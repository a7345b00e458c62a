"""What is said and offered where code lacks a package: in words and buttons. Pure."""

import ast
import re
from dataclasses import dataclass
from typing import Literal

from coderunner.outputs import Error, Refusal, Remedy, Result, Status
from coderunner.packages.names import missing_module
from coderunner.packages.requirements import wanted

Mode = Literal["ask", "auto", "off"]
NOT_INSTALLED, INSTALLED = "could not be installed", "installed for this chat"
"""What is said of an installation in a result's detail."""
ACCESS: Literal["package"] = "package"
"""What a refusal of a package has for its access."""


@dataclass(frozen=True, slots=True)
class Packaging:
    """Whether the packages that code lacks are installed."""

    mode: Mode = "ask"
    buttons: bool = False
    """Whoever reads a reply can say so with a button below it; elsewhere a setting does."""


@dataclass(frozen=True, slots=True)
class Card:
    """What is said of packages beside the offer to install them."""

    found: tuple[str, ...] = ()
    """Each that is wanted: name, version, what it is; a stranger's words."""
    more: str = ""
    """What else comes with them, how large all is, and where from and to."""
    trouble: str = ""
    """Why they cannot be installed, as far as is known."""

    @property
    def looking(self) -> bool:
        """They are still being looked up."""
        return not (self.found or self.more or self.trouble)


def lacking(result: Result, packaging: Packaging) -> tuple[Refusal, ...]:
    """What a cell lacked, with what a person can do about it; nothing where that is not certain."""
    names = wanted(result.outputs) if result.status is Status.ERROR else ()
    if not names or tells(result):  # where nobody is asked, its detail says what came of it
        return ()
    offered = packaging.buttons and packaging.mode != "off"
    remedy = Remedy.INSTALL if offered else Remedy.PACKAGES
    told = in_words(names)
    return (Refusal(ACCESS, told, remedy, " ".join(names) if offered else "", told if offered else ""),)


def tells(result: Result) -> bool:
    """Whether it says what became of the packages that a cell lacked."""
    said = result.detail
    lacks = any(each.access == ACCESS for each in result.refusals)
    return lacks or NOT_INSTALLED in said or INSTALLED in said


def in_words(names: tuple[str, ...]) -> str:
    """Several names as a person reads them."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def were(names: tuple[str, ...]) -> str:
    """Several names as a person reads them, with the verb that goes with so many."""
    return f"{in_words(names)} {'were' if len(names) > 1 else 'was'}"


def begins_with_imports(source: str, result: Result) -> bool:
    """Whether nothing but imports ran in a cell before it lacked a package: then it may run once more."""
    lines = [re.sub(r"^[%!].*$", "pass", line) for line in source.splitlines()]
    errors = [output for output in result.outputs if isinstance(output, Error)]
    module = missing_module(errors[-1].evalue[:2_000]) if errors else ""
    try:
        statements = ast.parse("\n".join(lines)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for statement in statements:
        match statement:
            case ast.Pass() if not module and source.splitlines()[statement.lineno - 1][:1] in ("%", "!"):
                return True
            case ast.Import() | ast.ImportFrom():
                if module and _imports(statement, module):
                    return True
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                return False
    return False


def _imports(statement: ast.Import | ast.ImportFrom, module: str) -> bool:
    if isinstance(statement, ast.ImportFrom):
        names = [f"{statement.module}.{each.name}" for each in statement.names]
    else:
        names = [each.name for each in statement.names]
    return any(f"{name}.".startswith(f"{module}.") for name in names)
