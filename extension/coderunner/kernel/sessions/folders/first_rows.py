"""The first rows of a table that only a library reads: in a program beside the kernel, not in it."""

from collections.abc import Mapping
from typing import Protocol

from coderunner.files import looking
from coderunner.kernel.kernel_location import KernelLocation, Local

PATIENCE = 15.0
"""Seconds: for the kernel to start, and for the library to be loaded and to read."""


class Status(Protocol):
    """How the kernel is."""

    @property
    def state(self) -> str:
        """A word for it."""


class Asked(Protocol):
    """The part of a session that is needed here."""

    @property
    def where(self) -> KernelLocation:
        """Where its kernel is."""

    @property
    def status(self) -> Status:
        """How it is."""

    def warm(self) -> None:
        """Start it in the background."""

    async def ask(
        self, question: str, arguments: Mapping[str, object] | None, patience: float
    ) -> Mapping[str, object]:
        """Ask it, also while a cell runs; raises NotAnswered."""


async def first_rows(session: Asked, path: str) -> Mapping[str, object] | None:
    """What is told of the table at a path of the chat's folder, unchecked; None where no kernel can tell.

    A kernel of this machine is started for it: after a restart of the app, none runs. One on a server is
    asked if it is there.
    """
    if isinstance(session.where, Local):
        session.warm()
    starting = looking.starts(lambda: session.status.state)
    return await looking.first_rows(session.ask, path, patience=PATIENCE, starting=starting)
