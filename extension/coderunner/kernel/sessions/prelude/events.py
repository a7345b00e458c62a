"""IPython's callbacks, registered once however often the prelude is sent, and what is done to outputs."""

from typing import Any


def replace_callback(shell: Any, event: str, callback: Any) -> None:
    """Register a callback for the event, in place of an earlier one of ours of that name."""
    for before in list(shell.events.callbacks[event]):
        named = (getattr(before, "__module__", ""), getattr(before, "__name__", ""))
        if named == (__name__, callback.__name__):
            shell.events.unregister(event, before)
    shell.events.register(event, callback)


def change_outputs(shell: Any, change: Any, *, updates: bool = True) -> None:
    """Have the MIME bundles of what is displayed, and of results of cells, as `change` gives them.

    `updates`: also of what takes the place of something displayed.
    """
    publish, write = shell.display_pub.publish, shell.displayhook.write_format_data

    def published(data: Any, *more: Any, **named: Any) -> Any:
        return publish(data if named.get("update") and not updates else change(data), *more, **named)

    def written(format_dict: Any, *more: Any, **named: Any) -> Any:
        return write(change(format_dict), *more, **named)

    shell.display_pub.publish = published
    shell.displayhook.write_format_data = written
