"""Links to the files of a conversation: written into replies, and followed."""

import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from markdown_it import MarkdownIt

from coderunner.access.api_keys import ApiKeys, owner
from coderunner.chat.results.result_text import for_model
from coderunner.files.chat_folder import ChatFolder
from coderunner.files.local_folder import LocalFolder
from coderunner.hosts.proxy.files.album import DAY, Album
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.made_links import LINKS, FileApp, MadeLinks, apart
from coderunner.outputs import MadeFile, Result
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.files.unreachable import OUT_OF_REACH, unreachable
from tests.hosts.proxy.conftest import ALICE, BOB

ADDRESS = "http://127.0.0.1:7862"
MINE = owner(Secret(ALICE))
RING = ApiKeys([Secret(ALICE), Secret(BOB)])


def made(*paths: str) -> Result:
    return Result(files=tuple(MadeFile(path, 3, 0) for path in paths))


def links_of(album: Album, folder: ChatFolder) -> MadeLinks:
    return MadeLinks(album, MINE, "chat", ADDRESS, folder)


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(tmp_path / "links", 1, LINKS)


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    (tmp_path / "own" / "sub").mkdir(parents=True)
    (tmp_path / "own" / "a.csv").write_text("1,2")
    (tmp_path / "own" / "sub" / "b c.csv").write_text("3,4")
    return LocalFolder(tmp_path / "own")


@behaviour("proxy:links:below")
@pytest.mark.parametrize(
    "path",
    [
        "a.csv",
        "a b (1).csv",
        "](javascript:alert).csv",
        "`a`.csv",
        "*a* _b_.csv",
        "<img src=x>.png",
        "![a](b).png",
        "$x$ a|b &lt;.csv",
        "a\\.csv",
        "sub/ä.csv",
    ],
)
def test_a_file_has_one_link_whatever_its_name(album: Album, folder: LocalFolder, path: str) -> None:
    told = for_model(made(path), links=links_of(album, folder).of(made(path)))
    tokens = MarkdownIt().parse(told)[1].children or []
    (link,) = [token for token in tokens if token.type == "link_open"]
    assert str(link.attrs["href"]).startswith(f"{ADDRESS}/coderunner/files/")
    name = path.replace("`", "'")
    assert "".join(token.content for token in tokens).endswith(f"(Files: {name} (3 bytes, new))")
    assert for_the_model(told) == f"{for_model(made(path))}\n"


@behaviour("proxy:links:below")
def test_files_are_named_once_above_the_images_and_their_links_are_not_for_the_model(
    album: Album, folder: LocalFolder
) -> None:
    result = made(*(f"{index}.csv" for index in range(12)))
    told = for_model(result, links=links_of(album, folder).of(result), pictures=apart(["![1](1)", "![2](2)"]))
    assert told.count("](http") == told.count(".csv`") == 12
    names = ", ".join(f"`{index}.csv` (3 bytes, new)" for index in range(12))
    assert for_the_model(f"{told}Done.") == f"Result:\n(Files: {names})\n\n![1](1)\n![2](2)\n\nDone."


@behaviour("proxy:links:below")
def test_a_stop_string_of_the_clients_breaks_a_name_and_no_link(album: Album, folder: LocalFolder) -> None:
    links = links_of(album, folder).of(made("END.csv"))
    told = for_model(made("END.csv"), links=links, forbidden=["END"])
    assert "END" not in told.replace(links["END.csv"], "")
    assert links["END.csv"] in told


@behaviour("proxy:links:below")
@pytest.mark.parametrize("paths", [(), ("a.csv",)])
@pytest.mark.parametrize("kept", [[], ["![a](b)"]])
def test_what_the_model_says_below_is_a_paragraph_of_its_own(
    album: Album, folder: LocalFolder, paths: tuple[str, ...], kept: list[str]
) -> None:
    result = made(*paths)
    told = for_model(result, pictures=apart(kept), links=links_of(album, folder).of(result))
    *_, last = [token.content for token in MarkdownIt().parse(f"{told}Done.") if token.type == "inline"]
    assert last == ("Done." if paths or kept else "Result: (no output)\nDone.")


@behaviour("proxy:links:found")
async def test_a_link_of_the_models_leads_to_a_file_that_is_there(album: Album, folder: LocalFolder) -> None:
    links = links_of(album, folder)
    text = (
        '[a](a.csv "A"), [b](<sandbox:/mnt/data/sub/b c.csv>), [c](c.csv), [d](../secret), [e](/etc/hostname)'
    )
    said = "".join([piece async for piece in links.receive(text)]) + links.close()
    assert said.count(f"{ADDRESS}/coderunner/files/") == 2
    assert said.endswith("/sub/b%20c.csv), [c](c.csv), [d](../secret), [e](/etc/hostname)")
    assert for_the_model(said).startswith('[a](a.csv "A"), [b](sub/b%20c.csv), [c](c.csv)')


@behaviour("proxy:links:found")
async def test_where_no_file_can_be_had_a_link_stays(album: Album) -> None:
    links = links_of(album, unreachable())
    assert [piece async for piece in links.receive("[a](a.csv)")] == ["[a](", "a.csv", ")"]


@behaviour("proxy:links:end")
async def test_a_link_ends_with_its_time_and_with_its_owners_key(
    album: Album, folder: LocalFolder, tmp_path: Path
) -> None:
    link = links_of(album, folder).of(made("a.csv"))["a.csv"]

    async def status(
        ring: ApiKeys, place: Callable[[str, str], ChatFolder], **headers: str
    ) -> tuple[int, str]:
        app = httpx.ASGITransport(FileApp(album, ring, place))
        async with httpx.AsyncClient(transport=app) as client:
            answer = await client.get(link, headers=headers)
        return answer.status_code, answer.text

    def asked(whose: str, conversation: str) -> ChatFolder:
        return {(MINE, "chat"): folder}[whose, conversation]

    assert await status(RING, asked) == (200, "1,2")
    assert await status(RING, asked, Range="bytes=2-") == (206, "2")
    gone = (404, "This link does not exist or has expired.")
    assert await status(RING, asked, Authorization=f"Bearer {BOB}") == gone
    assert await status(ApiKeys([Secret(BOB)]), asked) == gone
    assert await status(RING, lambda *_: unreachable()) == (503, OUT_OF_REACH)
    (entry,) = (tmp_path / "links").iterdir()
    os.utime(entry, (entry.stat().st_mtime - 1.1 * DAY,) * 2)
    assert await status(RING, asked) == gone


@behaviour("proxy:links:end")
def test_the_oldest_links_make_way(album: Album, folder: LocalFolder) -> None:
    small = Album(album.folder, 0, 200)
    for index in range(20):
        links_of(small, folder).of(made(f"{index}.csv"))
    assert sum(path.stat().st_size for path in album.folder.iterdir()) <= 200
