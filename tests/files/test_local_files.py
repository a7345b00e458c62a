"""Files of a folder on this machine, opened by names that anybody may have chosen."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coderunner.files.chat_folder import FileError, NoSuchFile
from coderunner.files.local_files import PIECE, open_file
from tests.behaviours import behaviour

IN_A_LINK = "links/secret.txt is a link; only files that are in this chat's folder themselves can be opened."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A conversation's folder, beside it a file of the person's."""
    own = tmp_path / "own"
    (own / "a").mkdir(parents=True)
    (own / "out.csv").write_text("x,y")
    (own / "a" / "deep.txt").write_text("deep")
    (tmp_path / "secret.txt").write_text("of the person")
    return own


def read(folder: Path, path: str) -> bytes:
    """What a file holds."""
    file = open_file(folder, path)
    try:
        return file.read(0, file.size)
    finally:
        file.close_now()


@behaviour("files:open:plain")
def test_a_file_is_opened_by_its_path_in_the_folder_and_by_its_whole_one(folder: Path) -> None:
    (folder.parent / "by-another-name").symlink_to(folder)
    assert read(folder, "out.csv") == read(folder, str(folder / "out.csv")) == b"x,y"
    assert read(folder.parent / "by-another-name", str(folder / "a" / "deep.txt")) == b"deep"
    assert read(folder, "a/./deep.txt") == b"deep"


@behaviour("files:open:elsewhere")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.csv", "missing.csv is not in this chat's folder."),
        ("out.csv/x", "out.csv/x is not in this chat's folder."),
        ("../secret.txt", "../secret.txt is not in this chat's folder."),
        ("a/../../secret.txt", "a/../../secret.txt is not in this chat's folder."),
        ("/etc/passwd", "/etc/passwd is not in this chat's folder."),
        ("a", "a is not a file, so it cannot be opened."),
        ("pipe", "pipe is not a file, so it cannot be opened."),
        ("a\0b", "a\0b is not in this chat's folder."),
        ("x" * 300, "x" * 300 + " is not in this chat's folder."),
        ("/".join("a" * 70), "/".join("a" * 70) + " is not in this chat's folder."),
        ("", " is not in this chat's folder."),
        ("link", "link is a link; only files that are in this chat's folder themselves can be opened."),
        ("links/secret.txt", IN_A_LINK),
    ],
)
def test_no_name_leads_elsewhere_and_a_sentence_says_why(folder: Path, path: str, said: str) -> None:
    (folder / "link").symlink_to(folder.parent / "secret.txt")
    (folder / "links").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe")
    with pytest.raises(NoSuchFile) as caught:
        read(folder, path)
    assert str(caught.value) == said


NAMES = ("..", ".", "", "a", "out.csv", "deep.txt", "link", "links", "secret.txt", "\0", "~", "own")


@behaviour("files:open:any")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(parts=st.lists(st.sampled_from(NAMES), max_size=6), whole=st.booleans())
def test_whatever_a_path_says_a_file_of_the_folder_is_opened_or_none(
    folder: Path, parts: list[str], whole: bool
) -> None:
    if not (folder / "link").is_symlink():
        (folder / "link").symlink_to(folder.parent / "secret.txt")
        (folder / "links").symlink_to(folder.parent)
    path = "/".join([str(folder.parent), *parts] if whole else parts)
    try:
        found = read(folder, path)
    except NoSuchFile:
        return
    assert found in (b"x,y", b"deep")


@behaviour("files:open:plain")
async def test_a_file_that_becomes_shorter_while_it_is_read_ends_there(folder: Path) -> None:
    file = open_file(folder, "out.csv")
    (folder / "out.csv").write_text("x")
    assert [piece async for piece in file.pieces(0, file.size)] == [b"x"]
    await file.close()


@behaviour("files:read:pieces")
@pytest.mark.parametrize("kept", [True, False])
async def test_a_file_is_read_whole_in_pieces_whether_its_bytes_are_in_memory_or_on_the_disk(
    folder: Path, kept: bool
) -> None:
    content = os.urandom(5 * PIECE // 2)
    (folder / "big.bin").write_bytes(content)
    file = open_file(folder, "big.bin")
    if not kept and hasattr(os, "posix_fadvise"):
        with (folder / "big.bin").open("rb+") as same:
            os.fsync(same.fileno())
            # Forgotten where it is on a disk; a file system in memory keeps it.
            os.posix_fadvise(same.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    read = [piece async for piece in file.pieces(0, file.size)]
    assert [len(piece) for piece in read] == [PIECE, PIECE, PIECE // 2]
    assert b"".join(read) == content
    assert b"".join([piece async for piece in file.pieces(7, PIECE + 9)]) == content[7 : PIECE + 9]
    await file.close()
    with pytest.raises(FileError):
        await anext(file.pieces(0, 1))
