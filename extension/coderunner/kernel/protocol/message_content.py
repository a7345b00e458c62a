"""What stands in a message's content, whose values nobody has checked. Pure."""

import json
from collections.abc import Mapping

from coderunner.kernel.protocol.output_limits import HEAD
from coderunner.outputs import MadeFile, MimeBundle, count_of
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


MOST_FILES, LONGEST_PATH, LARGEST_FILE = 20, 4_096, 2**63 - 1


def made_of(content: Mapping[str, object]) -> tuple[tuple[MadeFile, ...], int]:
    """The files that a kernel says a cell made or changed, and how many more; what is none is left out."""
    files = content.get("files")
    told = files[:MOST_FILES] if isinstance(files, list) else []
    return tuple(file for each in told if (file := _file(each)) is not None), count_of(
        content.get("more")
    ) or 0


def _file(told: object) -> MadeFile | None:
    match told:
        case [str(path), int(size), int(changed), bool(new)] if (
            0 < len(path) <= LONGEST_PATH
            and whole(path) == path
            and not path.startswith("/")
            and ".." not in path.split("/")
            and 0 <= size <= LARGEST_FILE
            and abs(changed) <= LARGEST_FILE
        ):
            return MadeFile(path, size, changed, new)
    return None
