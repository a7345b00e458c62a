"""A kernel that works in a folder of the person's own, and folders that take no new files."""

from pathlib import Path

import pytest

from coderunner.ending_sentences import what_was_refused
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.outputs import Result
from coderunner.sandbox.backends import Availability, Backend
from coderunner.sandbox.policy import Grants, Policy
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, TRIED, printed, sessions_in

LATER = (".git/hooks/pre-commit", ".git/config", ".envrc", "sub/.vscode/tasks.json", "env/bin/activate")
CLOSED = (
    "In this sandbox, a folder with programs or secrets in it neither takes new files nor gives any away; "
    "the folders in it do."
)
TRIES = (
    TRIED
    + """def written(name):
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
"""
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "work-of-ada" / "project"
    for name in (*LATER, "data.csv", "sub/more.csv", "plain/x", "env/pyvenv.cfg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("canary")
    return root


def tries(root: Path, *names: str) -> str:
    return TRIES + "".join(f"tried({name!r}, lambda: written({str(root / name)!r}))\n" for name in names)


@behaviour("sandbox:own-folder")
@pytest.mark.parametrize("backend", HERE)
async def test_what_a_persons_programs_run_stays_read_only_in_the_folder_that_a_kernel_works_in(
    backend: Backend, project: Path, tmp_path: Path
) -> None:
    sessions = sessions_in(backend, tmp_path / "own", theirs=True)
    where = Local(directory=str(project), sandbox=Availability(backend))
    try:
        session = sessions.get("one", where)
        source = tries(project, *LATER, ".git/hooks/new", "data.csv", "sub/more.csv", "plain/new")
        assert printed(await session.execute(source)).split() == ["data.csv", "sub/more.csv", "plain/new"]
        source = "import os\nprint(open('.git/config').read())\nos.rename('.git', 'moved')"
        result = await session.execute(source)
        assert printed(result) == "canary"
        assert (project / ".git" / "config").exists()
    finally:
        await sessions.close_all()


@behaviour("sandbox:own-folder")
@pytest.mark.parametrize("backend", HERE)
async def test_code_has_repositories_of_its_own_in_a_folder_of_its_conversation(
    backend: Backend, tmp_path: Path
) -> None:
    sessions = sessions_in(backend, tmp_path)
    (tmp_path / "one" / ".git").mkdir(parents=True)
    try:
        session = sessions.get("one", Local())
        source = tries(tmp_path / "one", ".git/config", "new")
        assert printed(await session.execute(source)).split() == [".git/config", "new"]
    finally:
        await sessions.close_all()


ACTS = (
    ("open('ROOT/new.csv', 'w')", "new.csv"),
    ("import pathlib; pathlib.Path('ROOT/new.txt').write_text('x')", "new.txt"),
    ("import os; os.mkdir('ROOT/new')", "new"),
    ("import os; os.remove('ROOT/data.csv')", "data.csv"),
    ("!touch ROOT/new.txt", "new.txt"),
    ("try: open('ROOT/sub/new.csv', 'w')\nexcept OSError as error: print(error)", "sub/new.csv"),
)


async def outcomes(sessions: Sessions, project: Path) -> list[Result]:
    session = sessions.get("one", Local())
    return [await session.execute(code.replace("ROOT", str(project))) for code, _ in ACTS]


@behaviour("sandbox:closed-folders")
@pytest.mark.skipif("landlock" not in HERE, reason="there is no Landlock")
async def test_of_a_folder_that_takes_no_new_files_it_is_said_what_does(
    project: Path, tmp_path: Path
) -> None:
    sessions = sessions_in("landlock", tmp_path / "own", buttons=True)
    assert sessions.sandbox is not None
    sessions.sandbox.granted.add("one", Grants(write=frozenset({project})))
    try:
        told = [what_was_refused(each.refusals) for each in await outcomes(sessions, project)]
    finally:
        await sessions.close_all()
    named = [str(project / name) for _, name in ACTS]
    assert told == [f"This block may not write to {each}. {CLOSED}" for each in named]


@behaviour("sandbox:closed-folders")
@pytest.mark.skipif("namespaces" not in HERE, reason="there are no namespaces")
async def test_in_namespaces_such_a_folder_takes_them(project: Path, tmp_path: Path) -> None:
    sessions = sessions_in("namespaces", tmp_path / "own", buttons=True)
    assert sessions.sandbox is not None
    sessions.sandbox.granted.add("one", Grants(write=frozenset({project})))
    try:
        assert [each.refusals for each in await outcomes(sessions, project)] == [()] * len(ACTS)
    finally:
        await sessions.close_all()


@behaviour("sandbox:closed-folders")
def test_a_policy_knows_which_folders_those_are() -> None:
    chat, sockets, temporary, home = (Path("/own", name) for name in ("chat", "s", "t", "home"))
    grants = Grants(write=frozenset({Path("/work")}))
    guarded = (Path("/work/a/.git"),)
    policy = Policy(chat, sockets, temporary, home, grants=grants, guarded=guarded, adds=False)
    assert [
        policy.is_closed(Path(each)) for each in ("/work", "/work/a", "/work/b", "/work/a/.git", "/usr")
    ] == [
        True,
        True,
        False,
        False,
        False,
    ]
