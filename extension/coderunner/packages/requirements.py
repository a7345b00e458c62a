"""What a cell asks to be installed: names with versions, and nothing that a tool could take for more. Pure.

It comes from a program and may be forged: what has another form is not asked for.
"""

import re
from collections.abc import Iterable, Sequence

from coderunner.outputs import Error, Output
from coderunner.packages.names import lacked_package, missing_module, package_of

REFUSED = "PackagesNotInstalled"
"""The exception of the kernel's prelude where code runs pip."""
ASKED = "pip installed nothing, because CodeRunner installs packages itself: "
"""What stands in its message before what was asked for."""
MOST = 20
"""Requirements of one cell."""

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?"
_VERSION = r"(?:===?|~=|!=|<=|>=|<|>) ?[A-Za-z0-9][A-Za-z0-9.*+!_-]{0,40}"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME})(?:\[{_NAME}(?:, ?{_NAME}){{0,9}}\])?(?: ?{_VERSION}(?:, ?{_VERSION}){{0,4}})?"
)


def requirement(text: str) -> str:
    """A requirement in one spelling; empty where the text is none: no address, no path, no option."""
    text = " ".join(text.split())
    return text.replace(", ", ",").replace(" ", "") if _REQUIREMENT.fullmatch(text) else ""


def requirements(text: str) -> tuple[str, ...]:
    """The requirements in a text that separates them by blanks; none where one is no requirement."""
    found = tuple(map(requirement, text.split()))
    return tuple(dict.fromkeys(found)) if found and all(found) and len(found) <= MOST else ()


def canonical(name: str) -> str:
    """The one spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(text: str) -> str:
    """The name in a requirement, in its one spelling."""
    found = re.match(_NAME, text)
    return canonical(found[0]) if found else ""


def wanted(outputs: Iterable[Output]) -> tuple[str, ...]:
    """What a cell lacked, by its outputs: the package of a missing module, or what pip was to install."""
    errors: Sequence[Error] = [output for output in outputs if isinstance(output, Error)]
    if not errors:
        return ()
    error = errors[-1]
    said = error.evalue[:2_000]
    if error.ename == "ModuleNotFoundError" and (module := missing_module(said)):
        return requirements(package_of(module))
    if package := lacked_package(error.ename, said):
        return requirements(package)
    if error.ename == REFUSED and error.evalue.startswith(ASKED):
        return requirements(error.evalue[len(ASKED) : 4_000])
    return ()
