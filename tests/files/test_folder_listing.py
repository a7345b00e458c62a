"""What a look at a folder finds."""

import os
from pathlib import Path

import pytest

from coderunner.files.chat_folder import File, FileError, Listing
from coderunner.files.folder_listing import DEEPEST, list_files
from tests.behaviours import behaviour


@behaviour("files:list:plain")
def test_plain_files_are_listed_and_nothing_else(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "a").mkdir(parents=True)
    (own / "out.csv").write_text("x,y")
    (own / "a" / "deep 測.txt").write_text("deep")
    for left_out in (".packages", ".ipynb_checkpoints", "__pycache__"):
        (own / left_out).mkdir()
        (own / left_out / "x.txt").touch()
    (own / ".hidden").touch()
    (tmp_path / "secret.txt").touch()
    (own / "link").symlink_to(tmp_path / "secret.txt")
    (own / "links").symlink_to(tmp_path)
    os.mkfifo(own / "pipe")
    changed = (own / "out.csv").stat().st_mtime_ns
    found = list_files(own)
    assert found.files[1] == File("out.csv", 3, changed)
    assert ([file.path for file in found.files], found.more) == (["a/deep 測.txt", "out.csv"], 0)


@behaviour("files:list:plain")
def test_a_folder_that_is_not_there_yet_has_no_files(tmp_path: Path) -> None:
    assert list_files(tmp_path / "none") == Listing()
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be listed: Not a directory"):
        list_files(tmp_path / "file")


@behaviour("files:list:bounded")
def test_what_is_too_much_is_counted_and_left_out(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / f"{number}.txt").touch()
    (tmp_path / os.fsdecode(b"\xff.txt")).touch()
    deep = tmp_path.joinpath(*"d" * (DEEPEST + 1))
    deep.mkdir(parents=True)
    (deep / "too-deep.txt").touch()
    found = list_files(tmp_path, 5)
    assert (len(found.files), found.more, found.unnamed) == (5, 2 + 1, 1)
