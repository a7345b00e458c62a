"""Which folders a kernel's program needs to be able to read: its installation, and its interpreter's."""

import os
import re
import shutil
from pathlib import Path

from coderunner.sandbox import python_folders
from coderunner.sandbox.python_folders import Folders

PYTHON = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?")
"""Names of Python interpreters."""
MODULES = "node_modules"
"""The folder in which programs of Node lie with all that they load."""
SHEBANG = 512
"""Bytes in which the first line of a script names its interpreter."""
STEPS = 3
"""Interpreters of interpreters."""


def of_program(name: str, path: str | None, home: Path, *, steps: int = STEPS) -> Folders:
    """Return what a program reads: one with a path, or one that is found in the folders of `path`.

    Its name may be a link, such as those that package managers make: then both places count. A script has an
    interpreter too.
    """
    found = shutil.which(name, path=path)
    if found is None:
        return Folders()
    program = Path(found).absolute()
    if PYTHON.fullmatch(program.name):
        return python_folders.of_interpreter(str(program))
    folders = Folders((*_around(program, home), *_around(program.resolve(), home)))
    interpreter = _interpreter(program)
    if interpreter and steps:
        folders |= of_program(interpreter, path, home, steps=steps - 1)
    return folders


def _around(program: Path, home: Path) -> list[Path]:
    """The installation that a program belongs to, or its folder alone where that is not clear."""
    for above in program.parents:
        if above.name == MODULES:
            return [above]
    root = program.parent.parent
    whole = (
        program.parent.name == "bin" and os.path.isdir(root / "lib") and root not in (home, home / ".local")
    )
    return [root if whole else program.parent]


def _interpreter(program: Path) -> str:
    """The program that a script names in its first line; empty where it is no script."""
    try:
        with program.open("rb") as file:
            line = file.read(SHEBANG).partition(b"\n")[0]
    except OSError:
        return ""
    words = line.removeprefix(b"#!").decode(errors="replace").split() if line.startswith(b"#!") else []
    if words and Path(words[0]).name == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return words[0] if words else ""
