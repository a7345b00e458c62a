"""Runs the Python blocks in the user's own message before the model reads it."""

from collections.abc import Callable, Generator
from contextlib import closing
from html import escape

from coderunner.runner import Generate, Kernel, Part, RunOptions, Say, Turn, converse_sync


def with_results(
    message: str, turn: Turn, kernel: Kernel, options: RunOptions, stopped: Callable[[], bool]
) -> str:
    """`message` with the result of each block below it; unchanged if it has none to run.

    The message is treated as a model's reply: blocks run by the same rules.
    """
    if "```" not in message and "~~~" not in message:
        return message
    said, pieces = 0, [""]

    def rest(_step: Generate) -> Generator[str]:
        yield message[said:]

    with closing(converse_sync(turn, rest, kernel, options, stopped=stopped)) as events:
        for event in events:
            if isinstance(event, Say):
                pieces.append(event.text)
                said += 0 if event.part is Part.RESULT else len(event.text)
    return "".join(pieces) + message[said:]


def visibly(message: str, visible: str, changed: str) -> str:
    """The text that the page shows for `changed`, if it showed `visible` for `message`."""
    if visible == escape(message) or changed == message:
        return escape(changed) if changed != message else visible
    # Another extension shows its own text: keep that and add ours below it.
    return f"{visible}\n\n{escape(changed)}"
