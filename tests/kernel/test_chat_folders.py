"""The folder of a chat's files, wherever its kernel is: what is promised of one is promised of all."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

import pytest

from coderunner.files.chat_folder import (
    ChatFolder,
    FileError,
    FolderUnreachable,
    NoRoom,
    NoSuchFile,
    NotAName,
)
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.sessions.folders.chat_folders import server_path
from coderunner.kernel.sessions.folders.kernel_folder import KernelFolder
from coderunner.kernel.sessions.registry import Session, Sessions
from coderunner.outputs import Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND
from tests.kernel.servers import Jupyter

KINDS = [
    "local",
    "by the Contents API",
    "a chosen folder on a server",
    "through the kernel",
    "a person's own kernel",
]
EMPTY = "import os, shutil\nfor x in os.listdir(): shutil.rmtree(x) if os.path.isdir(x) else os.unlink(x)"
QUOTA = 0.01
"""Gigabytes."""


class Chat:
    """A conversation with a kernel, and its folder."""

    def __init__(self, sessions: Sessions, session: Session, folder: ChatFolder) -> None:
        self.session, self.folder, self.sessions = session, folder, sessions

    async def code(self, source: str) -> str:
        """What a cell prints."""
        result = await asyncio.wait_for(self.session.execute(source), BOUND)
        return "".join(output.text for output in result.outputs if isinstance(output, Stream)).strip()

    async def read(self, path: str) -> bytes:
        """What a file holds."""
        file = await self.folder.open(path)
        try:
            return b"".join([piece async for piece in file.pieces(0, file.size)])
        finally:
            await file.close()

    async def paths(self) -> list[str]:
        """What is listed."""
        return [file.path for file in (await self.folder.list()).files]

    async def everything(self) -> str:
        """All that is in the folder, hidden or not, as the code sees it; Jupyter adds a folder of its own."""
        return await self.code("import os; print(sorted({*os.listdir()} - {'.ipynb_checkpoints'}))")


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """A registry whose kernels end with the file."""
    registry = Sessions(tmp_path_factory.mktemp("work"), max_disk=QUOTA)
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Where the folder is, and how it is reached."""
    return str(request.param)


@pytest.fixture(scope="module")
def whole(kind: str, sessions: Sessions, jupyter: Jupyter, tmp_path_factory: pytest.TempPathFactory) -> Chat:
    """A conversation of each kind, whose kernel runs."""
    name = uuid.uuid4().hex
    there = Server(jupyter.url, Secret(jupyter.token))
    where: KernelLocation = Local() if kind == "local" else there
    if kind == "a person's own kernel":
        jupyter.ask("api/contents/theirs", "PUT", {"type": "directory"})
        wanted = {"path": "theirs/x.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        model = jupyter.ask("api/sessions", "POST", wanted)
        where = Server(jupyter.url, Secret(jupyter.token), attach=model["kernel"]["id"])
    if kind == "a chosen folder on a server":
        for path in ("mine", "mine/data"):
            jupyter.ask(f"api/contents/{path}", "PUT", {"type": "directory"})
        where = Server(jupyter.url, Secret(jupyter.token), folder="mine/data")
    session = sessions.get(name, where)
    assert session.begin("1").wait(BOUND) is not None
    folder = sessions.files(name, where)
    if kind == "through the kernel":
        folder = through = KernelFolder(session.ask, jupyter.url, quota=int(QUOTA * 1e9))
        io_thread().call(through.folder(), BOUND)
    return Chat(sessions, session, folder)


@pytest.fixture
async def chat(whole: Chat) -> AsyncIterator[Chat]:
    """The same, with an empty folder."""
    yield whole
    await whole.code(
        "import shutil, os\nfor x in os.listdir(): (shutil.rmtree if os.path.isdir(x) else os.unlink)(x)"
    )


async def pieces(of: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Pieces as they come from a network."""
    for piece in of:
        yield piece


@behaviour("kernel:files:everywhere")
async def test_what_is_uploaded_is_where_the_code_works(chat: Chat) -> None:
    parts = [os.urandom(100_000) for _ in range(75)]  # of more than one chunk
    kept = await chat.folder.write("data/測 a.bin", pieces(parts), 7_500_000)
    assert (kept.path, kept.size) == ("data/測 a.bin", 7_500_000)
    assert await chat.code("import os; print(os.path.getsize('data/測 a.bin'))") == "7500000"
    assert await chat.read("data/測 a.bin") == b"".join(parts)
    (listed,) = (await chat.folder.list()).files
    assert listed[:2] == kept[:2]
    assert abs(listed.changed - kept.changed) < 1_000_000
    opened = await chat.folder.open("data/測 a.bin")
    assert (opened.name, opened.size) == ("測 a.bin", 7_500_000)
    assert b"".join([piece async for piece in opened.pieces(7_000_000, 7_000_010)]) == parts[70][:10]
    await opened.close()


@behaviour("kernel:files:everywhere")
async def test_what_the_code_makes_is_listed_and_comes_out(chat: Chat) -> None:
    await chat.code("import os; os.makedirs('a/b'); open('a/b/out.csv', 'w').write('x,y'); open('.h', 'w')")
    assert await chat.paths() == ["a/b/out.csv"]
    assert await chat.read("a/b/out.csv") == b"x,y"
    assert "/a/b/out.csv" in chat.folder.address("a/b/out.csv")
    assert (await chat.folder.room(await chat.folder.list())).used == 3


@behaviour("kernel:files:everywhere")
@pytest.mark.parametrize("size", [0, 5, 3 * 1024 * 1024, 3 * 1024 * 1024 + 1])
async def test_a_file_of_any_size_arrives_as_it_was(chat: Chat, size: int) -> None:
    content = b"x" * size
    assert (await chat.folder.write("a.bin", pieces([content]))).size == size
    assert await chat.read("a.bin") == content
    assert "upload" not in await chat.everything()


@behaviour("kernel:files:everywhere")
async def test_no_file_is_replaced_by_another(chat: Chat) -> None:
    for content in (b"first", b"second"):
        await chat.folder.write("a.csv", pieces([content]))
    assert [await chat.read(path) for path in ("a.csv", "a (2).csv")] == [b"first", b"second"]
    with pytest.raises(NotAName, match=r"a\.csv is there already"):
        await chat.folder.rename("a (2).csv", "a.csv")
    assert (await chat.folder.rename("a (2).csv", "new/b.csv")).path == "new/b.csv"
    assert await chat.paths() == ["a.csv", "new/b.csv"]
    await chat.folder.delete("new/b.csv")
    assert await chat.paths() == ["a.csv"]


@behaviour("kernel:files:everywhere")
async def test_of_an_upload_that_breaks_off_nothing_is_left(chat: Chat) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 7_000_000
        raise ConnectionError("the browser left")

    before = await chat.everything()
    with pytest.raises(ConnectionError):
        await chat.folder.write("a.csv", broken())
    assert (await chat.everything(), await chat.paths()) == (before, [])


@behaviour("kernel:files:everywhere")
async def test_what_does_not_fit_is_told_and_leaves_nothing(chat: Chat, kind: str) -> None:
    if kind in ("a person's own kernel", "a chosen folder on a server"):
        pytest.skip("their disk is the only limit")
    with pytest.raises(NoRoom, match=r"a\.csv is too large: all files of this chat together may take 10 MB"):
        await chat.folder.write("a.csv", pieces([b"x" * 6_000_000] * 2))
    with pytest.raises(NoRoom):
        await chat.folder.write("a.csv", pieces([b"x"]), 12_000_000)
    assert (await chat.everything(), await chat.paths()) == ("[]", [])


@behaviour("kernel:files:everywhere")
@pytest.mark.parametrize("path", ["gone.csv", "../gone.csv", "", "a", "/etc/host.conf", "a/../b.csv"])
async def test_nothing_else_is_opened_renamed_or_deleted(chat: Chat, path: str) -> None:
    await chat.code("import os; os.makedirs('a', exist_ok=True); open('a/x.csv', 'w'); open('.hidden', 'w')")
    with pytest.raises(NoSuchFile):
        await chat.read(path)
    with pytest.raises(NoSuchFile):
        await chat.folder.delete(path)
    with pytest.raises(NoSuchFile):
        await chat.folder.rename(path, "b.csv")
    with pytest.raises(FileError):
        await chat.folder.write("../out.csv", pieces([b"x"]))
    assert await chat.everything() == "['.hidden', 'a']"


@behaviour("kernel:files:everywhere")
async def test_files_come_and_go_while_a_cell_runs(chat: Chat) -> None:
    waiting = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\nprint('went')"
    running = asyncio.ensure_future(chat.code(waiting))
    assert "go" not in await chat.paths()
    await chat.folder.write("go", pieces([b""]))
    assert await running == "went"


@behaviour("kernel:files:no-kernel")
async def test_files_wait_in_the_folder_for_the_kernel_that_comes(sessions: Sessions, there: Server) -> None:
    name = uuid.uuid4().hex
    folder = sessions.files(name, there)
    assert (await folder.list()).files == ()
    await folder.write("a.csv", pieces([b"x,y"]))
    chat = Chat(sessions, sessions.get(name, there), folder)
    assert await chat.code("print(open('a.csv').read())") == "x,y"
    place = f"{server_path(name, there)} on the Jupyter server {there.url}"
    assert folder.where == f"The files of this chat are in the folder {place}."


@behaviour("kernel:files:no-kernel")
async def test_a_kernel_in_a_sandbox_finds_the_files_that_were_there_before_it(tmp_path: Path) -> None:
    if not available():
        pytest.skip(available().why)
    where = Local(sandbox=available())
    sessions = Sessions(tmp_path, spare=True, sandbox=KernelSandbox(Grants()))
    sessions.prepare(where)
    folder = sessions.files("early", where)
    await folder.write("a.csv", pieces([b"x,y"]))
    chat = Chat(sessions, sessions.get("early", where), folder)
    assert await chat.code("print(open('a.csv').read()); open('b.csv', 'w').write('z')") == "x,y"
    assert await chat.paths() == ["a.csv", "b.csv"]
    assert await chat.read("b.csv") == b"z"
    await sessions.close_all(keep=False)


@behaviour("kernel:files:no-kernel")
async def test_where_only_the_kernel_leads_to_the_files_and_none_runs_a_sentence_says_so(
    sessions: Sessions, jupyter: Jupyter
) -> None:
    nowhere = Server(jupyter.url, Secret(jupyter.token), attach=uuid.uuid4().hex)
    with pytest.raises(FolderUnreachable) as caught:
        await sessions.files(uuid.uuid4().hex, nowhere).list()
    assert str(caught.value) == (
        "The files of this chat are reached through its kernel only, but no kernel runs for this "
        "conversation; it starts with the next block."
    )


@behaviour("kernel:files:no-kernel")
async def test_the_folder_of_a_chat_that_ends_goes_with_it_where_it_is_empty(
    sessions: Sessions, there: Server, jupyter: Jupyter
) -> None:
    names = [uuid.uuid4().hex, uuid.uuid4().hex]
    for name in names:
        assert sessions.get(name, there).begin("open('a.csv', 'w')" * (name == names[0])).wait(BOUND)
        await sessions.close(name, there)
    listed = [each["name"] for each in jupyter.ask("api/contents/coderunner")["content"]]
    assert (names[0] in listed, names[1] in listed) == (True, False)


@behaviour("kernel:files:hostile")
@pytest.mark.parametrize(
    "answer",
    [
        {"files": "none", "more": True},
        {
            "files": [["../x", 1, 1], ["/x", 1, 1], [".x", 1, 1], ["x", -1, 1], ["y", 10**30, 1], ["z"]],
            "more": -1,
        },
        {"files": [[["a"], 1, 1], None, {}], "more": "9" * 9},
        {},
    ],
)
async def test_what_a_kernel_says_of_files_is_checked(answer: dict[str, object]) -> None:
    async def ask(_question: str, _arguments: object, _patience: float) -> dict[str, object]:
        return answer

    folder = KernelFolder(ask, "there")
    listing = await folder.list()
    assert listing.files == ()
    with pytest.raises(FileError):
        await folder.open("a.csv")
