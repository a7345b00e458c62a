"""A real kernel in a real sandbox: what it is refused is told, and what is granted it may reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Aftermath, Refusal, Result, Status, Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.granted import Granted
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.refusals import grants_of
from tests.behaviours import behaviour

pytestmark = pytest.mark.skipif(not available(), reason=f"no sandbox here: {available().why}")

BOUND = 90.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "ada"
    (home / "data").mkdir(parents=True)
    (home / "data" / "sales.csv").write_text("month,sales\n1,15\n")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def sessions(home: Path) -> Iterator[Sessions]:
    data = home / ".coderunner"
    sandbox = KernelSandbox(granted=Granted(data / "grants.json"), hidden=(data,), buttons=True)
    sessions = Sessions(data / "kernels", sandbox=sandbox)
    yield sessions
    sessions.io_thread.call(sessions.close_all())


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.get("chat", Local())


def run(session: Session, code: str) -> Result:
    result = session.begin(code, deadline=60).wait(BOUND)
    assert result is not None
    return result


def refused(session: Session, code: str) -> Refusal:
    (refusal,) = run(session, code).refusals
    return refusal


def printed(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


@behaviour("sandbox:allowed:again")
def test_a_refused_file_is_read_once_its_folder_is_granted(sessions: Sessions, session: Session) -> None:
    code = "print(open('HOME/data/sales.csv').read())".replace("HOME", str(Path.home()))
    assert printed(run(session, "x = 15\nprint(x)")) == "15\n"
    refusal = refused(session, code)
    assert (refusal.sentence, refusal.offer) == (
        "This block may not read ~/data/sales.csv.",
        "Code in this chat may then read ~/data.",
    )
    kept = sessions.io_thread.call(sessions.grant("chat", grants_of(refusal)))
    result = run(session, code)
    assert (result.status, result.refusals) == (Status.OK, ())
    assert "1,15" in printed(result)
    assert kept == (result.aftermath is Aftermath.READY and run(session, "x").status is Status.OK)
    assert refused(sessions.get("another", Local()), code) == refusal


@behaviour("sandbox:allowed:again")
def test_what_was_granted_for_reading_is_refused_for_writing_and_told(
    sessions: Sessions, session: Session, home: Path
) -> None:
    read = refused(session, f"open('{home}/data/sales.csv')")
    sessions.io_thread.call(sessions.grant("chat", grants_of(read)))
    code = f"open('{home}/data/new.csv', 'w').write('x')"
    refusal = refused(session, code)
    assert refusal.sentence == "This block may not write to ~/data/new.csv."
    sessions.io_thread.call(sessions.grant("chat", grants_of(refusal)))
    assert run(session, code).status is Status.OK
    assert (home / "data" / "new.csv").read_text() == "x"


@behaviour("sandbox:allowed:ours")
def test_a_link_of_the_kernels_own_leads_to_no_button_for_what_is_ours(session: Session, home: Path) -> None:
    (home / ".coderunner" / "records.sqlite").parent.mkdir(exist_ok=True)
    (home / ".coderunner" / "records.sqlite").touch()
    run(session, f"import os\nos.symlink('{home}/.coderunner/records.sqlite', 'sales.csv')")
    refusal = refused(session, "open('sales.csv')")
    assert (refusal.what, refusal.offer) == ("~/.coderunner/records.sqlite", "")


@behaviour("sandbox:allowed:plain")
def test_a_block_that_is_refused_nothing_is_told_nothing(session: Session) -> None:
    for code in ("print(10 + 5)", "open('here.txt', 'w').write('x')", "1 / 0", "open('not-there')"):
        assert run(session, code).refusals == ()
