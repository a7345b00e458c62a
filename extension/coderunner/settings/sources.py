"""The sources of settings: files in the usual folders of the system, and the order of all sources."""

import os
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coderunner.errors import SettingsError
from coderunner.settings.messages import host

KEYS = "TOKEN|KEY"
LINES = {
    "token": KEYS,
    "model_key": KEYS,
    "api_key": KEYS,
    "scoped_key": KEYS,
    "metrics_key": KEYS,
    "proxy_secret": "SECRET",
    "records_url": "URL",
}
"""How the name of the variable ends in a line of an .env that holds a secret."""
LARGEST = 256_000
"""The most bytes of a settings file: a hundred times what all settings need."""


def default_config() -> Path:
    """The TOML file that is read if none is given; it need not exist."""
    if sys.platform == "win32":
        return _base("APPDATA", "AppData/Roaming") / "coderunner" / "config.toml"
    return _base("XDG_CONFIG_HOME", ".config") / "coderunner" / "config.toml"


def default_data() -> Path:
    """The system's folder for the data of programs."""
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
    """The values in the file at `path`; none if it is missing and not required.

    Raises SettingsError if it cannot be read.
    """
    if not required and not os.path.isfile(path):
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
        # Without `from`: a decoding error holds the bytes that it failed on, perhaps those of a token.
        raise SettingsError(message) from None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Values by setting, each with its source as text and the rank of that source."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], source: Callable[[str], str]) -> None:
        """Add `values`, which override all earlier ones; `source` gives the text of the source for a name."""
        rank = max(self.ranks.values(), default=0) + 1
        for name, value in values.items():
            self.values[name], self.sources[name], self.ranks[name] = value, source(name), rank

    def fill(self, name: str, value: object, source: str) -> None:
        """Add a value that is used only if there is no other."""
        self.values[name], self.sources[name], self.ranks[name] = value, source, 0

    def read_file_of(self, name: str) -> None:
        """Read the value of `name` from the file set for it, unless a source of higher rank has the value.

        The file holds the token, key or URL alone, or as a line of an .env. Raises SettingsError.
        """
        file = f"{name}_file"
        if not self.values.get(file) or self.ranks.get(name, 0) > self.ranks[file]:
            return
        if self.ranks.get(name, 0) == self.ranks[file]:
            message = f"{self.sources[name]} and {self.sources[file]} are both set; keep one"
            raise SettingsError(message)
        text = _read(Path(str(self.values[file])).expanduser(), self.sources[file])
        ends = LINES.get(name)
        line = re.search(rf"(?m)^[A-Z_]*(?:{ends})=(\S+)$", text) if ends else None
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


def fall_back_to_openai(gathered: Gathered) -> None:
    """Use the endpoint that other programs use, if no other is set.

    Its key is sent to no other address: with an endpoint of one's own, OpenAI's key is not meant.
    """
    address, key = os.environ.get("OPENAI_BASE_URL"), os.environ.get("OPENAI_API_KEY")
    if address and "model_url" not in gathered.values:
        gathered.fill("model_url", address, "OPENAI_BASE_URL")
    chosen = str(gathered.values.get("model_url", ""))
    home = chosen.startswith("https:") and host(chosen) == "api.openai.com"
    theirs = home or (chosen and chosen == address)
    if key and theirs and not {"model_key", "model_key_file"} & gathered.values.keys():
        gathered.fill("model_key", key, "OPENAI_API_KEY")
