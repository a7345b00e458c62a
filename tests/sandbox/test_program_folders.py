"""What a kernel's program needs to be able to read, wherever it is installed."""

import sys
from pathlib import Path

import pytest

from coderunner.sandbox.program_folders import of_program
from coderunner.sandbox.python_folders import Folders, of_interpreter
from tests.behaviours import behaviour


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@behaviour("sandbox:policy:programs")
@pytest.mark.parametrize(
    ("place", "link", "shown"),
    [
        (".deno/bin/deno", "", [".deno/bin"]),
        ("miniconda3/envs/r/lib/R/bin/R", "miniconda3/envs/r/bin/R", ["miniconda3/envs/r"]),
        (".npm/lib/node_modules/tslab/bin/tslab", ".npm/bin/tslab", [".npm", ".npm/lib/node_modules"]),
        ("app/node_modules/a/bin/a", "app/node_modules/.bin/a", ["app/node_modules"]),
        ("bin/mine", "", ["bin"]),
        (".local/bin/mine", "", [".local/bin"]),
        ("tool/bin/mine", "bin/mine", ["bin", "tool/bin"]),
    ],
)
def test_a_program_may_read_its_installation(tmp_path: Path, place: str, link: str, shown: list[str]) -> None:
    (tmp_path / ".local" / "lib").mkdir(parents=True)
    (tmp_path / "lib").mkdir()
    (tmp_path / "miniconda3/envs/r/lib").mkdir(parents=True)
    named = target = program(tmp_path / place)
    if link:
        named = tmp_path / link
        named.parent.mkdir(parents=True, exist_ok=True)
        named.symlink_to(target)
    absolute = of_program(str(named), None, tmp_path)
    assert set(shown) <= {str(each.relative_to(tmp_path)) for each in absolute.whole}
    assert tmp_path not in absolute.whole
    assert of_program(named.name, str(named.parent), tmp_path) == absolute


@behaviour("sandbox:policy:programs")
@pytest.mark.parametrize("first", ["#!{python}", "#!/usr/bin/env -S {python} -u"])
def test_a_script_may_read_what_its_interpreter_does(tmp_path: Path, first: str) -> None:
    script = program(tmp_path / "bin" / "akernel", first.format(python=sys.executable) + "\nimport akernel\n")
    assert set(of_interpreter(sys.executable).whole) <= set(of_program(str(script), None, tmp_path).whole)


@behaviour("sandbox:policy:programs")
def test_an_interpreter_counts_whatever_language_its_kernel_speaks(tmp_path: Path) -> None:
    assert of_program(sys.executable, None, tmp_path) == of_interpreter(sys.executable)


@behaviour("sandbox:policy:programs")
def test_a_program_that_is_not_there_reads_nothing(tmp_path: Path) -> None:
    assert of_program("no-such-program", str(tmp_path), tmp_path) == Folders()
    looping = program(tmp_path / "loop", f"#!{tmp_path / 'loop'}")
    assert set(of_program(str(looping), None, tmp_path).whole) == {tmp_path}
