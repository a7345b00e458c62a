"""What a kernel knows of code that is being written: how a name goes on, and what it is. Pure.

Jupyter messaging 5.4, "Completion" and "Introspection". The answers are hostile: bounded, and plain text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coderunner.kernel.protocol.message_content import text_of
from coderunner.kernel.protocol.messages import Json, Message, Stamp
from coderunner.text.terminal_text import plain

Lookup = Literal["complete", "inspect"]
REPLIES = frozenset({"complete_reply", "inspect_reply"})

MOST = 200
"""Completions that are shown: more are not read by anybody."""
LONGEST = 200
"""Characters of one; a longer one is left out."""
HINT = 4_000
"""Characters of what is said of a name."""

_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Completion:
    """One way in which a name goes on."""

    text: str
    kind: str = ""
    """What it is, in the kernel's words: `function`, `module`."""


@dataclass(frozen=True, slots=True)
class Completions:
    """What may stand in place of the code from `start` to `end`, which are counted in characters."""

    start: int
    end: int
    matches: tuple[Completion, ...] = ()


def lookup_request(kind: Lookup, code: str, cursor: int, stamp: Stamp) -> Message:
    """Ask about the code at a place, which is counted in characters."""
    content: dict[str, object] = {"code": code, "cursor_pos": cursor}
    if kind == "inspect":
        content["detail_level"] = 0
    return Message(
        "shell", f"{kind}_request", stamp.id, content=content, session=stamp.session, date=stamp.date
    )


def completions_in(content: Json, code: str) -> Completions:
    """How a kernel completes some code; no matches where it says nothing that can be used."""
    start, end = content.get("cursor_start"), content.get("cursor_end")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end <= len(code):
        return Completions(0, 0)
    told = content.get("matches")
    texts = told if isinstance(told, Sequence) and not isinstance(told, str) else ()
    kinds = _kinds(content)
    matches = (
        Completion(text, kinds.get(text, ""))
        for text in texts[:MOST]
        if isinstance(text, str) and len(text) <= LONGEST and _PLAIN.fullmatch(text)
    )
    return Completions(start, end, tuple(matches))


def hint_in(content: Json) -> str:
    """What a kernel says of a name, as plain text; empty where it knows none."""
    data = content.get("data")
    told = (
        text_of(data.get("text/plain")) if content.get("found") is True and isinstance(data, Mapping) else ""
    )
    text = plain(told[: 4 * HINT]).strip()
    return text if len(text) <= HINT else f"{text[:HINT]}…"


def _kinds(content: Json) -> Mapping[str, str]:
    """What each match is, as IPython says it."""
    metadata = content.get("metadata")
    listed = metadata.get("_jupyter_types_experimental") if isinstance(metadata, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return {}
    pairs = (
        (text_of(each.get("text")), text_of(each.get("type")))
        for each in listed[:MOST]
        if isinstance(each, Mapping)
    )
    return {text: kind for text, kind in pairs if re.fullmatch(r"[a-z]{1,20}", kind)}
