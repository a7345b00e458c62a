"""Folders of sockets: those of the living stay, those of the dead go, and nothing else is touched."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from coderunner.kernel.connections import socket_folders
from tests.behaviours import behaviour

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kernels have no such sockets there")

EXTENSION = Path(__file__).parents[2] / "extension"
STARTS = """
import asyncio
from pathlib import Path
from coderunner.kernel.connections import local_kernel, socket_folders

async def main():
    kernel = await local_kernel.start("python3", Path("work"))
    print(*socket_folders._held, flush=True)
    await asyncio.to_thread(input)

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def swept(folder: Path) -> list[Path]:
    return [each for each in socket_folders.sweep(young=0.0) if each.parent == folder]


@behaviour("local:sockets:swept")
def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_living_one_is_not(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STARTS],
        env=os.environ | {"PYTHONPATH": str(EXTENSION), "TMPDIR": str(folder)},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    theirs = Path(process.stdout.readline().strip())
    if theirs.parent != folder:
        folder = theirs.parent  # the path was too long for a socket
    ours = socket_folders.make()
    assert theirs.is_dir()
    assert theirs not in swept(folder)
    process.kill()
    process.communicate()
    assert theirs in swept(folder)
    assert not theirs.exists()
    assert ours.is_dir()
    socket_folders.remove(ours)
    assert not ours.exists()


@behaviour("local:sockets:swept")
def test_what_only_looks_like_one_is_left_alone(folder: Path) -> None:
    target = folder / "precious"
    target.mkdir(mode=0o700)
    (target / socket_folders.LOCK).touch(0o600)
    (folder / "cr-link").symlink_to(target)
    (folder / "cr-file").touch()
    (folder / "cr-unlocked").mkdir(mode=0o700)
    open_to_all = folder / "cr-open"
    open_to_all.mkdir(mode=0o755)
    (open_to_all / socket_folders.LOCK).touch(0o600)
    linked = folder / "cr-linked"
    linked.mkdir(mode=0o700)
    (linked / socket_folders.LOCK).symlink_to(target / socket_folders.LOCK)
    before = sorted(folder.rglob("*"))
    assert swept(folder) == []
    assert sorted(folder.rglob("*")) == before


@behaviour("local:sockets:swept")
def test_one_that_has_just_been_made_is_left_alone(folder: Path) -> None:
    left = folder / "cr-new"
    left.mkdir(mode=0o700)
    (left / socket_folders.LOCK).touch(0o600)
    assert left not in socket_folders.sweep()
    assert swept(folder) == [left]
