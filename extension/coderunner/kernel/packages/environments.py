"""The Python environments of this machine as kernels: conda's by name, and a folder's own by its path.

Found by looking at files: nothing in an environment is run for it.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coderunner.errors import NoSuchKernelSpec

OWN = (".venv", "venv", ".")
"""Where a folder has its environment."""
PROGRAMS = ("Scripts/python.exe", "python.exe") if sys.platform == "win32" else ("bin/python", "bin/python3")
"""Where an environment has its interpreter."""
ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".local/share/mamba", ".conda")
"""Folders in the home folder in which conda's kin keep environments."""
MOST = 100
"""Environments that are listed."""

NONE_THERE = (
    "there is no Python environment at {path}; name a folder with a .venv, an environment or a Python"
)
NO_KERNEL = (
    "the environment {path} has no ipykernel, which a kernel needs; install it there: "
    "{python} -m pip install ipykernel"
)


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment that a kernel can run in."""

    name: str
    """As a person reads it, such as `conda: science`."""
    path: str
    """What a kernel's name is for it; with `~` for the home folder."""


def is_environment(name: str) -> bool:
    """Whether a kernel's name is the path of an environment; names of kernel specs have no such form."""
    return "/" in name or name.startswith("~") or (os.sep == "\\" and "\\" in name)


def interpreter(name: str) -> str:
    """The Python of an environment, by its path or that of the folder that it belongs to.

    Raises NoSuchKernelSpec where there is none, or where it cannot run a kernel.
    """
    place = Path(name).expanduser().absolute()
    if os.path.isfile(place):
        return str(place)
    for each in OWN:
        for program in PROGRAMS:
            found = place / each / program
            if os.path.isfile(found) and (each != "." or _is_whole(place)):
                if not _has_kernel(place / each):
                    raise NoSuchKernelSpec(NO_KERNEL.format(path=short(place / each), python=found))
                return os.path.normpath(found)
    raise NoSuchKernelSpec(NONE_THERE.format(path=short(place)))


def _is_whole(folder: Path) -> bool:
    """A folder is an environment itself, and not one with a program in it by chance."""
    return os.path.isfile(folder / "pyvenv.cfg") or os.path.isdir(folder / "conda-meta")


def _has_kernel(environment: Path) -> bool:
    """Whether ipykernel is there, as far as files tell: what others lend it shows when a kernel starts."""
    if any(environment.glob("lib/python3*/site-packages/ipykernel")):
        return True
    if os.path.isdir(environment / "Lib" / "site-packages" / "ipykernel"):
        return True
    try:
        text = (environment / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(
        line.replace(" ", "").lower() == "include-system-site-packages=true" for line in text.splitlines()
    )


def environments(variables: Mapping[str, str] | None = None, home: Path | None = None) -> list[Environment]:
    """The environments of conda's kin that can run a kernel, by their names."""
    variables, home = os.environ if variables is None else variables, home or Path.home()
    found = {os.path.realpath(each): each for each in _prefixes(variables, home)}
    able = [each for each in list(found.values())[:MOST] if _is_whole(each) and _has_kernel(each)]
    return sorted(
        (Environment(f"conda: {_called(each)}", short(each, home)) for each in able),
        key=lambda each: each.name,
    )


def _called(prefix: Path) -> str:
    return prefix.name if prefix.parent.name == "envs" else f"base ({prefix.name})"


def _prefixes(variables: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Where they may be: conda's own list, and the folders in which they usually are."""
    try:
        lines = (home / ".conda" / "environments.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    yield from (Path(line.strip()) for line in lines if line.strip())
    roots = [home / each for each in ROOTS]
    roots += [Path(value) for name in ("MAMBA_ROOT_PREFIX", "CONDA_ROOT") if (value := variables.get(name))]
    if program := variables.get("CONDA_EXE"):
        roots.append(Path(program).parent.parent)
    for root in roots:
        yield root
        try:
            yield from sorted((root / "envs").iterdir())
        except OSError:
            continue


def short(path: Path, home: Path | None = None) -> str:
    """A path with `~` for the home folder, without what leads nowhere."""
    path, home = Path(os.path.normpath(path)), home or Path.home()
    return (
        f"~/{path.relative_to(home).as_posix()}" if path != home and path.is_relative_to(home) else str(path)
    )
