"""What is executed outside of the sandbox: no grant around it, in it or of it lets code write there."""

from pathlib import Path

import pytest

import coderunner
from coderunner.kernel.sessions.registry import Local
from coderunner.sandbox import offers, python_folders
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Backend, Grants
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, TRIED, printed, sessions_in

PACKAGE = Path(coderunner.__file__).parent
ROOT = PACKAGE.parent.parent

TRIES = (
    TRIED
    + """def opened(path):
    os.close(os.open(path, os.O_WRONLY))
def made(path):
    os.mkdir(path); os.rmdir(path)
"""
)
OURS = (
    ("package", f"opened({str(PACKAGE / '__init__.py')!r})"),
    ("launcher", f"opened({str(PACKAGE / 'sandbox/launcher/entry/main.py')!r})"),
    ("beside the package", f"made({str(PACKAGE.parent / 'canary-7d1')!r})"),
    ("checkout", f"made({str(ROOT / 'canary-7d1')!r})"),
    ("environment", "made(sys.prefix + '/canary-7d1')"),
    ("site", "made(os.path.dirname(os.path.dirname(os.__file__)) + '/canary-7d1')"),
)
SHADOWED = """
tried("module", lambda: opened(f"{inner}/lib/known.py"))
tried("package", lambda: made(f"{inner}/lib/pack/canary"))
tried("mode", lambda: os.chmod(f"{inner}/lib/known.py", 0o600))
tried("renamed", lambda: os.rename(f"{inner}/lib", f"{inner}/other"))
tried("renamed above", lambda: os.rename(inner, inner + "-other"))
tried("exchanged", lambda: os.replace(f"{inner}/lib/pack/__init__.py", f"{inner}/own/__init__.py"))
tried("own", lambda: made(f"{inner}/own/canary"))
"""


def tries(*acts: tuple[str, str]) -> str:
    return TRIES + "".join(f"tried({name!r}, lambda: {act})\n" for name, act in acts)


@behaviour("sandbox:guarded")
@pytest.mark.asyncio
@pytest.mark.parametrize("when", ["before", "while it runs"])
@pytest.mark.parametrize("of", [ROOT, ROOT / "extension", PACKAGE, ROOT.parent], ids=lambda each: each.name)
@pytest.mark.parametrize("backend", HERE)
async def test_code_that_runs_outside_is_read_only_in_whatever_is_granted(
    backend: Backend, of: Path, when: str, tmp_path: Path
) -> None:
    registry = sessions_in(backend, tmp_path / "work")
    try:
        sandbox = registry.sandbox
        assert sandbox is not None
        session = registry.get("one", Local())
        if when == "before":
            sandbox.granted.add("one", Grants(write=frozenset({of})))
        assert printed(await session.execute(tries(*OURS))) == ""
        if when == "while it runs":
            await registry.grant("one", Grants(write=frozenset({of})))
            assert printed(await session.execute(tries(*OURS))) == ""
        # It is there to be read.
        assert printed(
            await session.execute(f"print(len(open({str(PACKAGE / '__init__.py')!r}).read()) > 0)")
        )
    finally:
        await registry.close_all(keep=False)


@behaviour("sandbox:guarded")
@pytest.mark.asyncio
@pytest.mark.parametrize("when", ["before", "while it runs"])
@pytest.mark.parametrize("backend", HERE)
async def test_what_is_imported_from_a_granted_folder_is_neither_changed_nor_replaced(
    backend: Backend, when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = tmp_path / "around"
    inner = around / "inner"
    for each in (inner / "lib" / "pack", inner / "own"):
        each.mkdir(parents=True)
    (inner / "lib" / "pack" / "__init__.py").write_text("")
    (inner / "lib" / "known.py").write_text("value = 'known'")
    monkeypatch.setenv("PYTHONPATH", str(inner / "lib"))
    registry = sessions_in(backend, tmp_path / "work")
    granted = Grants(write=frozenset({around}))
    try:
        sandbox = registry.sandbox
        assert sandbox is not None
        session = registry.get("one", Local())
        if when == "before":
            sandbox.granted.add("one", granted)
        assert printed(await session.execute("print('ready')")) == "ready"
        if when == "while it runs":
            await registry.grant("one", granted)
        code = f"{TRIES}\ninner = {str(inner)!r}\n{SHADOWED}"
        assert printed(await session.execute(code)) == "own"
    finally:
        await registry.close_all(keep=False)
    assert (inner / "lib" / "known.py").read_text() == "value = 'known'"


@behaviour("sandbox:guarded")
@pytest.mark.parametrize("unseen", [False, True])
def test_folders_with_code_that_runs_outside_are_never_offered_for_writing(unseen: bool) -> None:
    place = offers.Place(Path("/nobody"), system=python_folders.executed_here(), unseen=unseen)
    for path in (ROOT, ROOT / "notes.txt", ROOT / "extension", PACKAGE, PACKAGE / "new.py", ROOT.parent):
        assert offers.grantable(path, place, write=True) is None, path


@behaviour("sandbox:guarded")
def test_a_policy_says_what_holds(tmp_path: Path) -> None:
    from coderunner.sandbox.kernel_sandbox import Start

    sandbox = KernelSandbox(grants=Grants(write=frozenset({ROOT.parent, tmp_path})))
    policy = sandbox.policy(Start(("none",), {}, tmp_path / "sockets", tmp_path / "folder"))
    assert not policy.may_write(PACKAGE / "__init__.py")
    assert policy.may_read(PACKAGE / "__init__.py")
    assert policy.may_write(tmp_path / "new")
