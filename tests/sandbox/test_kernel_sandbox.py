"""Which sandbox settings mean, what a kernel needs besides, and what is said of both."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coderunner.kernel.kernel_location import approval_of, local_of
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.outputs import Result, Status, Stream
from coderunner.sandbox import python_folders
from coderunner.sandbox.backends import Availability, available
from coderunner.sandbox.kernel_sandbox import KernelSandbox, Start
from coderunner.sandbox.policy import Policy
from coderunner.settings.settings import load
from tests.behaviours import behaviour
from tests.kernel.test_local_kernel import children, holds

NONE = Availability("none", "This system cannot.")
boxed = pytest.mark.skipif(not available(), reason=available().why)


def said(result: Result) -> str:
    """What a program has printed."""
    return "".join(output.text for output in result.outputs if isinstance(output, Stream)).strip()


@behaviour("sandbox:settings:in-force")
@boxed
def test_without_a_word_kernels_are_sandboxed_where_the_system_can_and_run_unasked() -> None:
    settings = load({"sandbox_write": ""})
    where = local_of(settings)
    assert KernelSandbox.of(settings) is not None
    assert (where.isolated, approval_of(settings)) == (True, "auto")
    assert where.place.startswith("It runs on your computer in a sandbox")


@behaviour("sandbox:settings:in-force")
def test_a_sandbox_that_is_off_is_none_and_code_waits_for_a_person() -> None:
    settings = load({"sandbox": "off"})
    where = local_of(settings)
    assert KernelSandbox.of(settings) is None
    assert (where.isolated, approval_of(settings)) == (False, "ask")
    assert where.place == "It runs on your computer without a sandbox. The setting sandbox is off."


@behaviour("sandbox:settings:in-force")
async def test_where_a_sandbox_has_to_be_and_cannot_nothing_runs(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, sandbox=KernelSandbox(way=NONE))
    try:
        result = await sessions.get("c", Local()).execute("print(1)")
        assert (result.status, result.detail) == (
            Status.REFUSED,
            "sandbox is on, but there is none: This system cannot. Set it to auto or off",
        )
    finally:
        await sessions.close_all()


class FullDisk(KernelSandbox):
    """A sandbox on a machine whose disk is full when the kernel's process runs already."""

    def policy(self, start: Start) -> Policy:
        """Fail as the disk does."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@behaviour("sandbox:settings:in-force")
@boxed
async def test_where_the_walls_cannot_be_made_no_process_is_left_behind(tmp_path: Path) -> None:
    before = children()
    sessions = Sessions(tmp_path / "work", sandbox=FullDisk())
    try:
        result = await sessions.get("c", Local()).execute("print(1)")
        assert (result.status, result.detail) == (
            Status.REFUSED,
            "its sandbox cannot be made: [Errno 28] No space left on device",
        )
        assert await asyncio.to_thread(holds, lambda: children() <= before)
    finally:
        await sessions.close_all()


@behaviour("sandbox:settings:in-force")
async def test_what_was_called_sandboxed_never_runs_without_one(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    try:
        result = await sessions.get("c", Local(sandbox=Availability("namespaces"))).execute("print(1)")
        assert (result.status, said(result)) == (Status.REFUSED, "")
    finally:
        await sessions.close_all()


@pytest_asyncio.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    """Sessions with settings that grant a link and the folder around our own data."""
    (tmp_path / "around" / "data").mkdir(parents=True)
    (tmp_path / "around" / "note").write_text("seen")
    (tmp_path / "around" / "data" / "grants.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "around")
    data = tmp_path / "around" / "data"
    settings = load({"sandbox_read": str(tmp_path / "link"), "sandbox_write": "", "data_dir": data})
    sandbox = KernelSandbox.of(settings)
    assert sandbox is not None
    registry = Sessions(data / "kernels", sandbox=sandbox)
    yield registry
    await registry.close_all()


@behaviour("sandbox:settings:in-force")
@boxed
async def test_a_granted_link_is_found_by_both_names_and_our_own_data_in_it_by_none(
    sessions: Sessions, tmp_path: Path
) -> None:
    names = [str(tmp_path / name) for name in ("link/note", "around/note", "around/data/grants.json")]
    source = (
        f"for name in {names!r}:\n    try: print(open(name).read())\n    except OSError: print('refused')\n"
    )
    result = await sessions.get("c", Local()).execute(source)
    assert said(result).split() == ["seen", "seen", "refused"]


@behaviour("sandbox:system:least")
def test_of_a_folder_on_pythons_path_only_what_can_be_imported_is_read(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    (tmp_path / "data").mkdir()
    for name in ("module.py", ".env", "notes.txt", "data/table.csv"):
        (tmp_path / name).touch()
    found = python_folders.importable([str(tmp_path), "relative", ""])
    assert found == python_folders.Folders(
        imported=(tmp_path / "module.py", tmp_path / "package"), listed=(tmp_path,)
    )


@behaviour("sandbox:system:least")
def test_the_home_folder_is_never_part_of_what_programs_need() -> None:
    needed = python_folders.of_this_interpreter()
    assert all(not Path.home().is_relative_to(each) for each in (*needed.whole, *needed.listed))
    assert python_folders.importable([str(Path.home())]).listed == ()


@behaviour("sandbox:system:least")
@boxed
async def test_an_interpreter_and_its_environment_are_there_with_what_they_import(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "work", sandbox=KernelSandbox())
    try:
        source = "import ipykernel, sys; print(open(sys.executable, 'rb').read(4), ipykernel.__name__)"
        assert said(await sessions.get("c", Local()).execute(source)) == r"b'\x7fELF' ipykernel"
    finally:
        await sessions.close_all()


@behaviour("sandbox:packages:folder")
@boxed
async def test_packages_are_installed_into_the_folder_of_the_conversation(tmp_path: Path) -> None:
    (tmp_path / "work" / "c" / "own").mkdir(parents=True)
    (tmp_path / "work" / "c" / "own" / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
        "[project]\nname = 'own'\nversion = '1'\n"
    )
    (tmp_path / "work" / "c" / "own" / "backend.py").write_text(BACKEND)
    sessions = Sessions(tmp_path / "work", sandbox=KernelSandbox())
    try:
        session = sessions.get("c", Local())
        await session.execute("%pip install -q --no-index ./own", deadline=100)
        assert said(await session.execute("import own; print(own.__file__)")) == str(
            tmp_path / "work" / "c" / ".packages" / "own.py"
        )
        assert said(await session.execute("!python -c 'import own; print(6 * 7)'")) == "42"
    finally:
        await sessions.close_all()


@behaviour("sandbox:packages:folder")
@boxed
async def test_a_conversation_that_leaves_nothing_leaves_no_folder(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "work", sandbox=KernelSandbox())
    await sessions.get("c", Local()).execute("1")
    await sessions.close("c")
    await sessions.close_all()
    assert list((tmp_path / "work").iterdir()) == []


BACKEND = """\
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "own-1-py3-none-any.whl"
    files = {
        "own.py": "",
        "own-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: own\\nVersion: 1\\n",
        "own-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "own-1.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""
