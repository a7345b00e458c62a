"""What ipykernel reads of the list of all modules when its kernel is made.

It wants the files of all of them. To look at each module and each name would have every forked kernel copy a
thousand pages of memory that all share: here the same stands side by side.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any


class Module:
    """One that has a file."""

    __slots__ = ("__file__",)

    def __init__(self, file: str) -> None:
        self.__file__ = _copy(file)


def _gather() -> None:
    """Have the names of all modules lie side by side: IPython makes a set of them, which writes to each."""
    for name in [each for each in sys.modules if type(each) is str]:
        sys.modules[_copy(name)] = sys.modules.pop(name)


def _copy(text: str) -> str:
    """The same text in memory of its own, that is taken now."""
    return f"{text} "[:-1]


class ModuleList:
    """`sys.modules` at the moment when this is made."""

    def __init__(self, ours: str) -> None:
        """`ours`: a package whose modules no kernel is to have."""
        _gather()
        modules = sys.modules.copy()
        self._package, self._count = ours, len(modules)
        self._ours = self._of_package(modules)
        files = [getattr(modules[name], "__file__", None) for name in modules if name not in self._ours]
        self._modules = [Module(file) for file in files if type(file) is str and file]
        self._kept: list[Any] = []

    def _of_package(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name.partition(".")[0] == self._package]

    def forget_ours(self) -> None:
        """Take the package from `sys.modules`, with what of it was loaded since."""
        since = self._of_package(islice(reversed(sys.modules), len(sys.modules) - self._count))
        # They are kept: to take a module apart is to write to all that is in it.
        self._kept = [sys.modules.pop(name) for name in (*self._ours, *since)]

    def copy(self) -> "ModuleList":
        """The same: nobody changes it."""
        return self

    def values(self) -> list[Module]:
        """All modules that have a file."""
        return self._modules


class _System:
    """`sys` with such a list."""

    def __init__(self, modules: ModuleList) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


@contextmanager
def read_by(reader: Any, modules: ModuleList) -> Iterator[None]:
    """Have a module that has imported `sys` find this list in it meanwhile."""
    if getattr(reader, "sys", None) is not sys:
        yield
        return
    reader.sys = _System(modules)
    try:
        yield
    finally:
        reader.sys = sys
