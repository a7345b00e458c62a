"""What the app leaves on the disk is nobody else's, however its person's system makes files."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

from coderunner.hosts.app.server import App
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.hosts.app.parrot import Parrot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")

BOUND = 60.0
CODE = "```python\nopen('made.txt', 'w').write('x')\nimport os; os.mkdir('folder')\nprint(15)\n```\n"


@pytest.fixture
def no_mask() -> Iterator[None]:
    """Files are for everybody unless a program says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; its path is short, since that of a socket may have 107 characters."""
    folder = Path(mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    rmtree(folder)


def has_files(folder: Path) -> bool:
    return any(folder.iterdir())


def open_to_others(folder: Path) -> list[str]:
    """What others can read, or change, below a folder that they can look into."""
    found = []
    for path in folder.iterdir():
        if path.is_symlink():
            continue
        if path.stat().st_mode & 0o077:
            found.append(str(path))
        if path.is_dir() and path.stat().st_mode & 0o077:
            found += open_to_others(path)
    return found


@behaviour("app:files:private")
@pytest.mark.usefixtures("no_mask")
async def test_records_keys_and_folders_are_their_owners_alone(
    parrot: tuple[Parrot, str], tmp_path: Path, temporary: Path
) -> None:
    # A folder that is there already keeps its rights, so each thing in it has to see to itself.
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    endpoint = {"model_url": f"{parrot[1]}/v1", "model": "parrot"}
    app = App(load({**endpoint, "approve": "auto", "data_dir": data}))
    app.choices.choice = await app.model_choices.start()
    conversation = app.conversations.new()
    conversation.say(CODE)
    async with asyncio.timeout(BOUND):
        async for _ in conversation.follow():
            pass
    assert app.records.settle(BOUND)
    made = {path.name for path in data.rglob("*")}
    assert {"app-key", "records.sqlite", "records.sqlite-wal", "records.sqlite-shm", "made.txt"} <= made
    try:
        assert open_to_others(data) == []
        assert has_files(temporary)
        assert open_to_others(temporary) == []
    finally:
        await app.sessions.close_all()
        await app.model_choices.stop()
        app.records.close()
    assert open_to_others(data) == []
    assert not has_files(temporary)
