"""The environments with the libraries; `python -m tests.libraries.environments FOLDER` makes them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

VERSIONS = Path(__file__).parent / "versions.txt"
PLACE = os.environ.get("CODERUNNER_TEST_LIBRARIES", "")
"""The folder of the environments; empty where they are not to be used."""
_STAMP = "versions"
"""What is installed in one: written when all of it is."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def requirements() -> Mapping[str, tuple[str, ...]]:
    """What each environment is made of, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for line in VERSIONS.read_text(encoding="utf-8").splitlines():
        name, *wanted = line.partition("#")[0].split() or [""]
        if name:
            found[name] = (*found.get(name, ()), *wanted)
    return found


def versions() -> Mapping[str, Mapping[str, str]]:
    """The version of each library by its name in small letters, for each environment."""
    return {
        name: {_name(each): each.partition("==")[2] for each in wanted}
        for name, wanted in requirements().items()
    }


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return found[0].lower() if found else ""


def environment(name: str) -> str:
    """The path of an environment, by which a kernel is started in it."""
    return str((Path(PLACE) / name).absolute())


def install(folder: Path) -> None:
    """Make what is missing, and what has changed anew."""
    for name, wanted in requirements().items():
        place, stamp = folder / name, "\n".join(wanted)
        if (place / _STAMP).is_file() and (place / _STAMP).read_text(encoding="utf-8") == stamp:
            continue
        print(f"== {name}: {len(wanted)} libraries", flush=True)  # noqa: T201
        python = place / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        # What is compiled now is not compiled by each kernel anew.
        subprocess.run([*_installer(python), *wanted], check=True, env={**os.environ, **_index()})
        (place / _STAMP).write_text(stamp, encoding="utf-8")


def _installer(python: Path) -> list[str]:
    """uv where it is there, which takes a minute where pip takes ten."""
    beside = Path(sys.executable).with_name("uv")
    if uv := shutil.which(beside) or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    return [str(python), "-m", "pip", "install", "--quiet"]


def _index() -> Mapping[str, str]:
    """uv reads no pip.conf: it is told of the index that pip would ask."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    asked = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or said.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index else {}


if __name__ == "__main__":
    install(Path(sys.argv[1]))
