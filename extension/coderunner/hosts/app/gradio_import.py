"""Gradio, imported without the work that only those who write Gradio programs in an editor gain by.

As it is imported it compares a stub with the source of each of its components, or writes one beside it, at
each start. And it imports the whole MCP SDK, where that is installed, for a class that the app does not use.
Together they are half of what the app's imports cost.
"""

import importlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def import_gradio() -> None:
    """Import it, unless somebody else has; what is changed meanwhile is put back."""
    if "gradio" not in sys.modules:
        with _without_sources(), _without_the_mcp_sdk():
            importlib.import_module("gradio")


@contextmanager
def _without_sources() -> Iterator[None]:
    """Have Gradio take its components for classes without a source: it makes no stubs for those."""
    find = inspect.getfile

    def get_file(thing: Any) -> str:  # noqa: ANN401 - whatever may be asked for
        if isinstance(thing, type) and thing.__module__.startswith("gradio."):
            raise OSError(thing)
        return find(thing)

    inspect.getfile = get_file  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = find


@contextmanager
def _without_the_mcp_sdk() -> Iterator[None]:
    """Have it take the SDK for missing, unless it is imported already and costs nothing."""
    missing: dict[str, Any] = {} if "mcp" in sys.modules else {"mcp": None}
    sys.modules.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
