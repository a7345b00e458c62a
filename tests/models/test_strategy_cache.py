import json
import stat
import sys
from pathlib import Path

import pytest

from coderunner.models.continuation.strategies import FLAGS, NEXT
from coderunner.models.continuation.strategy_cache import Choice, StrategyCache
from coderunner.models.endpoint.client import Endpoint
from coderunner.secret_value import Secret
from tests.behaviours import behaviour

HERE = Endpoint("http://127.0.0.1:8080", Secret("sk-canary-93b1"), "qwen")
CHOICE = Choice(FLAGS, "llama.cpp is known", "llama.cpp")


@behaviour("models:memory:recall")
def test_a_choice_is_remembered_for_its_address_and_model() -> None:
    memory = StrategyCache()
    memory.remember(HERE, CHOICE)
    others = [Endpoint("http://127.0.0.1:8081", model="qwen"), Endpoint(HERE.url, model="llama")]
    assert memory.recall(Endpoint("127.0.0.1:8080/v1/", model="qwen")) == CHOICE
    assert [memory.recall(other) for other in others] == [None, None]


@behaviour("models:memory:recall")
def test_what_is_learnt_later_counts() -> None:
    memory = StrategyCache()
    memory.remember(HERE, CHOICE)
    memory.remember(HERE, Choice(NEXT, "it refused"))
    assert memory.recall(HERE) == Choice(NEXT, "it refused")


@behaviour("models:memory:bounded")
def test_the_oldest_choices_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coderunner.models.continuation.strategy_cache.MOST", 3)
    ours = StrategyCache(tmp_path / "file")
    for number in range(9):
        ours.remember(Endpoint(HERE.url, model=f"model-{number}"), CHOICE)
    for memory in (ours, StrategyCache(tmp_path / "file")):
        known = [memory.recall(Endpoint(HERE.url, model=f"model-{number}")) for number in range(9)]
        assert known == [None] * 6 + [CHOICE] * 3


@behaviour("models:memory:file")
def test_the_next_process_knows_it_too(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "strategies.json"
    StrategyCache(path).remember(HERE, CHOICE)
    assert StrategyCache(path).recall(HERE) == CHOICE


@behaviour("models:memory:file")
def test_two_processes_do_not_forget_each_others(tmp_path: Path) -> None:
    one, other = StrategyCache(tmp_path / "file"), StrategyCache(tmp_path / "file")
    there = Endpoint(HERE.url, model="llama")
    one.remember(HERE, CHOICE)
    other.remember(there, CHOICE)
    third = StrategyCache(tmp_path / "file")
    assert (third.recall(HERE), third.recall(there)) == (CHOICE, CHOICE)


@behaviour("models:memory:file")
def test_a_passing_choice_stays_in_the_process(tmp_path: Path) -> None:
    memory = StrategyCache(tmp_path / "file")
    memory.remember(HERE, CHOICE, durable=False)
    assert (memory.recall(HERE), list(tmp_path.iterdir())) == (CHOICE, [])


@behaviour("models:memory:file")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_is_private_and_has_no_key(tmp_path: Path) -> None:
    path = tmp_path / "strategies.json"
    StrategyCache(path).remember(HERE, CHOICE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert "canary" not in path.read_text(encoding="utf-8")


@behaviour("models:memory:file")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"strategies": 3}',
        '{"strategies": [3]}',
        json.dumps(
            {"strategies": [{"url": HERE.url, "model": "qwen", "strategy": "gone", "reason": "", "kind": ""}]}
        ),
    ],
)
def test_a_broken_file_is_an_empty_memory(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    memory = StrategyCache(path)
    assert memory.recall(HERE) is None
    memory.remember(HERE, CHOICE)
    assert StrategyCache(path).recall(HERE) == CHOICE


@behaviour("models:memory:file")
def test_a_file_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder", encoding="utf-8")
    memory = StrategyCache(tmp_path / "taken" / "strategies.json")
    memory.remember(HERE, CHOICE)
    assert memory.recall(HERE) == CHOICE
