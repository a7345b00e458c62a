"""Files to and from the code of a session, as the SDK's own client sends and reads them."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import (
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ResourceLink,
    TextResourceContents,
)

from coderunner.hosts.mcp.file_tools import MOST_SENT
from coderunner.hosts.mcp.files.file_uris import file_uri, named
from coderunner.hosts.mcp.files.uploads import MOST, Uploads
from tests.behaviours import behaviour
from tests.hosts.mcp.clients import BOB, call, http_server, over_http, over_stdio, stands, texts

SALES = "city,sales\nOslo,12\nBergen,\nTromsø,7\nOslo,12\n"
CLEAN = "city,sales\nOslo,12.0\nTromsø,7.0\n"
STORY = """\
import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv("sales.csv")
clean = table.dropna().drop_duplicates()
clean.to_csv("clean.csv", index=False)
clean.plot.barh("city", figsize=(3, 2))
plt.savefig("chart.png")
plt.close()
print(len(table), "rows,", len(clean), "complete")
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with http_server(tmp_path_factory.mktemp("mcp"), "--approve", "auto") as address:
        yield address


def given(result: CallToolResult) -> str | bytes:
    """The content of a download."""
    (block,) = result.content
    assert isinstance(block, EmbeddedResource)
    if isinstance(block.resource, TextResourceContents):
        return block.resource.text
    return base64.b64decode(block.resource.blob)


async def story(client: Client) -> None:
    """A table is sent, drawn and cleaned, and what was made of it is read in every way there is."""
    sent = await call(client, "upload", name="sales.csv", content=SALES)
    session = stands(sent, "session")
    assert (stands(sent, "path"), stands(sent, "size")) == ("sales.csv", len(SALES.encode()))
    ran = await call(client, "run_python", code=STORY, session=session, wait=100)
    assert "4 rows, 2 complete" in texts(ran)[0]
    made = {block.name: block for block in ran.content if isinstance(block, ResourceLink)}
    assert {name: link.mime_type for name, link in made.items()} == {
        "clean.csv": "text/csv",
        "chart.png": "image/png",
    }
    assert given(await call(client, "download", path="clean.csv", session=session)) == CLEAN
    (table,) = (await client.read_resource(made["clean.csv"].uri)).contents
    assert isinstance(table, TextResourceContents)
    assert (table.text, table.mime_type) == (CLEAN, "text/csv")
    (chart,) = (await client.read_resource(made["chart.png"].uri)).contents
    assert isinstance(chart, BlobResourceContents)
    assert chart.mime_type == "image/png"
    assert base64.b64decode(chart.blob).startswith(b"\x89PNG")
    listed = stands(await call(client, "files", session=session), "files")
    assert [(each["path"], each["kind"]) for each in listed] == [
        ("chart.png", "image"),
        ("clean.csv", "table"),
        ("sales.csv", "table"),
    ]
    everywhere = {each.uri for each in (await client.list_resources()).resources}
    assert {each["uri"] for each in listed} <= everywhere
    assert stands(ran, "files")[0]["uri"] in everywhere


@behaviour("mcp:files:story")
@pytest.mark.parametrize(("transport", "mode"), [("stdio", "auto"), ("http", "legacy")])
async def test_a_table_is_sent_drawn_and_cleaned_and_read_again(
    transport: str, mode: str, url: str, tmp_path: Path
) -> None:
    way = (
        over_http(url, mode=mode)
        if transport == "http"
        else over_stdio(tmp_path, "--approve", "auto", mode=mode)
    )
    async with way as client:
        await story(client)


@behaviour("mcp:files:parts")
async def test_a_file_goes_in_pieces_and_comes_in_parts(url: str) -> None:
    content = bytes(range(256)) * 40
    async with over_http(url) as client:
        session = ""
        for at in range(0, len(content), 4096):
            piece = base64.b64encode(content[at : at + 4096]).decode()
            sent = await call(
                client,
                "upload",
                name="data/big.bin",
                content=piece,
                encoding="base64",
                more=at + 4096 < len(content),
                session=session,
            )
            session = stands(sent, "session")
            if not stands(sent, "complete"):
                listed = await call(client, "files", session=session)
                assert stands(listed, "files") == []
        assert (stands(sent, "path"), stands(sent, "size")) == ("data/big.bin", len(content))
        got, start = b"", 0
        while start < len(content):
            part = await call(
                client, "download", path="data/big.bin", session=session, start=start, length=3000
            )
            got, start = got + bytes(given(part)), stands(part, "end")  # type: ignore[arg-type]
        assert got == content
        await call(client, "upload", name="a.txt", content="Tromsø", session=session)
        cut = await call(client, "download", path="a.txt", session=session, length=6)
        assert (given(cut), stands(cut, "end"), stands(cut, "size")) == ("Troms", 5, 7)
        rest = await call(client, "download", path="sandbox:/mnt/data/a.txt", session=session, start=5)
        assert (given(rest), stands(rest, "end")) == ("ø", 7)
        assert (stands(rest, "path"), stands(rest, "uri")) == ("a.txt", file_uri(session, "a.txt"))


@behaviour("mcp:files:refused")
async def test_what_cannot_be_sent_or_read_is_told_and_leaves_nothing(url: str) -> None:
    async with over_http(url) as client:
        session = stands(await call(client, "upload", name="a.csv", content="1"), "session")
        for arguments, sentence in (
            (
                {"name": "../b.csv", "content": "1"},
                "../b.csv leads out of this session's folder; give a file a plain name.",
            ),
            (
                {"name": "b.csv", "content": "a,b", "encoding": "base64"},
                "the content is not valid base64; nothing was written",
            ),
        ):
            refused = await call(client, "upload", session=session, **arguments)
            assert refused.is_error
            assert texts(refused)[0].endswith(sentence)
        long = await call(client, "upload", name="b.csv", content="ø" * (MOST_SENT + 1), session=session)
        assert "a call takes at most 3,000,000 characters" in texts(long)[0]
        again = await call(client, "upload", name="a.csv", content="2", session=session)
        assert stands(again, "path") == "a (2).csv"
        listed = await call(client, "files", session=session)
        assert [each["path"] for each in stands(listed, "files")] == ["a (2).csv", "a.csv"]
        for path in ("b.csv", "../../secret", "/etc/hostname"):
            assert (await call(client, "download", path=path, session=session)).is_error
        with pytest.raises(MCPError, match=r"b\.csv is not in this session's folder"):
            await client.read_resource(file_uri(session, "b.csv"))
        unknown = await call(client, "files", session="no such")
        assert "there is no session 'no such', or it has no files" in texts(unknown)[0]


@behaviour("mcp:files:apart")
async def test_nobody_reads_the_files_of_another_key(url: str) -> None:
    async with over_http(url) as alice, over_http(url, BOB) as bob:
        sent = await call(alice, "upload", name="a.csv", content="1", session="shared")
        assert (await call(bob, "download", path="a.csv", session="shared")).is_error
        with pytest.raises(MCPError):
            await bob.read_resource(stands(sent, "uri"))
        assert (await bob.list_resources()).resources == []


@behaviour("mcp:files:described")
async def test_the_tools_say_what_they_do_to_files(url: str) -> None:
    async with over_http(url) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        templates = (await client.list_resource_templates()).resource_templates
    hints = {
        name: (its.annotations.read_only_hint, its.annotations.destructive_hint)
        for name in ("upload", "download", "files")
        if (its := tools[name]).annotations is not None
    }
    assert hints == {"upload": (False, False), "download": (True, None), "files": (True, None)}
    assert all(tools[name].output_schema for name in hints)
    assert not [name for name, its in tools.items() if "    " in str(its.description)]
    assert "coderunner://sessions/{session}/files/{+path}" in [each.uri_template for each in templates]


@behaviour("mcp:files:pieces")
async def test_the_file_that_waits_longest_makes_way() -> None:
    uploads = Uploads()
    for index in range(MOST + 1):
        upload = uploads.take(("session", f"{index}"))
        upload.add([b"%d" % index])
        uploads.put_back(("session", f"{index}"), upload)
    first, last = uploads.take(("session", "0")), uploads.take(("session", f"{MOST}"))
    assert (first.size, [piece async for piece in last.pieces()]) == (0, [b"%d" % MOST])
    first.close()
    last.close()
    uploads.drop("session")
    dropped = uploads.take(("session", "1"))
    assert dropped.size == 0
    dropped.close()


@behaviour("mcp:files:described")
@pytest.mark.parametrize("session", ["default", "a/files/b", "ä ?#%2F"])
@pytest.mark.parametrize("path", ["a.csv", "data/a b.csv", "ä?#%.csv"])
def test_an_address_names_one_file_of_one_session(session: str, path: str) -> None:
    uri = file_uri(session, path)
    assert uri.isascii()
    assert named(uri) == (session, path)
    assert named("coderunner://output/abc") is None
