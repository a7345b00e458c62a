"""The kernels of single chats, where a person has chosen another than for all: they stay with the chats."""

import json
import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

from coderunner.private_folders import make_private

log = logging.getLogger(__name__)

NAME = "chat-kernels.json"
LARGEST = 4_000_000
"""Characters that are read."""


class ChatKernels:
    """Which kernel a chat has at which place. May be used from any thread."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep them in a folder; None: until the app ends."""
        self._file = folder / NAME if folder is not None else None
        self._lock = threading.Lock()
        self._chosen: dict[str, dict[str, str]] = {}
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._chosen = _read(self._file)

    def of(self, chat: str, place: str) -> str:
        """The kernel of a chat at a place, which is a server's address or empty; empty: none was chosen."""
        chosen = self._chosen.get(chat, {})
        return chosen.get("kernel", "") if chosen.get("place") == place else ""

    def choose(self, chat: str, place: str, kernel: str) -> None:
        """Choose one; empty: the one that all have. Writes to the disk."""
        with self._lock:
            if kernel:
                self._chosen[chat] = {"place": place, "kernel": kernel}
            elif self._chosen.pop(chat, None) is None:
                return
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        beside = self._file.with_name(f".{NAME}-{os.getpid()}")
        try:
            make_private(self._file.parent)
            beside.write_text(json.dumps(self._chosen), encoding="utf-8")
            beside.replace(self._file)
        except OSError as error:
            log.warning("the kernel of a chat could not be saved, so the choice ends with the app: %s", error)


def _read(file: Path) -> dict[str, dict[str, str]]:
    with file.open(encoding="utf-8") as text:
        kept = json.loads(text.read(LARGEST))
    entries = kept.items() if isinstance(kept, dict) else ()
    return {
        str(chat): {str(name): str(value) for name, value in chosen.items()}
        for chat, chosen in entries
        if isinstance(chosen, dict)
    }
