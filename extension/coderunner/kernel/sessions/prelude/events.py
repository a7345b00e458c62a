"""IPython's callbacks, registered once however often the prelude is sent."""

from typing import Any


def replace_callback(shell: Any, event: str, callback: Any) -> None:
    """Register a callback for the event, in place of an earlier one of ours of that name."""
    for before in list(shell.events.callbacks[event]):
        named = (getattr(before, "__module__", ""), getattr(before, "__name__", ""))
        if named == (__name__, callback.__name__):
            shell.events.unregister(event, before)
    shell.events.register(event, callback)
