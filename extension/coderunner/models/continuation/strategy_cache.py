"""Which strategy an endpoint's model understands, remembered."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from coderunner.models.continuation.strategies import STRATEGIES, Strategy
from coderunner.models.endpoint.client import Endpoint
from coderunner.private_folders import write_private
from coderunner.text.json_reader import loads

MOST = 1000
"""Choices that are kept: a client of a server that takes any name for its model could make up more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A strategy and why it was taken, in words for a person; `kind` is the backend's, "" where unknown."""

    strategy: Strategy
    reason: str = ""
    kind: str = ""


class StrategyCache:
    """Choices by address and model, for this process and, with a `path`, for the next one. Thread-safe.

    The file is JSON, readable by its owner only, written whole or not at all, and holds no key. A file that
    is missing or broken is an empty memory, and one that cannot be written is let be: we would only ask
    again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = Lock()
        self._choices: dict[tuple[str, str], Choice] = {}
        self._blind: dict[tuple[str, str], None] = {}
        self._durable = _read(path) if path else {}

    def recall(self, endpoint: Endpoint) -> Choice | None:
        """Return what was remembered of this endpoint and model."""
        place = (endpoint.url, endpoint.model)
        with self._lock:
            return self._choices.get(place) or self._durable.get(place)

    def note_blind(self, endpoint: Endpoint) -> None:
        """Note, for this process, that this endpoint and model take no pictures."""
        with self._lock:
            self._blind[endpoint.url, endpoint.model] = None
            if len(self._blind) > MOST:
                del self._blind[next(iter(self._blind))]

    def is_blind(self, endpoint: Endpoint) -> bool:
        """Whether that was noted."""
        with self._lock:
            return (endpoint.url, endpoint.model) in self._blind

    def remember(self, endpoint: Endpoint, choice: Choice, *, durable: bool = True) -> None:
        """Keep a choice; `durable=False` keeps it in this process only."""
        place = (endpoint.url, endpoint.model)
        with self._lock:
            if self._choices.get(place) == choice:
                return
            self._choices = _bounded({**self._choices, place: choice})
            if durable and self._path and self._durable.get(place) != choice:
                # Another process may have learnt something since we read the file.
                self._durable = _bounded({**_read(self._path), place: choice})
                with suppress(OSError):
                    _write(self._path, self._durable)


def _bounded(choices: dict[tuple[str, str], Choice]) -> dict[tuple[str, str], Choice]:
    """The choices without the first one, where there are too many."""
    return dict(list(choices.items())[-MOST:])


def _read(path: Path) -> dict[tuple[str, str], Choice]:
    try:
        kept = loads(path.read_bytes())
        entries = kept["strategies"] if isinstance(kept, dict) else []
        return {
            (entry["url"], entry["model"]): Choice(
                STRATEGIES[entry["strategy"]], str(entry["reason"]), str(entry["kind"])
            )
            for entry in entries
            if entry["strategy"] in STRATEGIES
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, choices: dict[tuple[str, str], Choice]) -> None:
    entries = [
        {"url": url, "model": model, "strategy": each.strategy.name, "reason": each.reason, "kind": each.kind}
        for (url, model), each in sorted(choices.items(), key=lambda item: item[0])
    ]
    write_private(path, json.dumps({"strategies": entries}, indent=1))
