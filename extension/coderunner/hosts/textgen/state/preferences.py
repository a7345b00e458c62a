"""The choices made in the form, saved in a file of ours that only its owner can read.

Not in the webui's settings file, which other code shows, shares and saves. What was not chosen comes from
CodeRunner's own settings (environment, TOML file), so that an operator can set everything without the form.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

from coderunner.errors import SettingsError
from coderunner.private_folders import write_private
from coderunner.runner import KernelLocation, Local, Server
from coderunner.sandbox.backends import Availability, available
from coderunner.sandbox.kernel_sandbox import in_force
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings
from coderunner.text.json_reader import loads

Kind = Literal["embedded", "server"]
Approve = Literal["default", "auto", "ask", "off"]
OnTimeout = Literal["detach", "interrupt"]

DEADLINES = (1.0, 600.0)
"""Seconds that can be chosen for one block."""
BLOCKS = (1, 32)
"""Blocks that can be chosen for one reply."""
RANGES: Mapping[str, tuple[float, float]] = {
    "deadline": DEADLINES,
    "hard_timeout": (0.0, 864_000.0),
    "max_blocks": BLOCKS,
    "max_seconds": (0.0, 86_400.0),
    "max_tokens": (0, 1_000_000_000),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """All choices. Values out of range are clamped to it."""

    active: bool = True
    kernel: Kind = "embedded"
    server: str = "http://127.0.0.1:8888"
    token: Secret = field(default_factory=Secret)
    ca_file: str = ""
    """A file with the certificates to trust for the server. Not in the form."""
    server_folder: str = ""
    """Where kernels start on the server; empty: in folders of chats. Neither in the form nor in the file."""
    kernel_name: str = "python3"
    deadline: float = 30.0
    on_timeout: OnTimeout = "detach"
    """What happens to a block at its deadline: it keeps running in the background, or is stopped."""
    hard_timeout: float = 600.0
    """Seconds that it may run in the background. Not in the form."""
    approve: Approve = "default"
    max_blocks: int = 8
    max_seconds: float = 900.0
    """Seconds for one reply; 0: no limit."""
    max_tokens: int = 0
    """Tokens for one reply; 0: the webui's own limit."""
    own_blocks: bool = False
    """Run the Python blocks in the user's own messages first."""
    api: bool = False
    """Run code for API clients, too."""
    scripts: bool = True
    """HTML outputs may run scripts, in a sandboxed frame. Not in the form."""
    embedded_for_all: bool = False
    """With `--multi-user`, let every user run code on this machine. Set only in the file."""
    sandbox: Availability = field(default_factory=available)
    """The sandbox of the embedded kernel. Neither in the form nor in the file."""

    @property
    def approval(self) -> Literal["auto", "ask", "off"]:
        """What `approve` means: its default asks only where code is not isolated."""
        if self.approve == "default":
            return "auto" if self.where.isolated else "ask"
        return self.approve

    @property
    def limit(self) -> float:
        """Seconds that a block may run in all; 0: it is stopped at its deadline."""
        return self.hard_timeout if self.on_timeout == "detach" else 0.0

    @property
    def where(self) -> KernelLocation:
        """The chosen kernel."""
        name = self.kernel_name or "python3"
        if self.kernel == "embedded":
            return Local(name, sandbox=self.sandbox)
        return Server(self.server, self.token, name, self.ca_file, folder=self.server_folder)

    @property
    def place(self) -> str:
        """The kernel in words for the user, without a token that was put into the address."""
        if self.kernel == "embedded":
            return f"the embedded kernel {self.kernel_name}"
        return (
            f"the kernel {self.kernel_name} on {Server(self.server).url.partition('?')[0].rpartition('@')[2]}"
        )

    def with_changes(self, changes: Mapping[str, Any]) -> "Preferences":
        """These preferences with the valid ones of `changes`."""
        return replace(self, **{name: value for name, value in map(_checked, changes.items()) if name})


FROM_SETTINGS = (
    "kernel_name",
    "approve",
    "on_timeout",
    "hard_timeout",
    "max_blocks",
    "max_seconds",
    "max_tokens",
)


def from_settings(settings: Settings) -> Preferences:
    """What CodeRunner's own settings say."""
    changes = {name: getattr(settings, name) for name in FROM_SETTINGS}
    changes |= {"server": settings.server, "kernel": "server"} if settings.server else {}
    changes |= {"ca_file": str(settings.ca_file)} if settings.ca_file else {}
    changes |= {"scripts": settings.output_scripts}
    changes |= {"token": settings.token, "deadline": settings.timeout}
    fixed = Preferences(server_folder=settings.server_folder, sandbox=in_force(settings))
    return fixed.with_changes(changes)


class PreferencesFile:
    """The preferences and their file; may be used from any thread."""

    def __init__(self, path: Path, defaults: Preferences | None = None) -> None:
        self.path = path
        self._defaults = defaults or Preferences()
        self._chosen: dict[str, Any] | None = None
        self._lock = Lock()

    @property
    def new(self) -> bool:
        """Nothing was chosen yet, and nobody was greeted."""
        with self._lock:
            return not self._read() and not os.path.exists(self.path)

    def greet(self) -> bool:
        """Whether to greet a person: once, which is remembered; never if it cannot be."""
        if not self.new:
            return False
        try:
            self.change()
        except SettingsError:
            return False
        return True

    def get(self) -> Preferences:
        """The preferences now."""
        with self._lock:
            return self._defaults.with_changes(self._read())

    def change(self, **changes: Any) -> Preferences:  # noqa: ANN401 - values by name, checked here
        """Save choices; gives the preferences with them."""
        with self._lock:
            chosen = self._read() | dict(filter(lambda item: item[0], map(_checked, changes.items())))
            self._chosen = chosen
            self._write(chosen)
            return self._defaults.with_changes(chosen)

    def _read(self) -> dict[str, Any]:
        if self._chosen is None:
            try:
                found = loads(self.path.read_bytes())
            except (OSError, ValueError):
                found = None
            self._chosen = found if isinstance(found, dict) else {}
        return self._chosen

    def _write(self, chosen: Mapping[str, Any]) -> None:
        """Write atomically, and never readable by others."""
        plain = {name: _plain(value) for name, value in chosen.items()}
        try:
            write_private(self.path, json.dumps(plain, indent=2))
        except OSError as failure:
            message = f"the settings could not be saved in {self.path}: {failure.strerror}"
            raise SettingsError(message) from failure


def _plain(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else value


def _checked(item: tuple[str, Any]) -> tuple[str, Any]:
    """A name and value for `Preferences`; an empty name if the value is not valid."""
    name, value = item
    refused = ("", None)
    match name:
        case "active" | "own_blocks" | "api" | "scripts" | "embedded_for_all":
            return item if isinstance(value, bool) else refused
        case "kernel":
            return item if value in get_args(Kind) else refused
        case "on_timeout":
            return item if value in get_args(OnTimeout) else refused
        case "approve":
            return item if value in get_args(Approve) else refused
        case "token":
            return (name, value if isinstance(value, Secret) else Secret(str(value).strip()))
        case "server" | "kernel_name" | "ca_file":
            return (name, value.strip()) if isinstance(value, str) and value.strip() else refused
        case "deadline" | "hard_timeout" | "max_blocks" | "max_seconds" | "max_tokens":
            return (name, _within(name, value)) if _is_number(value) else refused
    return refused


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < sys.maxsize


def _within(name: str, value: float) -> float:
    low, high = RANGES[name]
    return type(low)(min(max(value, low), high))
