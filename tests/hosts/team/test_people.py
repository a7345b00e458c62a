"""The processes of people's apps: how they start, what becomes of them, and how many there are."""

from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.hosts.team import pages
from coderunner.hosts.team.handover import KEY_HEADER
from tests.behaviours import behaviour
from tests.hosts.team.place import eventually, place

HTML = {"Accept": "text/html"}


def ended(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@behaviour("team:people:own-app")
def test_each_person_has_a_process_and_a_folder(tmp_path: Path) -> None:
    with place(tmp_path) as team:
        ada, bob, again = team.get("ada").json(), team.get("bob").json(), team.get("ada").json()
        assert (ada["home"], bob["home"]) == (str(team.home("ada")), str(team.home("bob")))
        assert ada["process"] == again["process"] != bob["process"]
        assert team.home("ada").stat().st_mode & 0o077 == 0
        assert (team.home("ada") / "person.json").read_text("utf-8") == '{"name": "ada"}\n'


@behaviour("team:people:own-app")
def test_nothing_but_the_front_reaches_the_process_of_a_person(tmp_path: Path) -> None:
    with place(tmp_path) as team:
        process = psutil.Process(team.process("ada"))
        (listening,) = {each.laddr for each in process.net_connections("unix") if each.laddr}
        assert not process.net_connections("inet")
        socket = Path(listening)
        assert (socket.stat().st_mode & 0o777, socket.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket))) as client:
            assert client.get("http://app/").status_code == 403
            assert client.get("http://app/", headers={KEY_HEADER: "a guess"}).status_code == 403
        assert [each for each in process.cmdline() if "secret" in each] == []


@behaviour("team:people:starting")
def test_a_page_says_that_its_app_is_starting_and_then_becomes_it(tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    with place(tmp_path) as team:
        waiting = team.get("<ada>", **HTML)
        assert (waiting.status_code, waiting.headers["cache-control"]) == (200, "no-store")
        assert pages.STARTING in waiting.text
        assert "Signed in as &lt;ada&gt;." in waiting.text
        (tmp_path / "slow").unlink()
        eventually(lambda: "process" in team.get("<ada>", **HTML).text)


@behaviour("team:people:not-started")
def test_an_app_that_does_not_start_is_told_in_one_sentence_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "broken").touch()
    with place(tmp_path) as team:
        failed = team.get("ada")
        assert (failed.status_code, failed.text) == (503, pages.ASK)
        assert "its process ended with the code 3" in caplog.text
        (tmp_path / "broken").unlink()
        eventually(lambda: team.get("ada").status_code == 200)


@behaviour("team:people:crash")
def test_a_crash_ends_one_app_which_starts_again_and_nobody_elses(tmp_path: Path) -> None:
    with place(tmp_path) as team:
        ada, bob = team.process("ada"), team.process("bob")
        crashed = team.get("ada", "/crash")
        assert (crashed.status_code, crashed.text) == (502, pages.ENDED)
        eventually(lambda: team.get("ada").status_code == 200)
        assert team.process("ada") != ada
        assert team.process("bob") == bob


@behaviour("team:people:idle")
def test_an_app_is_ended_when_it_is_left_alone_and_no_code_runs(tmp_path: Path) -> None:
    with place(tmp_path, people_idle=0.005) as team:
        with team.client("ada") as ada, ada.stream("GET", "/ticks") as open_page:
            said = open_page.iter_raw()
            assert next(said) == b"tick\n"
            process = team.process("ada")
            bob = team.process("bob")
            eventually(lambda: ended(bob))  # others are looked at, so ada's has been, too
            assert not ended(process)
            (team.home("ada") / "busy").touch()
        carol = team.process("carol")
        eventually(lambda: ended(carol))
        assert not ended(process)
        (team.home("ada") / "busy").unlink()
        eventually(lambda: ended(process))
        assert team.process("ada") != process


@behaviour("team:people:limit")
def test_no_more_apps_run_than_are_allowed(tmp_path: Path) -> None:
    with place(tmp_path, max_people=1) as team:
        process = team.process("ada")
        full = team.get("bob")
        assert full.status_code == 503
        assert full.text.startswith("1 people are using CodeRunner, and max_people allows no more at once.")
        assert team.process("ada") == process


@behaviour("team:people:limit")
def test_an_app_that_nobody_uses_makes_room(tmp_path: Path) -> None:
    with place(tmp_path, max_people=1, resting=0.0) as team:
        process = team.process("ada")
        assert team.get("bob").status_code == 200
        assert ended(process)


@behaviour("team:people:end")
def test_all_apps_end_with_the_front(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    with place(tmp_path) as team:
        processes = [team.process(name) for name in ("ada", "bob")]
    assert all(ended(each) for each in processes)
    assert set(psutil.Process().children()) <= before
