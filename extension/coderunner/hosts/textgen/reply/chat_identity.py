"""Which conversation a chat of the webui is: decided by its content, since its name is only its file's.

A rename changes that name, a branch or an import gives the same replies a second one, and a new chat can have
the name of a deleted one. But the metadata of each reply of ours, saved with the chat, name the conversation
in which it was made.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import RLock
from typing import Any

from coderunner.hosts.textgen.reply.chat_reply_detection import named

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the webui saves a chat."""

    folder: str
    """`instruct`, or the name of a character."""
    name: str

    @property
    def conversation(self) -> str:
        """The conversation of a chat that begins there."""
        return named(self.folder, self.name)


class ChatIdentities:
    """The conversations of all chats; may be used from any thread."""

    def __init__(
        self, path: Path, exists: Callable[[Place], bool], siblings: Callable[[Place], list[str]]
    ) -> None:
        """`path`: the file for what names do not tell. `siblings` gives the names in a chat's folder."""
        self._path = path
        self._exists = exists
        self._siblings = siblings
        self._lock = RLock()
        self._bound = dict(_read(path))

    def find(self, place: Place, history: Mapping[str, Any]) -> str:
        """The conversation of the chat that is saved there and has this `history`."""
        with self._lock:
            home = next(homes(history), "")
            known = self._bound.get(place, "")
            if home and home != known and self._has_another(home, place):
                home = ""  # a branch, or an import beside its original: each has a kernel of its own
            found = home or known or self._begun(place)
            self._bind(place, found)
            return found

    def rename(self, old: Place, new: Place) -> None:
        """Note that a chat has another name now."""
        with self._lock:
            found = self._bound.pop(old, old.conversation)
            self._bind(new, found)

    def delete(self, place: Place) -> str:
        """Forget a deleted chat and give its conversation: a later chat of that name gets another one."""
        with self._lock:
            found = self._bound.pop(place, place.conversation)
            self._write()
            return found

    def _begun(self, place: Place) -> str:
        own = place.conversation
        return named(place.folder, place.name, token_hex(4)) if self._has_another(own, place) else own

    def _has_another(self, conversation: str, place: Place) -> bool:
        """Whether another existing chat is that conversation."""
        if any(
            known == conversation and other != place and self._exists(other)
            for other, known in self._bound.items()
        ):
            return True
        others = (Place(place.folder, name) for name in self._siblings(place))
        return any(
            other != place and other not in self._bound and other.conversation == conversation
            for other in others
        )

    def _bind(self, place: Place, conversation: str) -> None:
        if self._bound.get(place) != conversation:
            self._bound[place] = conversation
            self._write()

    def _write(self) -> None:
        """Save what the names do not tell. Without the file, a chat is found by its metadata alone."""
        odd = [
            [place.folder, place.name, its] for place, its in self._bound.items() if its != place.conversation
        ]
        with suppress(OSError):
            if odd or os.path.exists(self._path):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                written = self._path.with_suffix(f".{token_hex(4)}")
                written.write_text(json.dumps(odd), encoding="utf-8")
                written.replace(self._path)


def homes(history: Mapping[str, Any]) -> Iterator[str]:
    """The conversations in which the replies of a history began, the latest reply's first."""
    notes = history.get("metadata") or {}
    rows = sorted(
        (int(row[1]) for row in map(re.compile(r"assistant_(\d{1,9})").fullmatch, notes) if row), reverse=True
    )
    for row in rows:
        known = notes[f"assistant_{row}"]
        note = known.get("coderunner") if isinstance(known, Mapping) else None
        if isinstance(note, str) and (home := note.partition(" ")[2]):
            yield home


def _read(path: Path) -> Iterator[tuple[Place, str]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for each in found if isinstance(found, list) else ():
        match each:
            case [str(folder), str(name), str(conversation)]:
                yield Place(folder, name), conversation
