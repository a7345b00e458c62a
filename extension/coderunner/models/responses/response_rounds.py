"""A reply so far as input items of the Responses API, so that it goes on. Pure.

The API has no message that is only begun: what the model has said is a message of its own, and the result the
user's next one. Thoughts and items of the endpoint's own tools stand where they stood.
"""

from collections.abc import Mapping, Sequence

from coderunner.models.continuation.strategies import GO_ON, RESULT_NOTE
from coderunner.models.native.native_reply import Round
from coderunner.models.responses.responses_request import Item

MESSAGE = "message"
FOR_CLIENTS = frozenset(
    {
        *("function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call"),
        *("apply_patch_call", "mcp_approval_request"),
    }
)
"""Items that the client has to answer."""
OWN = frozenset({"id", "type", "status", "role", "content"})
"""The fields of a message that are filled in; all others are kept."""


def as_dialogue(base: Sequence[Item], rounds: Sequence[Round], rest: str) -> list[Item]:
    """The items with the reply: each round with its result, and `rest`, which follows them."""
    told = [*base]
    for each in rounds:
        shown = [{"type": "input_image", "image_url": url, "detail": "auto"} for url in each.pictures]
        result: object = each.result.strip()
        content = [{"type": "input_text", "text": result}, *shown] if shown else result
        told += [*_said(each), {"type": MESSAGE, "role": "user", "content": content}]
    if rest.strip():
        told += [*replied(rest), {"type": MESSAGE, "role": "user", "content": GO_ON}]
    return told


def noted(instructions: object) -> str:
    """The instructions, which say what a result is."""
    said = instructions if isinstance(instructions, str) else ""
    return f"{said}\n\n{RESULT_NOTE}".lstrip()


def replied(text: str, fields: Mapping[str, object] | None = None) -> list[Item]:
    """A message of the model's with this text; none where it is blank. `fields`: what else it has."""
    text = text.strip("\n").rstrip()
    return [{"type": MESSAGE, "role": "assistant", "content": text, **(fields or {})}] if text else []


def further(message: Mapping[str, object]) -> dict[str, object]:
    """The fields of a message that we do not fill in."""
    return {name: value for name, value in message.items() if name not in OWN}


def _said(each: Round) -> list[Item]:
    """What was said, with each item at its place; a message among them is where one began."""
    items: list[Item] = []
    at, fields = 0, dict[str, object]()
    for place, item in each.passed:
        if place > len(each.said) or item.get("type") in FOR_CLIENTS:
            continue
        items += replied(each.said[at:place], fields)
        at, fields = place, {}
        if item.get("type") == MESSAGE:
            fields = further(item)
        else:
            items.append(item)
    return [*items, *replied(each.said[at:], fields)]
