"""Spare kernels in each sandbox of this machine."""

from pathlib import Path

import pytest

from coderunner.kernel.sessions import waiting_folder
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.sandbox.backends import Availability, Backend
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from tests.behaviours import behaviour
from tests.faults.conftest import happens
from tests.sandbox.backends_here import HERE, printed

WHERE = "import os; print(os.getcwd(), os.getpid())"


def sessions_with_spare(root: Path, backend: Backend) -> tuple[Sessions, KernelSandbox]:
    sandbox = KernelSandbox(way=Availability(backend))
    return Sessions(root, spare=True, sandbox=sandbox), sandbox


async def waits(sessions: Sessions) -> None:
    sessions.prepare(Local())
    await happens(lambda: sessions._spare is not None and sessions._spare.ready)


@behaviour("sandbox:spare")
@pytest.mark.parametrize("backend", HERE)
async def test_a_spare_kernel_gets_its_conversations_folder_when_it_is_taken(
    tmp_path: Path, backend: Backend
) -> None:
    sessions, _ = sessions_with_spare(tmp_path / "work", backend)
    try:
        await waits(sessions)
        for name in ("one", "two"):
            waiting = [each.stat().st_ino for each in (tmp_path / "work").glob(f"{waiting_folder.PREFIX}*")]
            session = sessions.get(name, Local())
            result = await session.execute(f"{WHERE}\nopen('kept', 'w').write('1')")
            assert printed(result).split()[0] == str(tmp_path / "work" / name)
            assert (tmp_path / "work" / name / "kept").read_text() == "1"
            assert waiting in ([], [(tmp_path / "work" / name).stat().st_ino])
            assert printed(await session.execute("import os; os.chmod('kept', 0o640); print('ok')")) == "ok"
            await waits(sessions)
        source = "try: print(open('../one/kept').read())\nexcept OSError: print('refused')"
        assert printed(await sessions.get("two", Local()).execute(source)) == "refused"
    finally:
        await sessions.close_all()
    assert list((tmp_path / "work").glob(f"{waiting_folder.PREFIX}*")) == []


@behaviour("sandbox:spare")
@pytest.mark.parametrize("backend", HERE)
async def test_a_conversation_with_files_and_grants_finds_them_whatever_waits(
    tmp_path: Path, backend: Backend
) -> None:
    sessions, sandbox = sessions_with_spare(tmp_path / "work", backend)
    (tmp_path / "work" / "one").mkdir(parents=True)
    (tmp_path / "work" / "one" / "mine").write_text("kept")
    (tmp_path / "granted").write_text("too")
    sandbox.granted.add("two", Grants(read=frozenset({tmp_path / "granted"})))
    try:
        await waits(sessions)
        assert printed(await sessions.get("one", Local()).execute("print(open('mine').read())")) == "kept"
        await waits(sessions)
        source = f"print(open({str(tmp_path / 'granted')!r}).read())"
        assert printed(await sessions.get("two", Local()).execute(source)) == "too"
    finally:
        await sessions.close_all()


@behaviour("sandbox:spare")
def test_the_folder_of_a_process_that_crashed_is_removed(tmp_path: Path) -> None:
    gone, full = (tmp_path / f"{waiting_folder.PREFIX}{each}" for each in ("999999999-a", "999999998-b"))
    gone.mkdir()
    full.mkdir()
    (full / "file").touch()
    own = waiting_folder.make(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([own, full])
