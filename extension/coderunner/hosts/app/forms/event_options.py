"""Options of Gradio events: no spinners over the text, no public endpoints."""

from typing import Any

COMMAND: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""For handlers that answer at once."""

STREAM: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    # Every page follows its conversation for as long as a reply takes: they must not queue behind each other.
    "concurrency_limit": None,
}
"""For handlers that take a while."""
