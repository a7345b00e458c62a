"""Where settings come from: files, in the places where this system keeps them, and the order of sources."""

import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coderunner.errors import SettingsError

LARGEST = 256_000
"""Bytes of a settings file: a hundred times what ours can say."""


def default_config() -> Path:
    """The TOML file that is read when none is named; it need not be there."""
    if sys.platform == "win32":
        return _base("APPDATA", "AppData/Roaming") / "coderunner" / "config.toml"
    return _base("XDG_CONFIG_HOME", ".config") / "coderunner" / "config.toml"


def default_data() -> Path:
    """The folder where this system keeps a program's data."""
    match sys.platform:
        case "win32":
            return _base("LOCALAPPDATA", "AppData/Local") / "coderunner"
        case "darwin":
            return Path.home() / "Library" / "Application Support" / "coderunner"
        case _:
            return _base("XDG_DATA_HOME", ".local/share") / "coderunner"


def _base(variable: str, below_home: str) -> Path:
    # The XDG specification tells programs to ignore a relative path here.
    named = Path(os.environ.get(variable, ""))
    return named if named.is_absolute() else Path.home() / below_home


def read_toml(path: Path, *, required: bool) -> dict[str, Any]:
    """The values in the file at `path`; none where it is missing and not required.

    Raises SettingsError where it cannot be read.
    """
    if not required and not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            written = file.read(LARGEST + 1)
        if len(written) > LARGEST:
            raise SettingsError(
                f"the settings file {path} is larger than {LARGEST // 1000} kB; use another file"
            )
        return tomllib.loads(written.decode("utf-8-sig").replace("\r\n", "\n"))
    except OSError as failure:
        message = f"the settings file {path} cannot be read: {failure.strerror}"
        raise SettingsError(message) from None
    except RecursionError:
        raise SettingsError(f"the settings file {path} is nested too deeply") from None
    except SettingsError:
        raise
    except ValueError as failure:
        message = f"the settings file {path} is not TOML: {failure}"
        # Without `from`: a decoding error carries the bytes that it failed on, and they may be a token's.
        raise SettingsError(message) from None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Values by setting, with the words for the source of each and that source's rank."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], source: Callable[[str], str]) -> None:
        """Take `values`, which come before all taken so far; `source` gives its words for a name."""
        rank = max(self.ranks.values(), default=0) + 1
        for name, value in values.items():
            self.values[name], self.sources[name], self.ranks[name] = value, source(name), rank

    def fill(self, name: str, value: object, source: str) -> None:
        """Take a value that comes after all others."""
        self.values[name], self.sources[name], self.ranks[name] = value, source, 0

    def read_file_of(self, name: str) -> None:
        """Take the value of `name` from the file that is named for it, unless a higher source has the value.

        A token or a key may stand in the file alone or as such a line of an .env. Raises SettingsError.
        """
        file = f"{name}_file"
        if not self.values.get(file) or self.ranks.get(name, 0) > self.ranks[file]:
            return
        if self.ranks.get(name, 0) == self.ranks[file]:
            message = f"{self.sources[name]} and {self.sources[file]} are both set; keep one"
            raise SettingsError(message)
        text = _read(Path(str(self.values[file])).expanduser(), self.sources[file])
        line = re.search(r"(?m)^[A-Z_]*(?:TOKEN|KEY)=(\S+)$", text) if name != "system_prompt" else None
        self.fill(name, line[1] if line else text, self.sources[file])


def _read(path: Path, source: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as failure:
        message = f"{source}: {path} cannot be read: {failure.strerror}"
        raise SettingsError(message) from None
    except ValueError:
        message = f"{source}: {path} is not a UTF-8 text file"
        raise SettingsError(message) from None
