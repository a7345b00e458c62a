"""The folder on a Jupyter server in which kernels start: one that a person chooses, or one of each chat."""

import asyncio
import json
import uuid

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.files.chat_folder import ChatFolder, FolderUnreachable
from coderunner.kernel.connections.servers.rest_connection import LARGEST_REPLY
from coderunner.kernel.connections.servers.running_kernels import RunningKernel
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.sessions.folders.chat_folders import server_path
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Result, Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND
from tests.kernel.servers import Answer, Jupyter, scripted_server

TOP = {"type": "file", "format": "text", "content": "a,b"}


def at(jupyter: Jupyter, folder: str) -> Server:
    return Server(jupyter.url, Secret(jupyter.token), folder=folder)


def make(jupyter: Jupyter, folder: str) -> None:
    jupyter.ask(f"api/contents/{folder}", "PUT", {"type": "directory"})


async def run(sessions: Sessions, name: str, where: Server, source: str) -> Result:
    return await asyncio.wait_for(sessions.get(name, where).execute(source), BOUND)


def text(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream)).strip()


async def paths(folder: ChatFolder) -> list[str]:
    return [file.path for file in (await folder.list()).files]


@behaviour("server:folder:chosen")
@pytest.mark.parametrize("inside", ["", "sales/"], ids=["the server's own", "one within"])
async def test_code_works_beside_the_files_of_its_person_and_is_found_again(
    jupyter: Jupyter, inside: str
) -> None:
    name, file = uuid.uuid4().hex, f"{uuid.uuid4().hex}.csv"
    make(jupyter, "sales")
    jupyter.ask(f"api/contents/{inside}{file}", "PUT", TOP)
    where = at(jupyter, inside.rstrip("/") or "/")
    before, after = Sessions(max_disk=1e-9), Sessions()
    try:
        read = await run(
            before, name, where, f"x = open('{file}').read(); print(x); open('made-{file}', 'w')"
        )
        assert text(read) == "a,b"
        folder = before.files(name, where)
        listed = await paths(folder)
        assert {file, f"made-{file}"} <= set(listed)
        assert folder.where == (
            f"The files of this chat are in the folder sales on the Jupyter server {where.url}."
            if inside
            else f"The files of this chat are in the folder of the Jupyter server {where.url}."
        )
        assert (await folder.room(await folder.list())).left is None  # the disk is the only limit
        await before.close_all()
        assert text(await run(after, name, where, "print(x)")) == "a,b"
        assert jupyter.session(server_path(name, where))["kernel"]["id"] in jupyter.kernels()
    finally:
        await after.close(name, where)
        await after.close_all(keep=False)
    there = [each["name"] for each in jupyter.ask(f"api/contents/{inside}")["content"]]
    assert file in there
    assert not [each for each in there if name in each]
    assert not jupyter.kernels() or name not in str(jupyter.ask("api/sessions"))


@behaviour("server:folder:chosen")
@pytest.mark.parametrize(
    ("folder", "path"),
    [("", "coderunner/talk"), ("/", "coderunner-talk"), ("a/b", "a/b/coderunner-talk")],
)
def test_a_kernel_in_any_folder_is_known_as_its_conversations(folder: str, path: str) -> None:
    assert server_path("talk", Server("http://h", folder=folder)) == path
    assert RunningKernel("id", "python3", "idle", path, None).conversation == "talk"
    assert not RunningKernel("id", "python3", "idle", f"{path}.ipynb", None).conversation


@behaviour("server:folder:gone")
async def test_a_folder_that_is_not_there_is_told_and_nothing_starts(jupyter: Jupyter) -> None:
    where, sessions, before = at(jupyter, "no/such"), Sessions(), jupyter.kernels()
    said = f"the Jupyter server {where.url} has no folder no/such, or hides it; make it there, or change"
    result = await run(sessions, "gone", where, "1")
    assert result.status is Status.REFUSED
    assert f"{said} server_folder" in result.detail
    assert jupyter.kernels() == before
    with pytest.raises(FolderUnreachable, match="has no folder no/such"):
        await sessions.files("gone", where).list()
    await sessions.close_all(keep=False)


@behaviour("server:folder:bounded")
async def test_of_a_folder_with_many_others_its_top_is_listed_and_what_is_left_out_is_counted(
    jupyter: Jupyter,
) -> None:
    where, sessions, name = at(jupyter, "home"), Sessions(), uuid.uuid4().hex
    make(jupyter, "home")
    source = (
        "import os\nfor i in range(30):\n os.makedirs(f'd{i:02}/e/f/g')\n"
        " for p in ('', 'e/', 'e/f/', 'e/f/g/'): open(f'd{i:02}/{p}x', 'w')\n"
        "for i in range(300): open(f'{i}.txt', 'w')"
    )
    assert (await run(sessions, name, where, source)).status is Status.OK
    try:
        listing = await sessions.files(name, where).list()
    finally:
        await sessions.close(name, where)
        await sessions.close_all(keep=False)
    shown = [file.path for file in listing.files]
    assert sum("/" not in path for path in shown) == 300
    assert len(shown) == 300 + 19  # 20 requests: the folder itself, and 19 in it
    assert listing.more == 11 + 19  # folders in it that were not looked into, and in those that were


@behaviour("server:folder:bounded")
async def test_a_folder_that_is_too_large_for_a_listing_is_left_out_and_not_asked_for_again() -> None:
    entries = [{"name": "a.csv", "type": "file", "size": 3}, {"name": "many", "type": "directory"}]
    there: Answer = (200, {}, json.dumps({"last_modified": "2026-01-01", "content": entries}))
    answers: dict[str, Answer] = {
        "/api/contents/": there,
        "/api/contents/home": there,
        "/api/contents/home/many": (200, {}, " " * (LARGEST_REPLY + 1)),
    }
    sessions = Sessions()
    with scripted_server(answers) as server:
        for path, listed in (("home", ["a.csv"]), ("home/many", None)):
            where = Server(server.url, folder=path)
            for _ in range(2):  # each press of a button is a listing of its own
                if listed is None:
                    with pytest.raises(FolderUnreachable, match="home/many, because it holds too many files"):
                        await sessions.files("any", where).list()
                else:
                    listing = await sessions.files("any", where).list()
                    assert ([file.path for file in listing.files], listing.more) == (listed, 1)
        assert sum("/many" in path for _, path, _ in server.asked) == 1
    await sessions.close_all(keep=False)


@behaviour("server:folder:hint")
async def test_who_misses_a_file_in_the_folder_of_a_chat_is_told_where_the_persons_are(
    jupyter: Jupyter, there: Server
) -> None:
    name, sessions = uuid.uuid4().hex, Sessions()
    try:
        result = await run(sessions, name, there, "open('sales.csv')")
        said = "the kernel works in a folder of this chat; ../.. has the person's own files"
        assert said in for_model(result)
        for other in ("open('/no/sales.csv')", "open('../../sales.csv')", "{}['sales.csv']"):
            assert not (await run(sessions, name, there, other)).detail
        chosen = at(jupyter, "/")
        assert not (await run(sessions, f"{name}2", chosen, "open('no-sales.csv')")).detail
    finally:
        for each, where in ((name, there), (f"{name}2", at(jupyter, "/"))):
            await sessions.close(each, where)
        await sessions.close_all(keep=False)
