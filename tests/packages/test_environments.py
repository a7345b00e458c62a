"""Environments as kernels: found by files, named, and one that is started."""

import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from coderunner.errors import NoSuchKernelSpec
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.packages.environments import Environment, environments, interpreter, is_environment
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.outputs import Status, Stream
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.packages.test_kernels import PLACES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the folders are those of other systems")


def make(place: Path, kind: str = "pyvenv.cfg", *, kernel: bool = True) -> Path:
    """An environment, as far as files tell."""
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").write_text("")
    if kind == "conda-meta":
        (place / kind).mkdir()
    else:
        (place / kind).write_text("home = /usr/bin\n")
    if kernel:
        (place / "lib" / "python3.12" / "site-packages" / "ipykernel").mkdir(parents=True)
    return place


def lend(place: Path) -> Path:
    """Make a real environment that has all that ours has."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True, timeout=60)
    (own,) = place.glob("lib/python3*/site-packages")
    (lent,) = (Path(each) for each in site.getsitepackages() if os.path.isdir(Path(each) / "ipykernel"))
    (own / "ipykernel").symlink_to(lent / "ipykernel")
    (own / "lent.pth").write_text(f"{lent}\n")
    return place


@behaviour("environments:paths")
@pytest.mark.parametrize(
    ("name", "is_one"),
    [("python3", False), ("ir", False), ("~/work", True), ("/opt/x/bin/python", True), ("./.venv", True)],
)
def test_a_path_is_an_environment_and_a_name_is_a_kernel_spec(name: str, is_one: bool) -> None:
    assert is_environment(name) is is_one


@behaviour("environments:paths")
def test_a_folder_means_its_own_environment(tmp_path: Path) -> None:
    make(tmp_path / "project" / ".venv")
    python = str(tmp_path / "project" / ".venv" / "bin" / "python")
    assert interpreter(str(tmp_path / "project")) == python
    assert interpreter(str(tmp_path / "project" / ".venv")) == python
    assert interpreter(python) == python


@behaviour("environments:sentences")
def test_what_cannot_run_a_kernel_is_told_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NoSuchKernelSpec, match=r"there is no Python environment at .*name a folder with"):
        interpreter(str(tmp_path / "nowhere"))
    make(tmp_path / "bare" / ".venv", kernel=False)
    with pytest.raises(NoSuchKernelSpec, match=r"has no ipykernel.*bin/python -m pip install ipykernel"):
        interpreter(str(tmp_path / "bare"))


@behaviour("environments:conda")
def test_environments_of_conda_are_found_by_name(tmp_path: Path) -> None:
    make(tmp_path / "miniforge3", "conda-meta")
    make(tmp_path / "miniforge3" / "envs" / "science", "conda-meta")
    make(tmp_path / "miniforge3" / "envs" / "without", "conda-meta", kernel=False)
    listed = make(tmp_path / "elsewhere" / "envs" / "listed", "conda-meta")
    (tmp_path / ".conda").mkdir()
    (tmp_path / ".conda" / "environments.txt").write_text(f"{listed}\n{tmp_path / 'gone'}\n\n")
    assert environments({}, tmp_path) == [
        Environment("conda: base (miniforge3)", "~/miniforge3"),
        Environment("conda: listed", "~/elsewhere/envs/listed"),
        Environment("conda: science", "~/miniforge3/envs/science"),
    ]
    assert environments({}, tmp_path / "nobody") == []


@behaviour("environments:kernel")
@pytest.mark.parametrize("place", PLACES)
def test_a_kernel_runs_in_the_environment_of_a_folder(tmp_path: Path, place: str) -> None:
    environment = lend(tmp_path / "project" / ".venv")
    sandbox = KernelSandbox() if place == "sandboxed" else None
    sessions = Sessions(tmp_path / "kernels", sandbox=sandbox)
    try:
        result = run(sessions.get("c", Local(str(tmp_path / "project"))), "import sys; print(sys.prefix)")
        assert (result.status, result.outputs) == (Status.OK, (Stream("stdout", f"{environment}\n"),))
        nowhere = run(sessions.get("d", Local(str(tmp_path / "nowhere"))), "1")
        assert nowhere.status is Status.REFUSED
        assert "there is no Python environment at" in nowhere.detail
    finally:
        io_thread().call(sessions.close_all(), BOUND)
