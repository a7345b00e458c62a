"""What a grant of a folder does not mean: secrets in it, and what a person's own programs run from it."""

import tempfile
from pathlib import Path

import pytest

from coderunner.kernel.sessions.registry import Local
from coderunner.outputs import Error, Remedy, Result, Status
from coderunner.sandbox import offers
from coderunner.sandbox.backends import Availability
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Backend, Grants, Policy
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, TRIED, printed, sessions_in

SECRETS = (
    *(".env", "server.key", "sub/id_ed25519", ".aws/config", "sub/Client-Secret.json"),
    *("sub/.envrc", "ENV.txt"),
)
LATER = (".git/hooks/pre-commit", ".git/config", "sub/.vscode/tasks.json", "env/bin/activate")
PLAIN = ("data.csv", "sub/more.csv", "sub/deep/notes.md")

TRIES = (
    TRIED
    + """def read(name):
    assert open(name).read()
def written(name):
    os.close(os.open(name, os.O_WRONLY))
def made(name):
    os.mkdir(name)
"""
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a person's work, and secrets beside it."""
    root = tmp_path / "work-of-ada" / "project"
    for name in (*SECRETS, *LATER, *PLAIN, "env/pyvenv.cfg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("canary")
    return root


def tries(root: Path, act: str, names: tuple[str, ...]) -> str:
    return TRIES + "".join(f"tried({name!r}, lambda: {act}({str(root / name)!r}))\n" for name in names)


@behaviour("sandbox:apart")
@pytest.mark.asyncio
@pytest.mark.parametrize("when", ["before", "while it runs"])
@pytest.mark.parametrize("backend", HERE)
async def test_a_granted_folder_shows_no_secrets_and_leaves_what_others_run(
    backend: Backend, when: str, project: Path, tmp_path: Path
) -> None:
    registry = sessions_in(backend, tmp_path / "own")
    granted = Grants(write=frozenset({project}))
    try:
        sandbox = registry.sandbox
        assert sandbox is not None
        session = registry.get("one", Local())
        if when == "before":
            sandbox.granted.add("one", granted)
        printed(await session.execute("1"))
        if when == "while it runs":
            await registry.grant("one", granted)

        async def done(act: str, *names: str) -> list[str]:
            return printed(await session.execute(tries(project, act, names))).splitlines()

        assert await done("read", *SECRETS) == []
        assert await done("read", *PLAIN, *LATER) == [*PLAIN, *LATER]
        assert await done("written", *SECRETS, *LATER) == []
        assert await done("written", *PLAIN) == [*PLAIN]
        assert await done("made", ".git/hooks/new", "env/lib", ".aws/new", "sub/deep/new") == ["sub/deep/new"]
        assert await done("os.remove", *SECRETS, *LATER) == []
        moves = "lambda path: os.rename(path, path + '-moved')"
        assert await done(f"({moves})", ".git", "sub", "env", ".env", ".aws") == []
    finally:
        await registry.close_all(keep=False)
    assert (project / ".env").read_text() == "canary"


@behaviour("sandbox:apart")
@pytest.mark.asyncio
@pytest.mark.parametrize("backend", HERE)
async def test_a_home_that_a_setting_grants_shows_no_secrets_and_one_that_is_named_is_meant(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    for name in (".ssh/config", ".ssh/id_rsa", ".config/some/token", "notes.txt", ".bashrc"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("canary")
    monkeypatch.setenv("HOME", str(home))
    grants = Grants(read=frozenset({home / ".ssh" / "config"}), write=frozenset({home}))
    registry = sessions_in(backend, tmp_path / "own", grants=grants)
    try:
        session = registry.get("one", Local())
        names = (".ssh/id_rsa", ".config/some/token", ".ssh/config", "notes.txt")
        said = printed(await session.execute(tries(home, "read", names)))
        assert said.splitlines() == [".ssh/config", "notes.txt"]
        said = printed(await session.execute(tries(home, "written", (".bashrc", "notes.txt"))))
        assert said == "notes.txt"
    finally:
        await registry.close_all(keep=False)


@behaviour("sandbox:apart")
@pytest.mark.parametrize(
    "name",
    [
        *("project/.git/hooks/post-commit", "project/.git/config", "project/.vscode/settings.json"),
        *(".local/bin/tool", "bin/tool", ".pyenv/shims/python", ".bashrc", ".profile", ".gitconfig"),
        *("project/.envrc", "project/.venv/bin/python", "project/.idea/workspace.xml"),
    ],
)
@pytest.mark.parametrize("unseen", [False, True])
def test_what_a_person_runs_sooner_or_later_is_never_offered_for_writing(
    name: str, unseen: bool, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    place = offers.Place(tmp_path, unseen=unseen)
    for _ in ("new", "there"):
        assert offers.grantable(path, place, write=True) is None
        path.touch()
    path = tmp_path / "project" / "out.csv"
    path.parent.mkdir(exist_ok=True)
    assert offers.grantable(path, place, write=True) is not None


@behaviour("sandbox:apart")
def test_a_large_folder_is_looked_at_for_a_while_and_the_nearest_first(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number in range(offers.MOST_SEEN):
        (tmp_path / "a" / "b" / f"{number}.txt").touch()
    (tmp_path / "z.key").touch()
    policy = Policy(*(Path("/nowhere"),) * 4, grants=Grants(read=frozenset({tmp_path})))
    assert offers.apart(policy, ()).secret == (tmp_path / "z.key",)


@behaviour("sandbox:apart")
def test_a_policy_says_what_is_kept_apart(tmp_path: Path) -> None:
    granted = tmp_path / "granted"
    policy = Policy(
        *(Path("/nowhere"),) * 4,
        grants=Grants(read=frozenset({granted / "named.key"}), write=frozenset({granted})),
        hidden=(granted / "a.key", granted / "named.key"),
        guarded=(granted / ".git",),
    )
    assert policy.may_write(granted / "data.csv")
    assert policy.may_read(granted / "named.key")
    assert not policy.may_read(granted / "a.key")
    assert not policy.may_write(granted / "a.key")
    assert policy.may_read(granted / ".git" / "config")
    assert not policy.may_write(granted / ".git" / "config")


@behaviour("sandbox:apart")
@pytest.mark.parametrize("unseen", [False, True])
def test_the_sockets_of_another_kernel_are_never_offered(unseen: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="cr-", dir="/tmp") as other:
        key = Path(other, "kernel.json")
        key.touch()
        place = offers.Place(Path("/nobody"), unseen=unseen)
        assert [offers.grantable(key, place, write=write) for write in (False, True)] == [None, None]


@behaviour("sandbox:apart")
def test_beside_a_folder_that_a_person_works_in_lie_their_own_things(tmp_path: Path) -> None:
    """As with a program that runs where it was started, rather than in a folder of ours."""
    project, data = tmp_path / "home" / "project", tmp_path / "home" / "data"
    for folder in (project, data):
        folder.mkdir(parents=True)
    (data / "sales.csv").touch()
    sandbox = KernelSandbox(way=Availability("namespaces"), hidden=(tmp_path / "ours",))
    policy = Policy(project, tmp_path / "s", tmp_path / "t", tmp_path / "home")
    failed = Error("FileNotFoundError", f"[Errno 2] No such file or directory: '{data / 'sales.csv'}'")
    clues = Clues.of(Result((failed,), Status.ERROR), "", ())
    (refusal,) = sandbox.refusals(clues, "one", policy, project)
    assert refusal.remedy is Remedy.SETTING
