"""Kernels in namespaces of their own: what they reach, what they do not, and what programs need."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Result, Status, Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from tests.behaviours import behaviour

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(available().backend != "namespaces", reason=f"no namespaces here: {available().why}"),
]


def printed(result: Result) -> str:
    """What a program has printed; it ended well."""
    text = "".join(output.text for output in result.outputs if isinstance(output, Stream))
    assert result.status is Status.OK, (result, text)
    return text.strip()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sessions(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sessions]:
    """Sessions whose kernels are sandboxed."""
    registry = Sessions(tmp_path_factory.mktemp("work"), sandbox=KernelSandbox())
    yield registry
    await registry.close_all()


@pytest.fixture
def session(sessions: Sessions) -> Session:
    """The session that most tests share."""
    return sessions.get("shared", Local())


def refused(path: Path) -> str:
    """A program that says whether there was anything to read in a file or folder."""
    return (
        "import os\n"
        f"path = {str(path)!r}\n"
        "try:\n"
        "    print('read' if (os.listdir(path) if os.path.isdir(path) else open(path).read()) else 'empty')\n"
        "except OSError as error:\n"
        "    print(type(error).__name__)\n"
    )


@behaviour("sandbox:namespaces:files")
async def test_a_kernel_reads_nothing_of_a_person_but_its_own_folder(
    session: Session, sessions: Sessions, tmp_path: Path
) -> None:
    (tmp_path / "canary").write_text("of the person")
    other = sessions.directory("other")
    other.mkdir()
    keys = Path("/proc/keys"), Path("/proc/key-users")
    for path in (tmp_path / "canary", other, Path("/run"), Path("/etc/shadow"), Path("/proc/1/root"), *keys):
        assert "read" not in printed(await session.execute(refused(path))), path
    assert printed(await session.execute("import os; print(os.getcwd())")) == str(
        sessions.directory("shared")
    )
    await session.execute("open('own.txt', 'w').write('mine')")
    assert (sessions.directory("shared") / "own.txt").read_text() == "mine"


@behaviour("sandbox:namespaces:hidden")
@pytest.mark.parametrize("when", ["before", "while it runs"])
async def test_a_grant_of_what_is_around_our_data_does_not_show_them(tmp_path: Path, when: str) -> None:
    data = tmp_path / "around" / "data"
    (data / "records").mkdir(parents=True)
    (data / "records" / "canary").write_text("ours")
    (tmp_path / "around" / "file").write_text("of the person")
    around = Grants(write=frozenset({tmp_path / "around"}))
    sandbox = KernelSandbox(hidden=(data,))
    registry = Sessions(data / "kernels", sandbox=sandbox)
    try:
        session = registry.get("one", Local())
        if when == "before":
            sandbox.granted.add("one", around)
        printed(await session.execute("open('own.txt', 'w').write('mine')"))
        if when == "while it runs":
            assert await registry.grant("one", around)
        assert printed(await session.execute(refused(tmp_path / "around" / "file"))) == "read"
        assert printed(await session.execute(refused(data / "records" / "canary"))) == "FileNotFoundError"
        assert printed(await session.execute(f"import os; print(os.listdir({str(data)!r}))")) == "['kernels']"
        # Its own folder, which is in there, is as it was.
        own = data / "kernels" / "one" / "own.txt"
        assert printed(
            await session.execute(f"print(open('own.txt').read(), open({str(own)!r}).read())")
        ) == ("mine mine")
        assert own.read_text() == "mine"
    finally:
        await registry.close_all(keep=False)


@behaviour("sandbox:namespaces:hidden")
async def test_a_larger_grant_to_read_leaves_what_may_be_written(tmp_path: Path) -> None:
    inner = tmp_path / "around" / "inner"
    inner.mkdir(parents=True)
    registry = Sessions(tmp_path / "work", sandbox=KernelSandbox())
    try:
        session = registry.get("one", Local())
        printed(await session.execute("1"))
        assert await registry.grant("one", Grants(write=frozenset({inner})))
        assert await registry.grant("one", Grants(read=frozenset({tmp_path / "around"})))
        printed(await session.execute(f"open({str(inner / 'made')!r}, 'w').write('x')"))
        assert (inner / "made").read_text() == "x"
        failed = await session.execute(f"open({str(tmp_path / 'around' / 'made')!r}, 'w')")
        assert failed.status is Status.ERROR
    finally:
        await registry.close_all(keep=False)


@behaviour("sandbox:namespaces:files")
async def test_what_a_kernel_writes_in_home_and_tmp_stays_with_it(session: Session) -> None:
    source = (
        "import os, tempfile\n"
        "for folder in ('~', '/tmp', tempfile.gettempdir(), '/dev/shm'):\n"
        "    path = os.path.join(os.path.expanduser(folder), 'coderunner-canary')\n"
        "    open(path, 'w').write('x'); print(path)\n"
    )
    written = printed(await session.execute(source)).splitlines()
    assert [path for path in map(Path, written) if path.exists()] == []


@behaviour("sandbox:namespaces:files")
async def test_the_system_is_there_and_cannot_be_changed(session: Session) -> None:
    source = (
        "import sys\n"
        "for path in ('/usr/x', '/etc/x', '/x', sys.prefix + '/x', '/proc/sys/kernel/hostname'):\n"
        "    try: open(path, 'w'); print(path)\n"
        "    except OSError: pass\n"
    )
    assert printed(await session.execute(source)) == ""


@behaviour("sandbox:namespaces:processes")
async def test_a_kernel_sees_no_process_but_its_own(session: Session) -> None:
    source = f"import os; print({os.getpid()} in map(int, filter(str.isdecimal, os.listdir('/proc'))))"
    assert printed(await session.execute(source)) == "False"
    again = "import os, signal; os.kill(1, signal.SIGKILL); print('still here')"
    assert printed(await session.execute(again)) == "still here"


@behaviour("sandbox:namespaces:processes")
async def test_a_kernel_has_no_rights_and_gets_none(session: Session) -> None:
    source = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])"
    assert set(printed(await session.execute(source))) <= set("[]', 0")
    source = "import os; print(os.system('unshare --user true 2> /dev/null'))"
    assert printed(await session.execute(source)) != "0"


@behaviour("sandbox:namespaces:processes")
async def test_a_program_gets_no_stream_of_ours(session: Session) -> None:
    source = (
        "import os\n"
        "seen = {os.readlink(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')"
        " if os.path.exists(f'/proc/self/fd/{each}')}\n"
        "print([each for each in seen if each[0] == '/' and not each.startswith(('/dev/null', '/tmp'))])"
    )
    assert printed(await session.execute(source)) == "[]"


@behaviour("sandbox:namespaces:network")
async def test_a_kernel_has_a_loopback_of_its_own_and_nothing_else(session: Session) -> None:
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    source = (
        "import socket\n"
        f"for there in (('127.0.0.1', {port}), ('192.0.2.1', 80)):\n"
        "    try: socket.create_connection(there, 1); print('reached')\n"
        "    except OSError as error: print(type(error).__name__)\n"
        "own = socket.create_server(('127.0.0.1', 0)); socket.create_connection(own.getsockname())\n"
        "print('own')\n"
        "try: socket.getaddrinfo('example.org', 80)\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    async with listening:
        said = printed(await session.execute(source))
    assert said.split() == ["ConnectionRefusedError", "OSError", "own", "gaierror"]


@behaviour("sandbox:grant:live")
async def test_a_grant_holds_in_the_kernel_that_runs(sessions: Sessions, tmp_path: Path) -> None:
    session = sessions.get("granted", Local())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sales.csv").write_text("1")
    (tmp_path / "out").mkdir()
    await session.execute("kept = 5")
    grants = Grants(frozenset({tmp_path / "in" / "sales.csv"}), frozenset({tmp_path / "out"}))
    assert await sessions.grant("granted", grants)
    source = f"print(open({str(tmp_path / 'in' / 'sales.csv')!r}).read(), kept)"
    assert printed(await session.execute(source)) == "1 5"
    source = f"open({str(tmp_path / 'out' / 'new')!r}, 'w').write('new')"
    assert (await session.execute(source)).status is Status.OK
    assert (tmp_path / "out" / "new").read_text() == "new"
    source = f"open({str(tmp_path / 'in' / 'sales.csv')!r}, 'w')"
    assert (await session.execute(source)).status is Status.ERROR


@behaviour("sandbox:grant:live")
async def test_a_grant_reaches_no_further_than_it_says_whatever_the_program_prepared(
    sessions: Sessions, tmp_path: Path
) -> None:
    session = sessions.get("prepared", Local())
    (tmp_path / "secret").write_text("secret")
    own = sessions.directory("prepared")
    await session.execute(f"import os; os.symlink({str(tmp_path / 'secret')!r}, 'link')")
    assert not await sessions.grant("prepared", Grants(read=frozenset({own / "link"})))
    assert "read" not in printed(await session.execute(refused(tmp_path / "secret")))
