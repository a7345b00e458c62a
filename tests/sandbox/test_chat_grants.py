"""What a person allows by hand to the code of one chat, in real kernels of each sandbox there is here."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coderunner.kernel.kernel_location import KernelLocation
from coderunner.kernel.sessions.chat_grants import ChatGrants, Reach
from coderunner.kernel.sessions.registry import Local, Server, Sessions
from coderunner.outputs import Result, Status
from coderunner.sandbox.backends import Availability, Backend
from coderunner.sandbox.granted import MOST_EACH, Granted
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.sandbox.typed.not_grantable import NotGrantable
from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, printed

BOUND = 90.0


class Chats:
    """The chats of one page."""

    def __init__(
        self, home: Path, sandbox: KernelSandbox | None, where: KernelLocation | None = None
    ) -> None:
        self.where = where or Local()
        self.sessions = Sessions(home / ".coderunner" / "kernels", sandbox=sandbox)
        self.grants = ChatGrants(self.sessions, lambda: self.where)

    async def run(self, code: str, chat: str = "chat") -> Result:
        return await self.sessions.get(chat, self.where).execute(code, deadline=BOUND)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = Path(os.path.realpath(tmp_path)) / "ada"
    for name in ("data", "out", "everywhere"):
        (home / name).mkdir(parents=True)
        (home / name / "sales.csv").write_text("15")
    monkeypatch.setenv("HOME", str(home))
    return home


def boxed(home: Path, way: Availability, **more: Any) -> KernelSandbox:
    data = home / ".coderunner"
    return KernelSandbox(
        way=way, granted=Granted(data / "grants.json"), hidden=(data,), **{"buttons": True, **more}
    )


@pytest.fixture(params=HERE)
def chats(home: Path, request: pytest.FixtureRequest) -> Iterator[Chats]:
    chats = Chats(home, boxed(home, Availability(request.param)))
    yield chats
    chats.sessions.io_thread.call(chats.sessions.close_all())


@behaviour("sandbox:by-hand:running")
async def test_what_is_allowed_by_hand_holds_in_the_kernel_that_runs_and_in_no_other_chat(
    chats: Chats, home: Path
) -> None:
    read, write = f"print(open('{home}/data/sales.csv').read())", f"open('{home}/out/new', 'w').write('x')"
    assert (await chats.run("x = 15")).status is Status.OK
    assert (await chats.run(read)).status is Status.ERROR
    said = await chats.grants.add("chat", "read", "~/data")
    kept = (await chats.run("x")).status is Status.OK
    restarted = "" if kept else " The kernel was restarted, its variables are gone."
    assert said == f"Code in this chat may now read ~/data.{restarted}"
    assert printed(await chats.run(read)) == "15"
    assert (await chats.run(write)).status is Status.ERROR
    assert "may now read and write ~/out." in await chats.grants.add("chat", "write", str(home / "out"))
    assert (await chats.run(write)).status is Status.OK
    assert (home / "out" / "new").read_text() == "x"
    assert (await chats.run(read, "another")).status is Status.ERROR
    assert chats.grants.of("another").own == ()


@behaviour("sandbox:by-hand:shown")
async def test_what_code_may_reach_is_listed_with_where_that_comes_from(home: Path) -> None:
    secret = CodeSecret("API_KEY", "api.example.com", 443, Secret("12345678"))
    everywhere = Grants(frozenset({home / "everywhere"}), hosts=frozenset({"packages"}))
    chats = Chats(home, boxed(home, Availability("namespaces"), grants=everywhere, secrets=(secret,)))
    shown = ("read ~/everywhere", "reach the package indexes of pip")
    everywhere_shown = (*shown, "reach api.example.com with the secret API_KEY")
    assert chats.grants.of("chat") == Reach((), everywhere_shown, "~/.coderunner/kernels/chat")
    with pytest.raises(NotGrantable, match="may read ~/everywhere already"):
        await chats.grants.add("chat", "read", "~/everywhere/")
    assert await chats.grants.add("chat", "network", "Example.org") == (
        "Code in this chat may now reach example.org."
    )
    await chats.grants.add("chat", "write", "~/everywhere")
    assert chats.grants.of("chat").own == ("read and write ~/everywhere", "reach example.org")
    assert chats.grants.of("chat").everywhere == everywhere_shown


@behaviour("sandbox:by-hand:running")
@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("namespaces", "Code in this chat may now read ~/data. Code finds it there, not at ~/link."),
        ("landlock", "Code in this chat may now read ~/data."),
    ],
)
async def test_where_a_link_is_typed_its_end_is_allowed_and_that_is_said(
    way: Backend, said: str, home: Path
) -> None:
    (home / "link").symlink_to(home / "data")
    chats = Chats(home, boxed(home, Availability(way)))
    assert await chats.grants.add("chat", "read", " ~/link/ ") == said
    assert await chats.grants.add("chat", "read", "~/./out") == "Code in this chat may now read ~/out."


@behaviour("sandbox:by-hand:running")
@pytest.mark.parametrize("way", ["namespaces", "landlock"])
async def test_of_a_folder_that_takes_no_new_files_that_is_said(way: Backend, home: Path) -> None:
    (home / "out" / ".git").mkdir()
    chats = Chats(home, boxed(home, Availability(way)))
    closed = " Something in it stays read only or secret, so it takes no new files; the folders in it do."
    assert await chats.grants.add("chat", "write", "~/out") == (
        "Code in this chat may now read and write ~/out. Read only: .git, from which your own "
        f"programs run.{closed if way == 'landlock' else ''}"
    )


@behaviour("sandbox:by-hand:back")
async def test_only_what_a_page_has_shown_is_taken_back(home: Path) -> None:
    chats = Chats(home, boxed(home, Availability("namespaces")))
    for text in ("a.example", "b.example"):
        await chats.grants.add("chat", "network", text)
    page, shown = chats.grants.seen("chat"), chats.grants.of("chat").own
    await chats.grants.add("chat", "network", "c.example")  # at another page, meanwhile
    assert await chats.grants.keep("chat", page, shown) == ""
    assert await chats.grants.keep("chat", page, ["reach a.example"]) == "Taken back: reach b.example."
    assert chats.grants.of("chat").own == ("reach a.example", "reach c.example")
    await chats.grants.add("another", "network", "a.example")
    assert await chats.grants.keep("another", page, []) == ""  # the page shows that chat only from now on
    assert chats.grants.of("another").own == ("reach a.example",)


@behaviour("sandbox:by-hand:busy")
@pytest.mark.skipif("landlock" not in HERE, reason="no Landlock here")
async def test_a_block_that_runs_is_neither_ended_nor_waited_for(home: Path) -> None:
    chats = Chats(home, boxed(home, Availability("landlock")))
    try:
        assert (await chats.run("x = 15")).status is Status.OK
        go = home / ".coderunner" / "kernels" / "chat" / "go"
        go.touch()
        running = asyncio.create_task(chats.run("import time\nwhile not open('go').read(): time.sleep(0.1)"))
        assert await chats.grants.add("chat", "read", "~/data") == (
            "Code in this chat may now read ~/data. When the running block has ended, the kernel is "
            "restarted, and its variables are gone."
        )
        assert not running.done()
        go.write_text("go")
        assert (await running).status is Status.OK
        assert printed(await chats.run(f"print(open('{home}/data/sales.csv').read())")) == "15"
    finally:
        await chats.sessions.close_all()


@behaviour("sandbox:by-hand:full")
async def test_more_than_anybody_reads_is_not_granted_and_that_is_said(home: Path) -> None:
    sandbox = boxed(home, Availability("namespaces"))
    many = frozenset(f"host-{number}.example" for number in range(MOST_EACH))
    sandbox.granted.add("chat", Grants(hosts=many))
    chats = Chats(home, sandbox)
    with pytest.raises(NotGrantable, match="This chat has 200 grants already"):
        await chats.grants.add("chat", "network", "example.org")
    assert sandbox.granted.of("chat").hosts == many
    assert not await chats.sessions.grant("chat", Grants(hosts=frozenset({"example.org"})))


NO_SYSTEM = Availability("none", "Kernels cannot be sandboxed on this system.")


@behaviour("sandbox:by-hand:nothing")
@pytest.mark.parametrize(
    ("boxed_by", "where", "said"),
    [
        (
            {"way": Availability("namespaces")},
            Server("http://127.0.0.1:8888"),
            (
                "Code runs on a Jupyter server and may reach whatever that server lets it; there is nothing "
                "to allow."
            ),
        ),
        (
            None,
            Local(sandbox=NO_SYSTEM),
            (
                "Code runs without a sandbox and may reach whatever you can; there is nothing to allow. "
                "Kernels cannot be sandboxed on this system."
            ),
        ),
        (
            None,
            Local(sandbox=Availability("none", "The setting sandbox is off.")),
            (
                "Code runs without a sandbox and may reach whatever you can; there is nothing to allow. "
                "The setting sandbox is off."
            ),
        ),
        (
            {"way": NO_SYSTEM},
            Local(sandbox=NO_SYSTEM),
            (
                "No code runs: the setting sandbox is on, but there is no sandbox here. "
                "Kernels cannot be sandboxed on this system."
            ),
        ),
        (
            {"way": Availability("namespaces"), "buttons": False, "stranger": True},
            Local(sandbox=Availability("namespaces")),
            "Code of several people runs here, so only the operator can allow more, with settings.",
        ),
    ],
)
async def test_where_nothing_can_be_allowed_one_sentence_says_why(
    boxed_by: dict[str, Any] | None, where: KernelLocation, said: str, home: Path
) -> None:
    chats = Chats(home, None if boxed_by is None else boxed(home, **boxed_by), where)
    assert chats.grants.of("chat") == Reach(why_not=said)
    with pytest.raises(NotGrantable) as why:
        await chats.grants.add("chat", "read", "~/data")
    assert str(why.value) == said


@behaviour("sandbox:by-hand:elsewhere")
async def test_what_kernels_of_this_machine_may_reach_is_not_listed_while_code_runs_on_a_server(
    home: Path,
) -> None:
    sandbox, hosts = boxed(home, Availability("namespaces")), Grants(hosts=frozenset({"example.org"}))
    sandbox.granted.add("chat", hosts)
    chats = Chats(home, sandbox, Server("http://127.0.0.1:8888"))
    assert (chats.grants.of("chat").own, chats.grants.seen("chat")) == ((), "chat")
    before = Chats(home, sandbox).grants.seen("chat")
    assert await chats.grants.keep("chat", before, ()) == ""
    assert sandbox.granted.of("chat") == hosts


@behaviour("sandbox:by-hand:apart")
@pytest.mark.parametrize("way", ["namespaces", "landlock"])
async def test_what_a_grant_of_a_folder_leaves_out_is_said(way: Backend, home: Path) -> None:
    for name in ("project/.git", "project/.venv", "project/src/keys.secret"):
        (home / name).mkdir(parents=True)
    (home / "project" / ".env").write_text("KEY=15")
    chats = Chats(home, boxed(home, Availability(way)))
    unseen = "Left out by name: .env and src/keys.secret, where secrets may lie."
    assert await chats.grants.add("chat", "read", "~/project") == (
        f"Code in this chat may now read ~/project. {unseen}"
    )
    closed = " Something in it stays read only or secret, so it takes no new files; the folders in it do."
    assert await chats.grants.add("another", "write", "~/project") == (
        f"Code in this chat may now read and write ~/project. {unseen} Read only: .git and .venv, "
        f"from which your own programs run.{closed if way == 'landlock' else ''}"
    )
    for number in range(4):
        (home / "data" / f"{number}.key").touch()
    assert (await chats.grants.add("chat", "read", "~/data")).endswith(
        "Left out by name: 0.key, 1.key, 2.key and 3.key, where secrets may lie."
    )
    (home / "out" / "a.key").touch()
    for number in range(5):
        (home / "out" / f"b{number}.key").touch()
    assert (await chats.grants.add("chat", "read", "~/out")).endswith(
        "Left out by name: a.key, b0.key, b1.key and 3 more, where secrets may lie."
    )
    assert await chats.grants.add("chat", "read", "~/everywhere/sales.csv") == (
        "Code in this chat may now read ~/everywhere/sales.csv."
    )


@behaviour("sandbox:granted:links")
async def test_a_granted_path_that_is_a_link_by_now_or_gone_is_told_as_that(home: Path) -> None:
    chats = Chats(home, boxed(home, Availability("namespaces")))
    await chats.grants.add("chat", "read", "~/data")
    await chats.grants.add("chat", "write", "~/out")
    assert (await chats.grants.look("chat")).missing == ()
    (home / "data").rename(home / "before")
    (home / "data").symlink_to(home / "everywhere")
    (home / "out").rename(home / "after")
    reach = await chats.grants.look("chat")
    assert reach.own == ("read ~/data", "read and write ~/out")
    assert reach.missing == (
        "~/data is a link now, so code does not reach it. Allow it again to allow what it leads to.",
        "There is no ~/out now, so code does not reach it.",
    )
    assert set(reach.missing) < set(reach.sentences)
    assert await chats.grants.add("chat", "read", "~/data") == (
        "Code in this chat may now read ~/everywhere. Code finds it there, not at ~/data."
    )
