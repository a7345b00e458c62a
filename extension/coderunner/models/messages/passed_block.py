"""A block of a streamed message that is none of ours: put together without knowing its kind. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from coderunner.text.surrogates import paired

Event = Mapping[str, object]


class PassedBlock:
    """Adds up the events of one block: texts are appended, lists grow, all else replaces. Linear in them."""

    def __init__(self, begun: object) -> None:
        """`begun`: the block as it was started."""
        self._block: dict[str, Any] = dict(begun) if isinstance(begun, Mapping) else {}
        self._texts: dict[str, list[str]] = {}
        self._input: list[str] = []
        its = self._block.get("citations")
        self._citations: list[object] = list(its) if isinstance(its, list) else []

    @property
    def kind(self) -> str:
        """Its type."""
        return str(self._block.get("type") or "")

    def add(self, delta: object) -> None:
        """A delta of it."""
        if not isinstance(delta, Mapping):
            return
        for name, value in delta.items():
            if name == "type":
                continue
            if name == "partial_json":
                self._input.append(str(value))
            elif name == "citation":
                self._citations.append(value)
            elif isinstance(value, str):
                self._texts.setdefault(str(name), []).append(value)
            else:
                self._block[str(name)] = value

    def whole(self) -> dict[str, Any]:
        """The block with all that was added."""
        texts = {name: f"{self._block.get(name) or ''}{''.join(its)}" for name, its in self._texts.items()}
        given = {"input": _arguments("".join(self._input))} if self._input else {}
        cited = {"citations": self._citations} if self._citations else {}
        return {**self._block, **texts, **given, **cited}


def _arguments(text: str) -> object:
    try:
        return json.loads(paired(text)) if text.strip() else {}
    except (ValueError, RecursionError):
        return {}
