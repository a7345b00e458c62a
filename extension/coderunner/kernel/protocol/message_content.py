"""What stands in a message's content, whose values nobody has checked. Pure."""

import json
from collections.abc import Mapping

from coderunner.kernel.protocol.output_limits import HEAD
from coderunner.outputs import MimeBundle
from coderunner.text.json_reader import clipped
from coderunner.text.surrogates import whole


def text_of(value: object) -> str:
    """A text with whole characters; empty where it is none."""
    return whole(value) if isinstance(value, str) else ""


def object_of(value: object) -> MimeBundle:
    """An object of bounded depth and size; empty where it is none, or a larger one."""
    if not isinstance(value, dict):
        return {}
    kept = clipped(value)
    return kept if isinstance(kept, dict) and len(json.dumps(kept)) <= HEAD else {}


def display_id_of(content: Mapping[str, object]) -> str:
    """The id by which a display may be updated; empty where it has none."""
    transient = content.get("transient")
    return text_of(transient.get("display_id")) if isinstance(transient, dict) else ""
