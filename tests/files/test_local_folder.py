"""A chat's folder on this machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from coderunner.files.chat_folder import FileError, NoRoom, NoSuchFile, NotAName, Room
from coderunner.files.local_folder import LocalFolder
from tests.behaviours import behaviour


async def pieces(of: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Pieces as they come from a network."""
    for piece in of:
        yield piece


def left_in(folder: Path) -> list[str]:
    """All that is in a folder, hidden or not."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@behaviour("files:write:whole")
async def test_a_file_is_written_whole_and_into_folders_of_its_own(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "own")
    parts = [os.urandom(70_000) for _ in range(40)]
    kept = await folder.write("data/big.bin", pieces(parts))
    assert (kept.path, kept.size) == ("data/big.bin", 2_800_000)
    assert (tmp_path / "own" / "data" / "big.bin").read_bytes() == b"".join(parts)
    assert (await folder.list()).files == (kept,)
    opened = await folder.open("data/big.bin")
    assert b"".join([piece async for piece in opened.pieces(0, opened.size)]) == b"".join(parts)
    await opened.close()
    await opened.close()


@behaviour("files:write:whole")
async def test_a_name_that_is_taken_gets_a_number_and_nothing_is_replaced(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    (tmp_path / "a.csv").write_text("first")
    (tmp_path / "a (2).csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path.parent / "outside.csv")
    kept = [(await folder.write(name, pieces([b"new"]))).path for name in ("a.csv", "link.csv")]
    assert kept == ["a (3).csv", "link (2).csv"]
    assert (tmp_path / "a.csv").read_text() == "first"
    assert not (tmp_path.parent / "outside.csv").exists()


@behaviour("files:write:whole")
async def test_two_that_come_at_once_under_one_name_are_both_kept(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    kept = await asyncio.gather(*(folder.write("a.csv", pieces([bytes([n])])) for n in range(8)))
    assert len({file.path for file in kept}) == 8
    assert {(tmp_path / file.path).read_bytes() for file in kept} == {bytes([n]) for n in range(8)}


@behaviour("files:write:whole")
@pytest.mark.parametrize("ends", ["breaks off", "is cancelled"])
async def test_of_a_file_that_does_not_come_whole_nothing_is_left(tmp_path: Path, ends: str) -> None:
    folder, begun = LocalFolder(tmp_path), asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        yield b"y" * 3_000_000
        begun.set()
        if ends == "breaks off":
            raise ConnectionError("the browser left")
        await asyncio.Event().wait()

    writing = asyncio.ensure_future(folder.write("deep/a.csv", broken()))
    await begun.wait()
    if ends == "is cancelled":
        writing.cancel()
    with pytest.raises(ConnectionError if ends == "breaks off" else asyncio.CancelledError):
        await writing
    assert left_in(tmp_path) == []


@behaviour("files:write:whole")
@pytest.mark.parametrize("path", ["../a.csv", "/tmp/a.csv", "", "links/a.csv", "file/a.csv"])
async def test_no_name_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "others").mkdir()
    (own / "links").symlink_to(tmp_path / "others")
    (own / "file").touch()
    with pytest.raises(NotAName) as caught:
        await LocalFolder(own).write(path, pieces([b"x"]))
    if path.startswith(("links", "file")):
        said = f"{path} cannot be written: one of the folders in its path is a file or a link."
        assert str(caught.value) == said
        (own / "x.csv").touch()
        with pytest.raises(NotAName) as caught:
            await LocalFolder(own).rename("x.csv", path)
        assert str(caught.value) == said
        (own / "x.csv").unlink()
    assert (left_in(own), left_in(tmp_path / "others")) == (["file", "links"], [])


@behaviour("files:write:room")
@pytest.mark.parametrize("size", [None, 1_200_000])
async def test_what_is_larger_than_the_room_is_refused_and_leaves_nothing(
    tmp_path: Path, size: int | None
) -> None:
    (tmp_path / ".packages").write_bytes(b"p" * 500_000)
    folder = LocalFolder(tmp_path, quota=1_500_000)
    room = await folder.room(await folder.list())
    assert room.used == 0
    assert 900_000 < (room.left or 0) <= 1_000_000
    with pytest.raises(NoRoom) as caught:
        await folder.write("a.csv", pieces([b"x" * 600_000] * 2), size)
    assert str(caught.value).startswith(
        "There is no room for a.csv: the files of this chat may take 1.5 MB (max_disk), and "
    )
    assert left_in(tmp_path) == [".packages"]
    assert (await folder.write("b.csv", pieces([b"x" * 800_000]))).size == 800_000


@behaviour("files:write:room")
@pytest.mark.parametrize("size", [None, 2_000_000])
async def test_of_an_empty_folder_nothing_is_said_to_be_deleted(tmp_path: Path, size: int | None) -> None:
    with pytest.raises(NoRoom) as caught:
        await LocalFolder(tmp_path, quota=1_500_000).write("a.csv", pieces([b"x" * 1_000_000] * 2), size)
    assert (
        str(caught.value) == "a.csv is too large: all files of this chat together may take 1.5 MB (max_disk)."
    )


@behaviour("files:write:room")
async def test_a_disk_that_is_full_is_told_before_anything_is_written(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    with pytest.raises(NoRoom) as caught:
        await folder.write("a.csv", pieces([b"x"]), 10**18)
    assert str(caught.value) == ("There is no room for a.csv: the disk is full; delete what is not needed.")
    assert left_in(tmp_path) == []


@behaviour("files:write:room")
async def test_a_system_that_takes_no_more_of_a_file_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
    try:
        with pytest.raises(NoRoom) as caught:
            await LocalFolder(tmp_path).write("a.csv", pieces([b"x" * 1_000_000] * 5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == "a.csv is larger than a file may be on this disk."
    assert left_in(tmp_path) == []


@behaviour("files:change")
async def test_a_file_is_renamed_and_never_in_the_place_of_another(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "b.csv").write_text("b")
    assert (await folder.rename("a.csv", "new/c.csv")).path == "new/c.csv"
    with pytest.raises(NotAName) as caught:
        await folder.rename("new/c.csv", "b.csv")
    assert str(caught.value) == "b.csv is there already; choose another name."
    assert left_in(tmp_path) == ["b.csv", "new", "new/c.csv"]


@behaviour("files:change")
async def test_a_file_is_deleted_once(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").touch()
    await folder.delete("a/x.csv")
    assert (await folder.list(), await folder.room(await folder.list())) != (None, Room(1, None))
    with pytest.raises(NoSuchFile) as caught:
        await folder.delete("a/x.csv")
    assert str(caught.value) == "a/x.csv is not in this chat's folder."


@behaviour("files:change")
@pytest.mark.parametrize("path", ["../secret.txt", "link", "links/secret.txt", "a", "", "/etc/host.conf"])
async def test_nothing_outside_is_renamed_or_deleted_and_no_folder(tmp_path: Path, path: str) -> None:
    own = tmp_path / "own"
    (own / "a").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("of the person")
    (own / "link").symlink_to(tmp_path / "secret.txt")
    (own / "links").symlink_to(tmp_path)
    folder = LocalFolder(own)
    with pytest.raises(FileError):
        await folder.delete(path)
    with pytest.raises(FileError):
        await folder.rename(path, "taken.txt")
    assert (left_in(own), (tmp_path / "secret.txt").read_text()) == (["a", "link", "links"], "of the person")
