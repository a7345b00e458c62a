"""What the README says can be done, can be done."""

import re
import shlex
from pathlib import Path

import pytest

from coderunner.__main__ import COMMANDS
from coderunner.settings.settings import descriptions
from tests import readme
from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parent.parent
PAGES = sorted(path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "docs").rglob("*.md"))
TEXTS = {
    name: (REPOSITORY / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", *PAGES)
}
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def commands(program: str) -> list[list[str]]:
    """Every call of `program` in a block or between backticks, as words; comments are left out."""
    text = "\n".join(TEXTS.values())
    pieces = re.findall(r"`([^`\n]+)`", text) + text.splitlines()
    calls = [piece for piece in pieces if re.match(rf"(\.venv/bin/)?{program} [a-z]", piece)]
    words = [shlex.split(call, comments=True) for call in calls]
    return [each[1:] for each in words]


@behaviour("readme:settings:table")
def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert readme.made() == TEXTS["docs/settings.md"], "write it anew: python -m tests.readme"


@behaviour("readme:commands:work")
def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
    wanted = {words[0] for words in commands("make")}
    assert wanted - targets == set()
    assert {"run", "test", "lint"} <= wanted


@behaviour("readme:commands:work")
def test_every_command_and_flag_is_there() -> None:
    flags = {each.flag for each in descriptions()} | {
        *("--config", "--http", "--json", "--no-token", "--session", "--upstream")
    }
    calls = commands("coderunner")
    assert {words[0] for words in calls} - COMMANDS.keys() == set()
    assert {word for words in calls for word in words if word.startswith("--")} - flags == set()


@behaviour("readme:commands:work")
def test_every_variable_is_there() -> None:
    named = set(re.findall(r"CODERUNNER_[A-Z_]+", TEXTS["README.md"] + TEXTS["docs/settings.md"]))
    assert named - {each.variable for each in descriptions()} == {"CODERUNNER_CONFIG"}


@behaviour("readme:links:lead")
@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_is_linked_is_there(name: str) -> None:
    linked = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", TEXTS[name])
    folder = (REPOSITORY / name).parent
    assert [each for each in linked if not (folder / each.partition("#")[0]).exists()] == []


@behaviour("readme:links:lead")
def test_the_packages_as_listed_are_those_that_are_there() -> None:
    drawn = TEXTS["README.md"].partition("## Development")[2]
    package = REPOSITORY / "extension" / "coderunner"
    built = {path.name for path in package.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert {name for name in built if f"{name}/" not in drawn} == set()
