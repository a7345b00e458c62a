"""What a page may say to the widgets of a kernel. Pure."""

from collections.abc import Mapping, Sequence

from coderunner.kernel.widgets.widget_models import update_names, update_of

RESERVED = frozenset({"msg_id", "outputs"})
"""Parts of a state that say what a widget catches and shows: not for a page to say."""
MADE_OF = ("_model_", "_view_")
"""Nor is what it is made of."""


def sendable(
    head: Mapping[str, object], buffers: Sequence[bytes], reach: frozenset[str]
) -> dict[str, object] | None:
    """The data of a page's message as it may be sent to a kernel; None where it may not.

    A page speaks for the views of one run: to the models in `reach`, naming no others.
    """
    identity, data = head.get("id"), head.get("data")
    if not isinstance(identity, str) or identity not in reach or not isinstance(data, dict):
        return None
    if data.get("method") == "custom":
        return {"method": "custom", "content": data.get("content")}
    update = update_of(data, buffers)
    if data.get("method") != "update" or update is None:
        return None
    if any(key in RESERVED or key.startswith(MADE_OF) for key in update.keys):
        return None
    if not update_names(update) <= reach:
        return None
    return {"method": "update", "state": data["state"], "buffer_paths": data.get("buffer_paths") or []}
