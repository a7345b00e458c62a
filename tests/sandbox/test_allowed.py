"""A real kernel in a real sandbox: what it is refused is told, and what is granted it may reach."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Aftermath, Refusal, Remedy, Result, Status, Stream
from coderunner.runner import Heading, for_model, shown_afterwards
from coderunner.sandbox.backends import available
from coderunner.sandbox.granted import Granted
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
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
        "Allow code in this chat to read the folder ~/data?",
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


@behaviour("sandbox:allowed:afterwards")
def test_what_a_thread_is_refused_after_its_block_has_ended_is_told(session: Session, home: Path) -> None:
    told: list[object] = []
    code = """import os, pathlib, sys, threading, time
def read():
    while not os.path.exists('go'):
        time.sleep(0.05)
    try:
        pathlib.Path(*parts).read_text()
    except OSError as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
threading.Thread(target=read).start()"""
    run(session, f"parts = {(*home.parts, 'data', 'sales.csv')}")
    ended = session.begin(code, deadline=60, on_later=told.append).wait(BOUND)
    assert ended is not None
    assert ended.refusals == ()
    (home / ".coderunner" / "kernels" / "chat" / "go").touch()
    until = time.monotonic() + BOUND
    while not told and time.monotonic() < until:
        threading.Event().wait(0.01)
    (shown,) = shown_afterwards(session)
    assert [(each.sentence, each.remedy) for each in shown.refusals] == [
        ("This block may not read ~/data/sales.csv.", Remedy.FORM)
    ]
    said = for_model(shown, heading=Heading.AFTERWARDS)
    assert said.endswith(
        "(This block may not read ~/data/sales.csv. The user can allow it by hand, under “What code may "
        "reach”. "
        "Do not try another way.)\n"
    )


@behaviour("sandbox:allowed:taken-back")
def test_what_is_taken_back_is_refused_again(sessions: Sessions, session: Session, home: Path) -> None:
    code = f"print(open('{home}/data/sales.csv').read())"
    grants = grants_of(refused(session, code))
    sessions.io_thread.call(sessions.grant("chat", grants))
    assert run(session, f"x = 15\n{code}").status is Status.OK
    assert sessions.io_thread.call(sessions.revoke("chat", grants))
    result = run(session, code)
    assert result.refusals
    assert "variables are gone" in result.detail
    assert not sessions.io_thread.call(sessions.revoke("never ran", grants))


@behaviour("sandbox:allowed:taken-back")
def test_a_host_that_is_taken_back_costs_no_variables(sessions: Sessions, session: Session) -> None:
    hosts = Grants(hosts=frozenset({"example.org"}))
    run(session, "x = 15")
    sessions.io_thread.call(sessions.grant("chat", hosts))
    assert not sessions.io_thread.call(sessions.revoke("chat", hosts))
    assert printed(run(session, "print(x)")) == "15\n"


@behaviour("sandbox:allowed:waits")
def test_a_grant_ends_no_block_that_runs(sessions: Sessions, session: Session, home: Path) -> None:
    code = f"open('{home}/data/sales.csv').read(1)"
    grants = grants_of(refused(session, code))
    began = home / ".coderunner" / "kernels" / "chat" / "began"
    cell = session.begin("import time\nopen('began', 'w').close()\ntime.sleep(0.5)\nprint(15)", deadline=60)
    until = time.monotonic() + BOUND
    while not began.exists() and time.monotonic() < until:
        threading.Event().wait(0.01)
    sessions.io_thread.call(sessions.grant("chat", grants))
    result = cell.wait(BOUND)
    assert result is not None
    assert (result.status, printed(result)) == (Status.OK, "15\n")
    assert run(session, code).status is Status.OK
