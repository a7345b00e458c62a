"""Options of Gradio events: no spinners over the text, no public endpoints."""

from typing import Any

ANY: dict[str, Any] = {
    "show_progress": "hidden",
    # Gradio tells each output of its progress, hidden or not, and copies all that the output holds for it, as
    # often as anything happens to any event: a whole conversation, some ten times for a reply.
    "show_progress_on": [],
    "api_visibility": "private",
}

COMMAND: dict[str, Any] = {**ANY, "queue": False}
"""For handlers that answer at once."""

STREAM: dict[str, Any] = {
    **ANY,
    # Every page follows its conversation for as long as a reply takes: they must not queue behind each other.
    "concurrency_limit": None,
}
"""For handlers that take a while."""
