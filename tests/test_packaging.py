"""What we install where, and that it is all there."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import coderunner
from tests.behaviours import behaviour

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]

WEBUI = [
    "fastapi==0.112.4",
    "gradio==4.37.2",
    "gradio_client==1.0.2",
    "mcp==1.27.0",
    "numpy==2.2.*",
    "pydantic==2.11.0",
    "sse-starlette==1.6.5",
    "websockets<12",
]
"""The webui's pins of May 2026; it has a gradio of its own making, whose needs are those of this one."""

OURS = {"ipykernel", "jupyter-client", "markdown-it-py", "nh3", "pydantic-settings", "sqlalchemy", "tornado"}
"""What `--upgrade` may change: the names that requirements.txt has."""


def named(requirement: str) -> str:
    """The name of a distribution, as pip compares it."""
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def requirements() -> list[str]:
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@behaviour("packaging:requirements:equal")
def test_both_lists_of_requirements_are_equal() -> None:
    assert requirements() == PROJECT["dependencies"]
    assert {named(each) for each in requirements()} == OURS


@behaviour("packaging:requirements:light")
def test_no_requirement_names_what_the_webui_pins() -> None:
    heavy = {"pandas", "matplotlib", "torch", "httpx", "starlette", "uvicorn", "jupyter-server"}
    assert {named(each) for each in requirements()} & ({named(each) for each in WEBUI} | heavy) == set()


@behaviour("packaging:version:told")
def test_package_project_and_changelog_tell_one_version() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    told = re.findall(r"^## \[([\d.]+)\]", changelog, flags=re.MULTILINE)
    assert (coderunner.__version__, told[0]) == (PROJECT["version"], PROJECT["version"])


def pip(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def install_theirs(python: Path) -> subprocess.CompletedProcess[str]:
    """Install what the webui pins: by uv where there is one, which is several times as fast as pip."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if (uv := shutil.which("uv", path=places)) is None:
        return pip(python, "install", *WEBUI)
    command = [uv, "pip", "install", "--quiet", "--python", str(python), *WEBUI]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return done if done.returncode == 0 else pip(python, "install", *WEBUI)


def installed(python: Path) -> dict[str, str]:
    lines = pip(python, "freeze", "--all").stdout.splitlines()
    return {named(line): line.partition("==")[2] for line in lines}


@behaviour("packaging:webui:intact")
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_environment_of_the_webui_stays_as_it_is(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True, timeout=120)
    python = tmp_path / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    theirs = install_theirs(python)
    if theirs.returncode:
        pytest.skip(
            f"the webui's own pins cannot be installed here: {theirs.stderr.strip().splitlines()[-1]}"
        )
    before, complaints = installed(python), pip(python, "check").stdout

    # Compiling takes half of the time, and nothing is run but one import.
    wanted = ("--upgrade", "--requirement", str(REPOSITORY / "requirements.txt"))
    ours = pip(python, "install", "--no-compile", *wanted)

    after = installed(python)
    changed = {name for name in before if after.get(name) != before[name]}
    assert ours.returncode == 0, ours.stderr
    assert changed - OURS == set()
    assert pip(python, "check").stdout == complaints
    # The oldest pydantic that has to do: the settings are what uses it.
    load = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY / 'extension')!r})\n"
        "from coderunner.settings.settings import load\n"
        "load({'demo': True})\n"
    )
    subprocess.run([python, "-W", "error", "-c", load], check=True, timeout=60)


@behaviour("packaging:wheel:complete")
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(300)
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        REPOSITORY / "extension",
        source / "extension",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    built = pip(Path(sys.executable), "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(source))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(source / "extension").as_posix()
        for path in (source / "extension" / "coderunner").rglob("*")
        if path.is_file()
    }
    assert packed == wanted


CANDIDATES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")


@behaviour("packaging:make:python")
@pytest.mark.skipif(sys.platform == "win32", reason="make is for the other systems")
@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'pyenv: python3: command not found' >&2; exit 127", "needs Python 3.11 or later; found: none"),
        ('case "$2" in *print*) echo 3.9;; *) exit 1;; esac', "needs Python 3.11 or later; found: 3.9"),
        (
            'case "$2" in *print*) echo 3.12;; *venv*) exit 1;; esac',
            "(Debian, Ubuntu: sudo apt install python3.12-venv)",
        ),
    ],
    ids=["a shim without a Python", "an old Python", "a Python without venv"],
)
def test_make_says_which_python_is_missing(tmp_path: Path, script: str, sentence: str) -> None:
    for name in CANDIDATES:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    shown = subprocess.run(
        ["make", "-f", str(REPOSITORY / "Makefile"), "VENV=made", "made/bin/python"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 2
    assert sentence in shown.stderr
    assert not (tmp_path / "made").exists()
