"""Which folders a Python interpreter needs to be able to read, and no more than those.

An environment is read whole. What its `.pth` files add, an editable install for example, lies among a
person's own files: of such a folder only what can be imported is read, not an `.env` beside it.
"""

import ast
import json
import os
import re
import site
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

PROBE = (
    "import json, site, sys; print(json.dumps([[sys.prefix, sys.base_prefix, sys.exec_prefix], "
    "site.getsitepackages() + ([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]))"
)
PATIENCE = 10.0
"""Seconds for an interpreter to say where its folders are: a cold one reads its libraries from a disk."""
LARGEST = 1_000_000
"""Bytes of a file that names folders."""
MOST = 500
"""Entries of one folder that may be shown one by one."""
MAPPING = re.compile(r"^MAPPING\b[^=]*= (\{.*\})$", re.MULTILINE)
"""Where the finder of an editable install of setuptools says which packages are where."""
PACKAGE = Path(__file__).resolve().parent.parent
"""Our own."""
CHECKOUT = (".git", "pyproject.toml", "setup.py", "script.py")
"""What the folder of a project has."""
NEAR = 3
"""How far above a package that folder is."""
ENVIRONMENT = ("bin", "etc", "include", "lib", "lib32", "lib64", "libexec", "share", "ssl", "pyvenv.cfg")
"""What an environment consists of, for one that lies in a folder with other things."""


def of_this_interpreter() -> tuple[Path, ...]:
    """Return what kernels of this very interpreter read."""
    places = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    return _folders((sys.prefix, sys.base_prefix, sys.exec_prefix), tuple(places))


@cache
def executed_here() -> tuple[Path, ...]:
    """Return what this process and the next one like it execute: whoever writes there is in no sandbox.

    The interpreter, all that it imports from, the whole of a checkout in which our own package lies, and the
    folders of programs.
    """
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    found = [Path(each) for each in (*sys.path, sys.prefix, sys.base_prefix, sys.exec_prefix) if each]
    found += [Path(program).absolute().parent] if program else []
    found += [PACKAGE, _checkout(PACKAGE)]
    found += [Path(each) for each in os.get_exec_path() if each]
    return tuple(dict.fromkeys(each for each in found if each.is_absolute() and each.exists()))


def _checkout(package: Path) -> Path:
    """The folder of a project that a package is developed in; itself where it is installed."""
    for above in package.parents[:NEAR]:
        if any((above / name).exists() for name in CHECKOUT):
            return above
    return package


def of_interpreter(executable: str) -> tuple[Path, ...]:
    """Return what another interpreter reads, which is asked once; nothing where it does not answer.

    It takes as long as a start of the interpreter.
    """
    with suppress(OSError):
        return _asked(executable, Path(executable).stat().st_mtime)
    return ()


@cache
def _asked(executable: str, _changed: float) -> tuple[Path, ...]:
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        answer = subprocess.run(  # noqa: S603 - the interpreter of a kernel spec, which is about to be started
            [executable, "-c", PROBE], capture_output=True, timeout=PATIENCE, check=True, text=True
        )
        prefixes, places = json.loads(answer.stdout)
        return _folders(tuple(prefixes), tuple(places))
    return ()


@cache
def _folders(prefixes: tuple[str, ...], sites: tuple[str, ...]) -> tuple[Path, ...]:
    found = dict.fromkeys(each for prefix in prefixes for each in _environment(Path(prefix)))
    found |= dict.fromkeys(map(Path, sites))
    for place in map(Path, sites):
        found |= dict.fromkeys(_added(place))
    return tuple(found)


def importable(paths: Iterable[str]) -> list[Path]:
    """Return what can be imported from the entries of a PYTHONPATH."""
    return [each for path in paths if path for each in _importable(Path(path))]


def _environment(prefix: Path) -> list[Path]:
    """An environment; what belongs to it where it shares its folder with a person's files."""
    shared = Path.home().is_relative_to(prefix) and prefix != Path("/usr")
    if not shared and ((prefix / "pyvenv.cfg").exists() or (prefix / "conda-meta").exists()):
        shared = any(
            (prefix / name).exists() for name in (".git", ".env", "pyproject.toml", "requirements.txt")
        )
    return [prefix / name for name in ENVIRONMENT] if shared else [prefix]


def _added(place: Path) -> Iterator[Path]:
    """What the .pth files and finders in a site folder add to it."""
    for file in sorted(place.glob("*.pth")):
        for line in _text(file).splitlines():
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                yield from _importable(place / line.strip())
    for file in sorted(place.glob("__editable__*finder.py")):
        if (mapping := MAPPING.search(_text(file))) is not None:
            with suppress(ValueError, SyntaxError):
                packages = ast.literal_eval(mapping[1])
                yield from (Path(each) for each in packages.values())


def _importable(folder: Path) -> Iterator[Path]:
    """The modules and packages in a folder, and what says which versions they are."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name)[:MOST]:
            suffix = Path(entry.name).suffix
            if suffix in (".py", ".so", ".pyd", ".egg-info", ".dist-info", ".egg") or (
                entry.name.isidentifier() and _is_package(Path(entry.path))
            ):
                yield Path(entry.path)


def _is_package(folder: Path) -> bool:
    with suppress(OSError), os.scandir(folder) as entries:
        return any(entry.name.endswith((".py", ".so")) for entry in entries)
    return False


def _text(file: Path) -> str:
    with suppress(OSError):
        if file.stat().st_size <= LARGEST:
            return file.read_text(encoding="utf-8", errors="replace")
    return ""
