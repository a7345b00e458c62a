"""A plain `pip install NAME` in a cell is not run here: the exception says what it would install.

CodeRunner reads that, and installs it into the folder of the conversation: code in a sandbox need not reach
the network for it, and nothing gets into the environment that the kernel itself runs in. What is there
already is said, as pip says it. What has addresses, paths or options of its own is left to pip.

- `%pip`, `!pip`, `%uv pip` and `python -m pip` reach `system` or `getoutput` of the shell.
- `%%bash` and its kin get their lines as input; a line that is nothing but pip is seen.
- A program runs pip by `subprocess` or `os.system`.
"""

import functools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

    FOLDER = ""  # where packages of this conversation are

SAYS = "pip installed nothing, because CodeRunner installs packages itself: "
KEPT = "CodeRunner keeps the packages of this kernel: pip removes none of them"
OPERATORS = frozenset({";", "&", "&&", "|", "||", "(", ")"})
SILENT = frozenset(
    {
        *(
            "-q",
            "-qq",
            "-qqq",
            "--quiet",
            "-v",
            "--verbose",
            "-U",
            "--upgrade",
            "--user",
            "-y",
            "--yes",
            "--pre",
        ),
        *(
            "--no-cache-dir",
            "--no-cache",
            "--no-input",
            "--break-system-packages",
            "--prefer-binary",
            "--system",
        ),
        *("--disable-pip-version-check", "--no-warn-script-location", "--progress-bar=off", "--no-progress"),
        *("--root-user-action=ignore", "--no-color", "--force-reinstall", "--upgrade-strategy=eager"),
    }
)
"""Options that change nothing of what is installed, or where it comes from."""
WITH_VALUES = frozenset(
    {"--progress-bar", "--upgrade-strategy", "--root-user-action", "--timeout", "--retries"}
)
NAMED = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?((===?|~=|!=|<=|>=|<|>)[A-Za-z0-9.*+!_-]+,?)*"
)
SHELLS = frozenset({"bash", "sh", "script", "!", "sx", "system"})


class PackagesNotInstalled(Exception):
    """What pip would install is not there, and CodeRunner installs it."""

    def _render_traceback_(self) -> "list[str]":
        """IPython shows this in place of frames, which are ours."""
        return [f"{type(self).__name__}: {self}"]


PackagesNotInstalled.__module__ = "builtins"


def commands(line: str) -> "Iterator[list[str]]":
    """The simple commands of a line of shell; none where it cannot be read."""
    try:
        reader = shlex.shlex(line, posix=True, punctuation_chars=True)
        reader.whitespace_split = True
        words = list(reader)
    except ValueError:
        return
    command: list[str] = []
    for word in (*words, ";"):
        if word in OPERATORS:
            yield command
            command = []
        else:
            command.append(word)


def of_pip(words: "Sequence[str]") -> "list[str]":
    """What a command tells pip, or uv's pip, to do; empty where it is another command."""
    words = list(words)
    while words and ("=" in words[0].lstrip("-") or words[0] in ("sudo", "env", "time", "nohup", "command")):
        words.pop(0)
    name = re.split(r"[/\\]", words[0])[-1] if words else ""
    if re.fullmatch(r"(?:.*python[\d.]*|py)(?:\.exe)?", name):
        rest = words[1:]
        while rest and rest[0].startswith("-") and rest[0] != "-m":
            rest.pop(0)
        words = rest[1:] if rest[:1] == ["-m"] else []
        name = words[0] if words else ""
    if re.fullmatch(r"uv(?:\.exe)?", name):
        words = words[1:] if words[1:2] == ["pip"] else []
        name = words[0] if words else ""
    return words[1:] if re.fullmatch(r"pip[\d.]*(?:\.exe)?", name) else []


def named(words: "Sequence[str]") -> "list[str] | None":
    """What pip is told to install, where that is nothing but names; None where pip has to see to it."""
    found, rest = [], iter(words)
    for word in rest:
        if word in (">", ">>", "2>", "2", "1", "&1", ">&"):
            if word.endswith(">"):
                next(rest, None)
        elif word in WITH_VALUES:
            next(rest, None)
        elif word in ("-r", "--requirement"):
            listed = of_file(next(rest, ""))
            if listed is None:
                return None
            found += listed
        elif word in SILENT:
            continue
        elif NAMED.fullmatch(word.replace(" ", "")) and not os.path.exists(word):
            found.append(word.replace(" ", ""))
        else:
            return None
    return found


def of_file(path: str) -> "list[str] | None":
    """The names in a file of requirements; None where it has more than names."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            lines = file.read(100_000).splitlines()
    except (OSError, ValueError):
        return None
    bare = [line.partition("#")[0].partition(";")[0].replace(" ", "") for line in lines]
    names = [line for line in bare if line]
    return names if all(NAMED.fullmatch(name) for name in names) else None


def installed(requirement: str) -> str:
    """The version that is there and fits; empty where none does."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    try:
        version = metadata.version(name.group() if name else "")
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    try:
        from packaging.requirements import Requirement

        fits = Requirement(requirement).specifier.contains(version, prereleases=True)
    except Exception:
        fits = not re.search(r"[=<>~!]", requirement)
    return version if fits else ""


def look(line: str) -> bool:
    """Whether a line of shell only has pip install what is there; raises where it is not there."""
    alone, there, missing = True, [], []
    for words in commands(line):
        told = of_pip(words)
        if not words:
            continue
        if told[:1] == ["uninstall"]:
            raise PackagesNotInstalled(KEPT)
        wanted = named(told[1:]) if told[:1] == ["install"] else None
        if not wanted:
            alone = False
            continue
        for each in wanted:
            version = installed(each)
            if version:
                there.append(f"Requirement already satisfied: {each} ({version})")
            else:
                missing.append(each)
    if missing:
        raise PackagesNotInstalled(SAYS + " ".join(dict.fromkeys(missing)))
    if alone and there:
        sys.stdout.write("\n".join((*there, "")))
    return alone and bool(there)


def see_to_the_shell(shell: Any) -> None:
    """Look at what `!` and the magics run."""
    for name in ("system", "getoutput"):
        bare: Any = getattr(getattr(shell, name), "bare", getattr(shell, name))
        setattr(shell, name, looked_at(bare, shell))
    run: Any = getattr(shell.run_cell_magic, "bare", shell.run_cell_magic)

    def run_cell_magic(magic_name: str, line: str, cell: str) -> Any:
        if magic_name in SHELLS:
            lines = cell.splitlines(keepends=True)
            cell = "".join(each for each in lines if not ("pip" in each and look(each)))
        return run(magic_name, line, cell)

    run_cell_magic.bare = run  # type: ignore[attr-defined]
    shell.run_cell_magic = run_cell_magic


def looked_at(bare: Any, shell: Any) -> Any:
    """A way to run a line of shell that looks at it first."""

    @functools.wraps(bare)
    def run(cmd: str, *arguments: Any, **options: Any) -> Any:
        # Variables of a function are found by the distance to it: they are put in here, and not once more.
        line = shell.var_expand(cmd, depth=options.pop("depth", 0) + 1)
        if "pip" in line and look(line):
            return [] if bare.__name__ == "getoutput" else None
        shell.var_expand = lambda text, *_arguments, **_options: text
        try:
            return bare(line, *arguments, **options)
        finally:
            del shell.var_expand

    run.bare = bare  # type: ignore[attr-defined]
    return run


def see_to_programs() -> None:
    """Look at what programs run, in the two ways in which they do."""
    begin: Any = getattr(subprocess.Popen.__init__, "bare", subprocess.Popen.__init__)

    @functools.wraps(begin)
    def start(self: Any, args: Any, *more: Any, **options: Any) -> None:
        line = args if isinstance(args, str) else joined(args)
        if "pip" in line and look(line):
            args, options = [sys.executable, "-c", ""], {**options, "shell": False, "executable": None}
        begin(self, args, *more, **options)

    start.bare = begin  # type: ignore[attr-defined]
    subprocess.Popen.__init__ = start  # type: ignore[method-assign]
    system: Any = getattr(os.system, "bare", os.system)

    @functools.wraps(system)
    def run(command: Any) -> int:
        return 0 if "pip" in str(command) and look(str(command)) else int(system(command))

    run.bare = system  # type: ignore[attr-defined]
    os.system = run


def joined(arguments: Any) -> str:
    """A list of arguments as a line of shell; empty where it is none."""
    try:
        return " ".join(shlex.quote(os.fsdecode(each)) for each in arguments)
    except TypeError:
        return ""


def look_again(*_information: Any) -> None:
    """Have Python look once more for the folder of packages, which may not have been there before."""
    if sys.path_importer_cache.get(FOLDER, False) is None:
        del sys.path_importer_cache[FOLDER]


shell = get_ipython()
if shell is not None:
    see_to_the_shell(shell)
    see_to_programs()
    replace_callback(shell, "pre_run_cell", look_again)
