"""The routes of a chat's files, on a server as hosts run it."""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from coderunner.files.chat_folder import MOST, ChatFolder
from coderunner.files.folder_listing import DEEPEST
from coderunner.files.local_folder import LocalFolder
from coderunner.page.server.files.file_routes import LISTED, FileRoutes
from coderunner.page.server.files.zip_stream import zipped
from coderunner.page.server.routes import HEADER, Rights
from tests.behaviours import behaviour
from tests.hosts.app.browsing import served

RIGHTS = Rights(owner=lambda _scope: "me")
QUOTA = 5_000_000


class Chats:
    """The folders of some chats."""

    def __init__(self) -> None:
        self.root = Path()

    async def folder_of(self, chat: str) -> ChatFolder | None:
        return LocalFolder(self.root / chat, quota=QUOTA) if chat in ("one", "two") else None


CHATS = Chats()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(lambda: Starlette(routes=FileRoutes(RIGHTS, CHATS.folder_of).all())) as address:
        yield address


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A page of ours, with chats of its own."""
    CHATS.root = tmp_path
    headers = {HEADER: RIGHTS.token}
    base = f"{address}/coderunner/"
    with httpx.Client(base_url=base, headers=headers, params={"c": "one"}, trust_env=False) as client:
        yield client


def put(page: httpx.Client, path: str, content: bytes) -> httpx.Response:
    return page.put("files", params={"c": "one", "path": path}, content=content)


@behaviour("files:routes")
def test_a_file_is_uploaded_listed_renamed_downloaded_and_deleted(page: httpx.Client, tmp_path: Path) -> None:
    kept = [put(page, "a b.csv", text).json() for text in (b"x,y", b"x,y,z")]
    assert kept == [
        {"path": "a b.csv", "size": 3, "kind": "table"},
        {"path": "a b (2).csv", "size": 5, "kind": "table"},
    ]
    listed = page.get("files").json()
    changed = (tmp_path / "one" / "a b.csv").stat().st_mtime_ns // 1_000_000
    assert listed["files"][1] == {**kept[0], "changed": changed}
    assert (len(listed["files"]), listed["more"], listed["used"]) == (2, 0, 8)
    assert 0 < listed["room"] < QUOTA
    assert listed["where"] == LocalFolder(tmp_path / "one").where
    renamed = page.post("files", json={"rename": ["a b (2).csv", "d/c.csv"]})
    assert renamed.json() == {"path": "d/c.csv", "size": 5, "kind": "table"}
    assert page.get("file", params={"c": "one", "path": "d/c.csv"}).text == "x,y,z"
    assert page.post("files", json={"delete": ["d/c.csv", "a b.csv"]}).json() == {"deleted": 2}
    assert page.get("files").json()["files"] == []


@behaviour("files:routes")
def test_a_page_is_given_the_newest_of_very_many_files(page: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for number in range(LISTED + 3):
        (tmp_path / "one" / f"{number}.txt").touch()
    listed = page.get("files").json()
    assert (len(listed["files"]), listed["more"], listed["cut"], listed["left"]) == (LISTED, 3, True, "")
    found = page.get("files", params={"c": "one", "match": " 7.TX "}).json()
    names = [f"{number}.txt" for number in range(7, LISTED + 3, 10)]
    assert sorted(file["path"] for file in found["files"]) == sorted(names)
    assert (found["more"], found["cut"]) == (LISTED + 3 - len(names), True)


@behaviour("files:routes")
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            {"rename": ["a.csv", "../b.csv"]},
            400,
            "../b.csv leads out of this chat's folder; give a file a plain name.",
        ),
        ({"rename": ["a.csv", "b.csv"]}, 404, "a.csv is not in this chat's folder."),
        ({"delete": ["a.csv"]}, 404, "a.csv is not in this chat's folder."),
        ({"delete": ["/etc/host.conf"]}, 404, "/etc/host.conf is not in this chat's folder."),
        ({"delete": ["x"] * (LISTED + 1)}, 400, 'Send {"rename": [old, new]} or {"delete": [path, …]}.'),
        ({"rename": ["a.csv"]}, 400, 'Send {"rename": [old, new]} or {"delete": [path, …]}.'),
        ([], 400, 'Send {"rename": [old, new]} or {"delete": [path, …]}.'),
        ("x" * 2_000_000, 413, "The request is too large."),
    ],
)
def test_what_cannot_be_done_is_told(page: httpx.Client, body: object, status: int, said: str) -> None:
    answer = page.post("files", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, said)


@behaviour("files:routes")
def test_of_several_that_are_deleted_it_is_told_which_are_gone(page: httpx.Client) -> None:
    for path in ("a.csv", "b.csv"):
        put(page, path, b"x,y")
    answer = page.post("files", json={"delete": ["a.csv", "gone.csv", "b.csv"]})
    why = "gone.csv is not in this chat's folder."
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": f"{why} Deleted: 2 of 3.", "deleted": ["a.csv", "b.csv"], "failed": {"gone.csv": why}},
    )


@behaviour("files:routes:owner")
@pytest.mark.parametrize("who", ["no token", "no chat", "another site", "another host"])
def test_nobody_else_is_told_or_does_anything(page: httpx.Client, tmp_path: Path, who: str) -> None:
    put(page, "a.csv", b"x,y")
    headers = {
        "no token": {HEADER: ""},
        "no chat": {},
        "another site": {"Origin": "https://elsewhere.example"},
        "another host": {"Host": "elsewhere.example"},
    }[who]
    chat = {"c": "three" if who == "no chat" else "one"}
    asked = [
        page.get("files", params=chat, headers=headers),
        page.put("files", params={**chat, "path": "b.csv"}, content=b"x", headers=headers),
        page.post("files", params=chat, json={"delete": ["a.csv"]}, headers=headers),
    ]
    assert {answer.status_code for answer in asked} == {404 if who == "no chat" else 403}
    assert all("a.csv" not in answer.text for answer in asked)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["a.csv"]
    if who == "no chat":
        linked = [page.get(each, params={**chat, "path": "a.csv"}) for each in ("file", "files.zip")]
        assert {(answer.status_code, answer.text) for answer in linked} == {
            (404, "This conversation no longer exists.")
        }


@behaviour("files:routes:broken")
def test_what_does_not_fit_is_told_and_leaves_nothing(page: httpx.Client, tmp_path: Path) -> None:
    answers = [
        put(page, "big.bin", b"x" * (QUOTA + 1)),
        page.put(
            "files", params={"c": "one", "path": "big.bin"}, content=iter([b"x" * 1_000_000] * 6)
        ),  # which does not say how long it is
    ]
    for answer in answers:
        assert answer.status_code == 507
        said = "big.bin is too large: all files of this chat together may take 5 MB (max_disk)."
        assert answer.json()["error"] == said
    assert page.get("files").json()["files"] == []
    assert list(tmp_path.rglob("*")) in ([], [tmp_path / "one"])


@behaviour("files:routes:broken")
def test_of_an_upload_that_breaks_off_nothing_is_left(page: httpx.Client, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 2_000_000
        raise InterruptedError

    with pytest.raises(InterruptedError):
        page.put("files", params={"c": "one", "path": "a.csv"}, content=broken())
    assert page.get("files").json()["files"] == []
    assert put(page, "a.csv", b"whole").json()["path"] == "a.csv"
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["a.csv"]


@behaviour("files:zip")
def test_all_files_come_in_one_zip(page: httpx.Client, tmp_path: Path) -> None:
    held = {"a.csv": b"x,y\n" * 700_000, "d/測.png": bytes(range(256)) * 900, "empty.txt": b""}
    for path, content in held.items():
        put(page, path, content)
    answer = page.get("files.zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="files.zip"')
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == held
        assert archive.getinfo("a.csv").compress_size < 100_000


@behaviour("files:zip")
@pytest.mark.parametrize(("odd", "said"), [(1, "1 file has a name"), (2, "2 files have names")])
def test_what_no_list_shows_is_told_and_keeps_nothing_else_out_of_the_zip(
    page: httpx.Client, tmp_path: Path, odd: int, said: str
) -> None:
    put(page, "a.csv", b"x,y")
    deep = (tmp_path / "one").joinpath(*"d" * (DEEPEST + 1))
    deep.mkdir(parents=True)
    for number in range(odd):
        (tmp_path / "one" / os.fsdecode(b"%d\xff.txt" % number)).touch()
    listed = page.get("files").json()
    assert (len(listed["files"]), listed["more"], listed["cut"]) == (1, 1 + odd, False)
    them = "them" if odd > 1 else "it"
    assert listed["left"] == (
        f"{said} that no list can show; let the code rename {them}. "
        "1 more file or folder is not listed: there are too many, or they lie too deep."
    )
    with zipfile.ZipFile(io.BytesIO(page.get("files.zip").content)) as archive:
        assert archive.namelist() == ["a.csv"]


@behaviour("files:zip")
def test_more_files_than_a_list_has_are_no_zip(page: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for number in range(MOST + 1):
        (tmp_path / "one" / f"{number}.txt").touch()
    answer = page.get("files.zip")
    assert (answer.status_code, answer.text) == (
        413,
        "This chat has more than 10000 files, too many for one download; let the code put them into a zip.",
    )


@behaviour("files:zip")
async def test_a_zip_is_made_piece_by_piece_without_files_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"a" * 3_000_000)
    (tmp_path / "gone.bin").touch()
    folder = LocalFolder(tmp_path)
    listed = (await folder.list()).files
    (tmp_path / "gone.bin").unlink()
    pieces = [piece async for piece in zipped(folder, listed)]
    assert max(map(len, pieces)) < 1_200_000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.namelist() == ["a.bin"]
