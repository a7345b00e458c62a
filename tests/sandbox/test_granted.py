"""What people grant to single conversations, and the file in which it is kept."""

import json
import logging
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from coderunner.sandbox import granted
from coderunner.sandbox.granted import Granted
from coderunner.sandbox.policy import Grants
from tests.behaviours import behaviour

DATA = Grants(read=frozenset({Path("/home/ada/data")}))
OUT = Grants(write=frozenset({Path("/home/ada/out")}), hosts=frozenset({"example.org"}))


@behaviour("sandbox:granted:conversation")
def test_what_is_granted_to_one_conversation_is_granted_to_no_other() -> None:
    every = Granted()
    assert every.add("one", DATA)
    assert every.add("one", OUT)
    assert (every.of("one"), every.of("other")) == (DATA | OUT, Grants())


@behaviour("sandbox:granted:conversation")
def test_grants_are_taken_back_one_by_one_or_with_their_conversation() -> None:
    every = Granted()
    every.add("one", DATA | OUT)
    every.add("other", DATA)
    every.remove("one", OUT)
    every.forget("other")
    assert (every.of("one"), every.of("other")) == (DATA, Grants())


@behaviour("sandbox:granted:conversation")
def test_a_conversation_that_has_too_many_grants_gets_no_more() -> None:
    every = Granted()
    names = frozenset(f"host{number}.example.org" for number in range(granted.MOST_EACH))
    assert every.add("one", Grants(hosts=names))
    assert not every.add("one", DATA)
    assert every.of("one") == Grants(hosts=names)


@behaviour("sandbox:granted:file")
def test_the_next_process_knows_what_was_granted(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "granted.json"
    odd = Grants(read=frozenset({Path("/home/ada/\udcff and ü")}))
    Granted(path).add("one", DATA | OUT | odd)
    assert Granted(path).of("one") == DATA | OUT | odd


@behaviour("sandbox:granted:file")
def test_two_processes_see_each_others_grants(tmp_path: Path) -> None:
    here, there = Granted(tmp_path / "file"), Granted(tmp_path / "file")
    here.add("one", DATA)
    there.add("other", OUT)
    assert (here.of("other"), there.of("one")) == (OUT, DATA)
    there.forget("one")
    assert here.of("one") == Grants()


@behaviour("sandbox:granted:file")
def test_grants_from_many_threads_are_all_kept(tmp_path: Path) -> None:
    ours = [Granted(tmp_path / "file") for _ in range(4)]
    names = [f"host{number}.example.org" for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: ours[n % 4].add("one", Grants(hosts=frozenset({names[n]}))), range(40)))
    assert Granted(tmp_path / "file").of("one").hosts == set(names)


@behaviour("sandbox:granted:file")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "granted.json"
    Granted(path).add("one", DATA)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert (modes, stat.S_IMODE(path.parent.stat().st_mode)) == ({0o600}, 0o700)


@behaviour("sandbox:granted:trouble")
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"granted": {"one": {"read": "/", "write": [], "network": []}}}),
        json.dumps({"granted": {"one": {"read": ["data"], "write": [], "network": []}}}),
        json.dumps({"granted": {"one": None}}),
    ],
)
def test_a_damaged_file_grants_nothing_and_is_set_aside(
    content: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "granted.json"
    path.write_text(content)
    every = Granted(path)
    assert every.of("one") == Grants()
    assert [each.read_text() for each in tmp_path.glob("*.unreadable")] == [content]
    assert "it is damaged" in caplog.text
    every.add("one", DATA)
    assert Granted(path).of("one") == DATA


@behaviour("sandbox:granted:trouble")
def test_grants_that_cannot_be_saved_hold_for_this_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "no folder").touch()
    every = Granted(tmp_path / "no folder" / "granted.json")
    assert every.add("one", DATA)
    assert every.of("one") == DATA
    assert "cannot be saved" in caplog.text


@behaviour("sandbox:granted:trouble")
def test_the_oldest_grants_go_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(granted, "MOST", 3)
    caplog.set_level(logging.INFO, granted.__name__)  # a host may have set one for all of ours
    every = Granted(tmp_path / "granted.json")
    for number in range(5):
        every.add(f"chat {number}", DATA)
    assert [bool(every.of(f"chat {number}")) for number in range(5)] == [False] * 2 + [True] * 3
    assert "chat 0 were dropped" in caplog.text
