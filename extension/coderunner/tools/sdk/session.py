"""What both generations of the SDK do, with the field names of the protocol."""

from collections.abc import Mapping
from typing import Any, Protocol

Json = dict[str, Any]


class SdkError(Exception):
    """An error that a server answered with, or that stands for a lost connection."""

    def __init__(self, message: str, *, closed: bool = False) -> None:
        """`closed`: the connection is lost."""
        super().__init__(message)
        self.message, self.closed = message, closed


def first_of(error: BaseException) -> BaseException:
    """The error itself, where libraries raise it in groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


class SdkSession(Protocol):
    """A connection to a server, after the handshake."""

    async def list_tools(self, cursor: str | None) -> Json:
        """A page of its tools; raises SdkError, ValueError, RuntimeError."""

    async def call_tool(self, name: str, arguments: Mapping[str, object]) -> Json:
        """What a tool gave; raises the same, and what the streams below raise."""
