"""Which folders a Python interpreter needs to be able to read, and no more than those.

An environment is read whole. What its `.pth` files add, an editable install for example, lies among a
person's own files: of such a folder only what can be imported is read, not an `.env` beside it. Its names are
listed, though: an interpreter finds a module in a folder by the list of what is there.
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
from dataclasses import dataclass
from functools import cache, reduce
from itertools import islice
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
"""Modules and packages of one folder that may be shown one by one."""
MOST_SEEN = 5_000
"""Entries that are looked at for them, with those of the folders in it."""
DEEP = 3
"""How many folders without modules of their own a package may lie in: namespaces, as `google.cloud`."""
MODULES = (".py", ".so", ".pyd")
METADATA = (".egg-info", ".dist-info")
ARCHIVES = (".egg", ".zip", ".whl", ".pyz")
"""How the names end of what can be imported, of what says which versions those are, and of packed folders."""
SITES = ("site-packages", "dist-packages")
"""Folders that hold nothing but installed packages."""
MAPPING = re.compile(r"^MAPPING\b[^=]*= (\{.*\})$", re.MULTILINE)
"""Where the finder of an editable install of setuptools says which packages are where."""
LINKS = "__editable__."
"""How the name begins of a folder of links to modules, which setuptools makes of a strict install."""
PACKAGE = Path(__file__).resolve().parent.parent
"""Our own."""
CHECKOUT = (".git", "pyproject.toml", "setup.py", "script.py")
"""What the folder of a project has."""
NEAR = 3
"""How far above a package that folder is."""
ENVIRONMENT = ("bin", "etc", "include", "lib", "lib32", "lib64", "libexec", "share", "ssl", "pyvenv.cfg")
"""What an environment consists of, for one that lies in a folder with other things."""


@dataclass(frozen=True, slots=True)
class Folders:
    """What a program needs to be able to read."""

    whole: tuple[Path, ...] = ()
    """Environments and installations, with all that is in them."""
    imported: tuple[Path, ...] = ()
    """Modules and packages among a person's own files."""
    listed: tuple[Path, ...] = ()
    """The folders that those are found in: only the names of what is there are read."""

    def __or__(self, other: "Folders") -> "Folders":
        return Folders(
            (*self.whole, *other.whole), (*self.imported, *other.imported), (*self.listed, *other.listed)
        )


def of_this_interpreter() -> Folders:
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
    return tuple(dict.fromkeys(each for each in found if each.is_absolute() and os.path.exists(each)))


def _checkout(package: Path) -> Path:
    """The folder of a project that a package is developed in; itself where it is installed."""
    for above in package.parents[:NEAR]:
        if any(os.path.exists(above / name) for name in CHECKOUT):
            return above
    return package


def of_interpreter(executable: str) -> Folders:
    """Return what another interpreter reads, which is asked once; nothing where it does not answer.

    It takes as long as a start of the interpreter.
    """
    with suppress(OSError):
        return _asked(executable, Path(executable).stat().st_mtime)
    return Folders()


@cache
def _asked(executable: str, _changed: float) -> Folders:
    with suppress(OSError, subprocess.SubprocessError, ValueError):
        answer = subprocess.run(  # noqa: S603 - the interpreter of a kernel spec, which is about to be started
            [executable, "-c", PROBE],
            cwd="/",  # from where it would import, too
            capture_output=True,
            timeout=PATIENCE,
            check=True,
            text=True,
        )
        prefixes, places = json.loads(answer.stdout)
        return _folders(tuple(prefixes), tuple(places))
    return Folders()


@cache
def _folders(prefixes: tuple[str, ...], sites: tuple[str, ...]) -> Folders:
    whole = dict.fromkeys(each for prefix in prefixes for each in _environment(Path(prefix)))
    whole |= dict.fromkeys(map(Path, sites))
    return reduce(Folders.__or__, map(_added, map(Path, sites)), Folders(tuple(whole)))


def importable(paths: Iterable[str]) -> Folders:
    """Return what can be imported from the entries of a PYTHONPATH.

    Those that are relative mean folders in the kernel's own, wherever we are ourselves.
    """
    absolute = (path for each in paths if each and (path := Path(each)).is_absolute())
    return reduce(Folders.__or__, map(_importable, absolute), Folders())


def _environment(prefix: Path) -> list[Path]:
    """An environment; what belongs to it where it shares its folder with a person's files."""
    shared = Path.home().is_relative_to(prefix) and prefix != Path("/usr")
    if not shared and (os.path.exists(prefix / "pyvenv.cfg") or os.path.exists(prefix / "conda-meta")):
        shared = any(
            os.path.exists(prefix / name) for name in (".git", ".env", "pyproject.toml", "requirements.txt")
        )
    return [prefix / name for name in ENVIRONMENT] if shared else [prefix]


def _added(place: Path) -> Folders:
    """What the .pth files and finders in a site folder add to it."""
    found = Folders()
    for file in sorted(place.glob("*.pth")):
        for line in _text(file).splitlines():
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                found |= _importable(Path(os.path.normpath(place / line.strip())))
    for file in sorted(place.glob("__editable__*finder.py")):
        if (mapping := MAPPING.search(_text(file))) is not None:
            with suppress(ValueError, SyntaxError):
                packages = ast.literal_eval(mapping[1])
                found |= Folders(imported=tuple(each for name in packages.values() for each in _mapped(name)))
    return found


def _mapped(name: str) -> list[Path]:
    """A package that a finder names, or a module, whose name it gives without its ending."""
    path = Path(name)
    return (
        [path]
        if os.path.exists(path)
        else [each for each in path.parent.glob(f"{path.name}.*") if _is_module(each)]
    )


def _importable(folder: Path) -> Folders:
    """The modules and packages in a folder, and what says which versions they are."""
    if folder.name in SITES:
        return Folders((folder,))
    if os.path.isfile(folder):
        return Folders(imported=(folder,) if folder.suffix in ARCHIVES else ())
    found = tuple(_walked(folder, _Budget()))
    if folder.name.startswith(LINKS):
        found += tuple(islice((each.resolve() for each in folder.rglob("*") if each.is_symlink()), MOST))
    wide = Path.home().is_relative_to(folder)
    return Folders(imported=found, listed=(folder,) if found and not wide else ())


class _Budget:
    """How much of a folder may still be looked at, and shown."""

    def __init__(self) -> None:
        self.seen, self.shown = MOST_SEEN, MOST


def _walked(folder: Path, budget: _Budget, depth: int = 0) -> Iterator[Path]:
    for entry in _entries(folder, budget):
        path = Path(entry.path)
        suffix = path.suffix
        if budget.shown <= 0:
            return
        if not depth and suffix in (*MODULES, *METADATA, *ARCHIVES):
            budget.shown -= 1
            yield path
        elif entry.name.isidentifier() and entry.is_dir():
            inside = {each.name for each in _entries(path, budget)}
            # Below the first level, a folder that is no package of its own may be anything.
            if "__init__.py" in inside or (not depth and any(map(_is_module, map(Path, inside)))):
                budget.shown -= 1
                yield path
            elif depth < DEEP:
                yield from _walked(path, budget, depth + 1)


def _entries(folder: Path, budget: _Budget) -> "list[os.DirEntry[str]]":
    if budget.seen <= 0:
        return []
    with suppress(OSError), os.scandir(folder) as entries:
        found = sorted(islice(entries, budget.seen), key=lambda entry: entry.name)
        budget.seen -= len(found)
        return found
    return []


def _is_module(path: Path) -> bool:
    return path.suffix in MODULES


def _text(file: Path) -> str:
    with suppress(OSError):
        if file.stat().st_size <= LARGEST:
            return file.read_text(encoding="utf-8", errors="replace")
    return ""
