"""What an idle kernel knows of code in an editor, as a page asks and shows it. Pure."""

from collections.abc import Mapping
from typing import Protocol

from coderunner.kernel.protocol.lookups import Lookup, completions_in, hint_in


class Asked(Protocol):
    """The part of a session that is needed here."""

    @property
    def busy(self) -> bool:
        """A cell runs or waits."""

    async def look_up(self, kind: Lookup, code: str, cursor: int) -> Mapping[str, object]:
        """What an idle kernel says, unchecked; empty where it says nothing."""


async def look_up(session: Asked, kind: Lookup, code: str, at: int) -> Mapping[str, object]:
    """Completions, or what a name is; places are counted in UTF-16, as JavaScript does.

    An empty mapping where the kernel is busy, is not there, or says nothing.
    """
    before = code.encode("utf-16-le")[: 2 * max(at, 0)].decode("utf-16-le", "ignore")
    told = {} if session.busy else await session.look_up(kind, code, len(before))
    if kind == "inspect":
        hint = hint_in(told)
        return {"text": hint} if hint else {}
    found = completions_in(told, code)
    if not found.matches:
        return {}
    return {
        "from": _units(code[: found.start]),
        "to": _units(code[: found.end]),
        "matches": [{"text": each.text, "kind": each.kind} for each in found.matches],
    }


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
