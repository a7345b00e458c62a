"""The routes of the files that blocks made, on a server as hosts run it."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from coderunner.files.chat_folder import ChatFolder, Listing
from coderunner.files.local_folder import LocalFolder
from coderunner.outputs import MadeFile, Result
from coderunner.page.block_state import Block, State
from coderunner.page.server.files.made_file_routes import MadeFileRoutes
from coderunner.page.server.routes import HEADER, Rights
from coderunner.page.server.subscriptions import Subscriptions
from tests.behaviours import behaviour
from tests.files.unreachable import unreachable
from tests.hosts.app.browsing import served

RIGHTS = Rights(owner=lambda _scope: "me")
BOARD = Subscriptions()
OWN, HERS, AWAY = "an-id-of-my-own-block", "an-id-of-her-own-block", "an-id-of-a-block-away"


class LargeFolder(LocalFolder):
    """Has more files than a listing holds."""

    async def list(self) -> Listing:
        return replace(await super().list(), files=(), more=10_000)


class Chats:
    """The folders of some chats."""

    def __init__(self) -> None:
        self.root = Path()

    async def folder_of(self, chat: str) -> ChatFolder | None:
        folders: dict[str, ChatFolder] = {
            "large": LargeFolder(self.root),
            "mine": LocalFolder(self.root),
            "away": unreachable(),
        }
        return folders.get(chat)


CHATS = Chats()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    routes = MadeFileRoutes(RIGHTS, BOARD, CHATS.folder_of).all()
    with served(lambda: Starlette(routes=routes)) as address:
        yield address


@pytest.fixture
def page(address: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A page of ours, with a block that made two files, and one that it did not make beside them."""
    CHATS.root = tmp_path
    files = []
    for name, text in (("out.csv", "a,b\n1,2\n"), ("page.html", "<script>alert(1)</script>")):
        (tmp_path / name).write_text(text)
        about = (tmp_path / name).stat()
        files.append(MadeFile(name, about.st_size, about.st_mtime_ns))
    (tmp_path / "other.txt").write_text("other")
    block = Block(state=State.ENDED, result=Result(files=tuple(files)), id=OWN)
    BOARD.show([block], "me", chat="mine")
    BOARD.show([replace(block, id=HERS)], "her", chat="mine")
    BOARD.show([replace(block, id=AWAY)], "me", chat="away")
    headers = {HEADER: RIGHTS.token}
    with httpx.Client(base_url=f"{address}/coderunner/", headers=headers, trust_env=False) as client:
        yield client


def get(page: httpx.Client, route: str, cell: str, path: str, **headers: str) -> httpx.Response:
    return page.get(route, params={"cell": cell, "path": path}, headers=headers)


@behaviour("files:made:routes")
def test_a_file_of_a_block_is_previewed_and_downloaded(page: httpx.Client) -> None:
    table = get(page, "preview", OWN, "out.csv").json()
    assert (table["kind"], table["columns"], table["rows"]) == ("table", ["a", "b"], [["1", "2"]])
    file = page.get("made", params={"cell": OWN, "path": "page.html"}, headers={HEADER: ""})
    assert file.text == "<script>alert(1)</script>"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment;")
    assert file.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert get(page, "made", OWN, "out.csv", Range="bytes=0-2").text == "a,b"


@behaviour("files:made:routes")
def test_any_file_of_a_chat_is_previewed_for_its_page(page: httpx.Client) -> None:
    seen = page.get("preview", params={"c": "mine", "path": "other.txt"})
    assert (seen.status_code, seen.json()["text"]) == (200, "other")
    assert page.get("preview", params={"c": "theirs", "path": "other.txt"}).status_code == 404


@behaviour("files:made:closed")
@pytest.mark.parametrize("route", ["preview", "made"])
@pytest.mark.parametrize(
    ("cell", "path"),
    [(HERS, "out.csv"), ("unknown", "out.csv"), ("", ""), (OWN, "other.txt"), (OWN, "../x"), (OWN, "")],
)
def test_nobody_gets_what_no_block_of_theirs_made(
    page: httpx.Client, route: str, cell: str, path: str
) -> None:
    assert get(page, route, cell, path).status_code == 404


@behaviour("files:made:closed")
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_no_other_page_gets_anything(page: httpx.Client, headers: dict[str, str]) -> None:
    its = {"cell": OWN, "path": "out.csv"}
    assert page.get("made", params=its, headers=headers).status_code == 403
    assert page.get("preview", params=its, headers=headers).status_code == 403
    assert page.post("made", json={"cells": [OWN]}, headers=headers).status_code == 403


@behaviour("files:made:closed")
def test_without_the_pages_token_there_is_neither_preview_nor_mark(page: httpx.Client) -> None:
    assert get(page, "preview", OWN, "out.csv", **{HEADER: ""}).status_code == 403
    assert page.post("made", json={"cells": [OWN]}, headers={HEADER: ""}).status_code == 403


@behaviour("files:made:marks")
def test_files_that_are_gone_or_have_changed_are_marked(page: httpx.Client, tmp_path: Path) -> None:
    cells = {"cells": [OWN, HERS, AWAY, "unknown"]}
    assert page.post("made", json=cells).json() == {OWN: {}}
    (tmp_path / "out.csv").write_text("more than before")
    (tmp_path / "page.html").unlink()
    assert page.post("made", json=cells).json() == {OWN: {"out.csv": "changed", "page.html": "gone"}}


@behaviour("files:made:marks")
def test_files_of_a_folder_that_is_too_large_to_be_listed_are_looked_at_singly(
    page: httpx.Client, tmp_path: Path
) -> None:
    large = "an-id-of-a-block-in-a-large-folder"
    _, files = BOARD.made(OWN, "me") or ("", ())
    BOARD.show([Block(state=State.ENDED, result=Result(files=files), id=large)], "me", chat="large")
    assert page.post("made", json={"cells": [large]}).json() == {large: {}}
    (tmp_path / "out.csv").unlink()
    assert page.post("made", json={"cells": [large]}).json() == {large: {"out.csv": "gone"}}


@behaviour("files:made:marks")
def test_a_time_that_a_server_tells_less_exactly_is_no_change(page: httpx.Client, tmp_path: Path) -> None:
    about = (tmp_path / "out.csv").stat()
    os.utime(tmp_path / "out.csv", ns=(about.st_atime_ns, about.st_mtime_ns // 1_000_000 * 1_000_000))
    assert page.post("made", json={"cells": [OWN]}).json() == {OWN: {}}
    os.utime(tmp_path / "out.csv", ns=(about.st_atime_ns, about.st_mtime_ns + 5_000_000))
    assert page.post("made", json={"cells": [OWN]}).json() == {OWN: {"out.csv": "changed"}}


@behaviour("files:made:marks")
@pytest.mark.parametrize("body", [b"", b"[]", b'{"cells": 1}', b'{"cells": [' + b'"x",' * 300 + b'"x"]}'])
def test_any_other_question_is_answered_by_a_sentence(page: httpx.Client, body: bytes) -> None:
    answer = page.post("made", content=body)
    assert (answer.status_code, answer.json()) == (400, {"error": 'Send {"cells": [id, …]}.'})
