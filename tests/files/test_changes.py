"""Which files of a folder change between two moments: by Linux's events, and by reading the folder."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coderunner.files.changes import local_stamps
from coderunner.files.changes.comparison import Made, Stamps, made
from coderunner.files.changes.folder_events import FolderEvents
from coderunner.files.changes.local_changes import LocalChanges
from coderunner.files.changes.made_files import LocalFiles
from coderunner.outputs import MadeFile, Result
from tests.behaviours import behaviour


def no_events() -> FolderEvents:
    raise OSError


@pytest.fixture(params=["events", "reading"])
def changes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalChanges]:
    """A folder that has a file in it and one in a folder of it."""
    if request.param == "events" and sys.platform != "linux":
        pytest.skip("only Linux tells of changes in this way")
    (tmp_path / "old.csv").write_text("a,b\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.txt").write_text("text")
    its = LocalChanges(tmp_path, FolderEvents if request.param == "events" else no_events)
    its.settle()
    yield its
    its.close()


def told(found: Made) -> list[str]:
    return [f"{'new' if file.new else 'changed'} {file.path} {file.size}" for file in found.files]


def link(folder: Path) -> None:
    (folder / "link.csv").symlink_to("old.csv")
    (folder / "out").symlink_to("/etc")


def fill(folder: Path) -> None:
    (folder / "made" / "inner").mkdir(parents=True)
    (folder / "made" / "inner" / "a.csv").write_text("12")


def replace_old(folder: Path) -> None:
    (folder / "half").write_text("a,b,c\n")
    (folder / "half").replace(folder / "old.csv")


def write_unseen(folder: Path) -> None:
    for name in (".cache", "__pycache__", ".packages"):
        (folder / name).mkdir()
        (folder / name / "x").write_text("x")
    (folder / ".hidden").write_text("x")


@behaviour("files:changes:told")
@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda _folder: None, []),
        (lambda folder: (folder / "new.csv").write_text("1"), ["new new.csv 1"]),
        (lambda folder: (folder / "old.csv").write_text("1"), ["changed old.csv 1"]),
        (lambda folder: (folder / "deep" / "old.txt").write_text("1"), ["changed deep/old.txt 1"]),
        (lambda folder: (folder / "deep" / "b.txt").write_text("1"), ["new deep/b.txt 1"]),
        (lambda folder: shutil.copy2(folder / "old.csv", folder / "copy.csv"), ["new copy.csv 4"]),
        (lambda folder: (folder / "old.csv").rename(folder / "b.csv"), ["new b.csv 4"]),
        (lambda folder: (folder / "deep").rename(folder / "other"), ["new other/old.txt 4"]),
        (lambda folder: os.utime(folder / "old.csv", ns=(0, 0)), ["changed old.csv 4"]),
        (lambda folder: (folder / "old.csv").unlink(), []),
        (lambda folder: shutil.rmtree(folder / "deep"), []),
        (replace_old, ["changed old.csv 6"]),
        (fill, ["new made/inner/a.csv 2"]),
        (write_unseen, []),
        pytest.param(
            link, [], marks=pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
        ),
    ],
)
def test_what_is_written_in_a_folder_is_told_once(
    changes: LocalChanges, tmp_path: Path, act: Callable[[Path], object], said: list[str]
) -> None:
    act(tmp_path)
    assert told(changes.take()) == said
    assert changes.take() == Made()


@behaviour("files:changes:told")
def test_what_was_written_in_a_new_folder_is_told_of_later_as_well(
    changes: LocalChanges, tmp_path: Path
) -> None:
    fill(tmp_path)
    changes.take()
    (tmp_path / "made" / "inner" / "a.csv").write_text("123")
    assert told(changes.take()) == ["changed made/inner/a.csv 3"]


@behaviour("files:changes:between")
def test_what_was_written_before_it_settled_is_not_told(changes: LocalChanges, tmp_path: Path) -> None:
    (tmp_path / "upload.csv").write_text("1")
    changes.settle()
    assert told(changes.take()) == []
    (tmp_path / "upload.csv").write_text("12")
    assert told(changes.take()) == ["changed upload.csv 2"]


@behaviour("files:changes:told")
def test_a_folder_that_is_made_after_the_first_look_was_empty(changes: LocalChanges, tmp_path: Path) -> None:
    later = LocalChanges(tmp_path / "later", FolderEvents)
    later.settle()
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "a.csv").write_text("1")
    assert told(later.take()) == ["new a.csv 1"]
    shutil.rmtree(tmp_path / "later")
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "b.csv").write_text("1")
    assert told(later.take()) == ["new b.csv 1"]
    later.close()
    changes.take()


@behaviour("files:changes:told")
def test_more_than_linux_keeps_events_of_is_told_all_the_same(changes: LocalChanges, tmp_path: Path) -> None:
    for number in range(1_200):
        (tmp_path / f"{number:04}.csv").write_text("")
    found = changes.take()
    assert (len(found.files), found.more) == (20, 1_180)


@behaviour("files:changes:still")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of changes in this way")
def test_a_folder_in_which_nothing_was_written_is_not_read(tmp_path: Path) -> None:
    changes = LocalChanges(tmp_path)
    assert not changes.still
    changes.settle()
    assert changes.still
    (tmp_path / "a.csv").write_text("1")
    assert not changes.still
    changes.take()
    assert changes.still
    changes.close()


def heard() -> int:
    """How many folders with what is in them this process hears of."""
    handles = Path("/proc/self/fd").iterdir()
    return sum("inotify" in str(each.readlink()) for each in handles if each.is_symlink())


@behaviour("files:changes:rest")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of changes in this way")
async def test_a_folder_in_which_no_cell_runs_is_forgotten_until_the_next_one(tmp_path: Path) -> None:
    before, files = heard(), LocalFiles(tmp_path, rest=0.0)
    for name in ("a.csv", "b.csv"):
        await files.begin()
        (tmp_path / name).write_text("1")
        made = await files.end(Result())
        assert [(file.path, file.new) for file in made.files] == [(name, True)]
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, later.set)
        await later.wait()
        assert heard() == before


@behaviour("files:changes:links")
@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_folder_that_has_become_a_link_is_not_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "deep").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    known = local_stamps.read(inside)
    (inside / "deep").rmdir()
    (inside / "deep").symlink_to(outside)
    assert local_stamps.updated(inside, known, ["deep/secret.txt"]).files == {}
    assert local_stamps.read(inside).files == {}


@behaviour("files:changes:bounded")
def test_of_a_folder_that_was_not_read_as_a_whole_only_what_is_known_is_told(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.csv").write_text("")
    cut = local_stamps.read(tmp_path, most=5)
    assert len(cut.files) < 10
    assert made(cut, local_stamps.read(tmp_path)) == Made()
    one = next(iter(cut.files))
    (tmp_path / one).write_text("1")
    assert told(made(cut, local_stamps.read(tmp_path))) == [f"changed {one} 1"]


@behaviour("files:changes:order")
def test_files_that_lie_in_no_folder_are_told_first_and_the_rest_is_counted() -> None:
    after = Stamps({"a/deep.csv": (1, 1), "late.csv": (1, 3), "b/deep.csv": (1, 0), "early.csv": (1, 2)})
    found = made(Stamps(), after, most=3)
    assert [file.path for file in found.files] == ["early.csv", "late.csv", "b/deep.csv"]
    assert found == Made((MadeFile("early.csv", 1, 2), *found.files[1:]), 1)
