"""The tools that find and install packages: uv where it is there, else pip.

Both take ready-made files (wheels) only: to build a package is to run its code, and this is our own process.
Neither imports anything of what it installs, or of the folder that it works in.
"""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, Protocol

from coderunner.packages.lock import Pin
from coderunner.packages.processes import Ran
from coderunner.settings.package_indexes import PackageIndexes

MOST = 500
"""Packages of one installation."""
PATIENT = ("--retries", "1", "--timeout", "15")
"""A network that is not there is told of within half a minute."""

Run = Callable[[Sequence[str]], Ran]
"""Runs a command in the folder that the tool may use."""


class NotFound(Exception):
    """The tool did not find what is wanted; `exists`: there is something of that name."""

    def __init__(self, said: str, *, exists: bool | None = None) -> None:
        super().__init__(said)
        self.said, self.exists = said, exists


class Tool(Protocol):
    """One tool."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    def find(self, run: Run, interpreter: str, wanted: Sequence[str], folder: Path) -> list[Pin]:
        """Find what is to be installed beside what an interpreter has; changes nothing.

        Raises NotFound, and ValueError, KeyError or TypeError where the tool's answer cannot be read.
        """

    def install(self, interpreter: str, lock: Path, target: Path) -> list[str]:
        """The command that installs exactly what a lock has into a folder."""


@dataclass(frozen=True, slots=True)
class Pip:
    """pip, run by our own interpreter for another one."""

    program: tuple[str, ...]
    name: str = "pip"

    def _command(self, interpreter: str, *words: str) -> list[str]:
        return [*self.program, "--python", interpreter, *words, "--disable-pip-version-check", *PATIENT]

    def find(self, run: Run, interpreter: str, wanted: Sequence[str], folder: Path) -> list[Pin]:
        """Resolve as for an installation into the interpreter's environment, and only report."""
        words = ("install", "--dry-run", "--quiet", "--report", "-", "--only-binary", ":all:", "--no-user")
        ran = run(self._command(interpreter, *words, *wanted))
        if ran.well:
            # pip's "Installation Report", version 1.
            return [_reported(each) for each in json.loads(ran.answer)["install"][:MOST]]
        raise NotFound(ran.said, exists=self._exists(run, interpreter, ran.said))

    def _exists(self, run: Run, interpreter: str, said: str) -> bool | None:
        """Whether a package that has no file for this system is there in another form."""
        missing = re.search(r"satisfies the requirement ([\w.-]+).*\(from versions: none\)", said)
        if missing is None:
            return True if "(from versions: " in said else None
        return run(self._command(interpreter, "index", "versions", missing[1])).well

    def install(self, interpreter: str, lock: Path, target: Path) -> list[str]:
        """Unpack the files; nothing is compiled, nothing is run."""
        words = ("--target", str(target), "--no-deps", "--only-binary", ":all:", "--no-user", "--no-compile")
        more = ("--no-warn-script-location", "--progress-bar", "off", "--requirement", str(lock))
        return self._command(interpreter, "install", *words, *more)


def _reported(entry: Mapping[str, Any]) -> Pin:
    about, download = entry["metadata"], entry["download_info"]
    sha256 = download.get("archive_info", {}).get("hashes", {}).get("sha256")
    return Pin(
        str(about["name"]),
        str(about["version"]),
        (f"sha256:{sha256}",) if sha256 else (),
        str(download["url"]),
        summary=str(about.get("summary") or ""),
    )


@dataclass(frozen=True, slots=True)
class Uv:
    """uv: faster, and there where an environment that it made has no pip."""

    program: str
    name: str = "uv"

    def find(self, run: Run, interpreter: str, wanted: Sequence[str], folder: Path) -> list[Pin]:
        """Resolve as for an installation into the interpreter's environment, then look up those files."""
        python = ("--python", interpreter, "--no-build")
        dry = (self.program, "pip", "install", "--dry-run", "--break-system-packages", *python)
        ran = run([*dry, *wanted])
        if not ran.well:
            missing = "not found in the package registry" in ran.said
            exists = False if missing else True if "no usable wheels" in ran.said else None
            raise NotFound(ran.said, exists=exists)
        found = re.findall(r"^ \+ ([A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+)", ran.said, re.MULTILINE)[:MOST]
        if not found:
            return []
        (folder / "found.txt").write_text("".join(f"{each}\n" for each in found), encoding="utf-8")
        out = folder / "pylock.toml"
        words = ("--no-deps", "--format", "pylock.toml", "--quiet", "--output-file", str(out))
        ran = run([self.program, "pip", "compile", *python, *words, str(folder / "found.txt")])
        if not ran.well:
            raise NotFound(ran.said)
        return [_locked(each) for each in tomllib.loads(out.read_text(encoding="utf-8"))["packages"]]

    def install(self, interpreter: str, lock: Path, target: Path) -> list[str]:
        """Copy the files: code may write to its packages, and a link would lead it into uv's cache."""
        words = ("--target", str(target), "--no-deps", "--no-build", "--link-mode", "copy")
        return [
            *(self.program, "pip", "install", "--python", interpreter),
            *(*words, "--no-compile-bytecode", "--requirement", str(lock)),
        ]


def _locked(entry: Mapping[str, Any]) -> Pin:
    """A package of a pylock.toml (PEP 751), which has the files for all systems."""
    files = [each for each in entry.get("wheels", ()) if isinstance(each, dict)]
    hashes = tuple(f"sha256:{value}" for each in files if (value := each.get("hashes", {}).get("sha256")))
    sizes = [each["size"] for each in files if isinstance(each.get("size"), int)]
    url = str(files[0].get("url") or "") if files else ""
    return Pin(str(entry["name"]), str(entry["version"]), hashes, url, max(sizes, default=None))


def tool(indexes: PackageIndexes) -> Tool | None:
    """The tool to use here; None where there is none.

    uv knows nothing of pip's indexes: where only those are set, it would ask another one than is meant.
    """
    of_pip = any(name.startswith("PIP_") for name in indexes.environment)
    of_uv = any(name.startswith("UV_") for name in indexes.environment)
    uv, pip = _uv(), _pip()
    return (uv if of_uv or not of_pip else None) or pip


def _uv() -> Uv | None:
    if (found := which("uv")) is not None:
        return Uv(found)
    with suppress(ImportError, OSError):
        return Uv(str(import_module("uv").find_uv_bin()))
    return None


def _pip() -> Pip | None:
    if find_spec("pip") is not None:
        return Pip((sys.executable, "-m", "pip"))
    # Python brings one to make environments with, unless its distributor has taken it out.
    return next((Pip((sys.executable, str(each / "pip"))) for each in _bundled()), None)


def _bundled() -> Iterator[Path]:
    spec = find_spec("ensurepip")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(place, "_bundled").glob("pip-*.whl"), reverse=True)


def index_of(indexes: PackageIndexes) -> str:
    """The host of the index that packages come from, as a person knows it."""
    variables = indexes.environment
    default = variables.get("UV_DEFAULT_INDEX") or variables.get("PIP_INDEX_URL") or ""
    host = default.partition("://")[2].rpartition("@")[2].partition("/")[0]
    return host or "pypi.org"
