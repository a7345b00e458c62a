"""What people do to a chat while a block runs: it ends once, is told truly, and runs again for nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coderunner.ending_sentences import how_it_ended
from coderunner.outputs import Aftermath, Status
from coderunner.records.claims import GONE
from coderunner.records.database.run_states import OVER
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal, clauses
from tests.faults.scenes import AppScene, Scene, TextgenScene
from tests.hosts.app.conftest import parrot
from tests.hosts.app.parrot import Parrot
from tests.hosts.textgen.webui import Webui

__all__ = ["parrot"]


@dataclass(frozen=True)
class End:
    """What is true of the chat afterwards."""

    runs: tuple[Status, ...]
    """How each run ended, as it is written down; there is one for each time that a block ran."""
    words: str
    """What reader and model read of the last one."""


OK = End((Status.OK,), "ended")
STOPPED = End((Status.INTERRUPTED,), how_it_ended(Status.INTERRUPTED, Aftermath.READY))
ANEW = End((Status.INTERRUPTED, Status.OK), "ended")
EDITED = End((Status.INTERRUPTED, Status.OK), "edited")
ENDED = End((Status.REPLACED,), how_it_ended(Status.REPLACED, Aftermath.FRESH))
LOST = End((Status.LOST,), f"{how_it_ended(Status.LOST, Aftermath.READY, GONE)}; {GONE}")
FORGOTTEN = End((Status.REPLACED,), "")

TABLE = {
    ("app", "two tabs"): OK,
    ("app", "Stop"): STOPPED,
    ("app", "reload"): OK,
    ("app", "closed for good"): STOPPED,
    ("app", "regenerate"): ANEW,
    ("app", "edit"): EDITED,
    ("app", "delete"): ENDED,
    ("app", "crash"): LOST,
    ("textgen", "two tabs"): OK,
    ("textgen", "Stop"): STOPPED,
    ("textgen", "reload"): OK,
    ("textgen", "regenerate"): ANEW,
    ("textgen", "edit"): EDITED,
    ("textgen", "branch"): OK,
    ("textgen", "delete"): FORGOTTEN,
    ("textgen", "crash"): LOST,
}
FRESH = "Result:\n```output\n42\n```\n(this is a new kernel; earlier variables are gone)"
ANOTHER_KERNEL = {("textgen", "branch"): FRESH, ("textgen", "crash"): FRESH}


@pytest.fixture
def app(tmp_path: Path, parrot: tuple[Parrot, str]) -> Iterator[AppScene]:
    scene = AppScene(tmp_path, *parrot)
    yield scene
    scene.close()


@pytest.fixture
def textgen(tmp_path: Path, webui: Webui) -> Iterator[TextgenScene]:
    scene = TextgenScene(tmp_path, webui)
    yield scene
    scene.close()


@behaviour("faults:lifecycle:told")
@pytest.mark.parametrize(("host", "what"), TABLE)
def test_what_happens_to_a_chat_while_a_block_runs(
    host: str, what: str, request: pytest.FixtureRequest, ordeal: Ordeal
) -> None:
    scene: Scene = request.getfixturevalue(host)
    end = TABLE[host, what]
    scene.begin()
    ordeal.strike()
    scene.strikes[what]()
    ordeal.settle()
    runs = [each for each in scene.records() if each.state in OVER]
    told = scene.say("6 * 7")
    shown = scene.shown()
    assert [each.result.status for each in runs if each.result] == list(end.runs)
    assert scene.count == len(end.runs)
    assert [clause for clause in clauses(end.words) if clause not in shown.casefold()] == []
    assert [clause for clause in clauses(end.words) if clause not in told.casefold()] == []
    assert end.words != OK.words or "still running" not in told
    assert ANOTHER_KERNEL.get((host, what), "Result: 42") in told
    ordeal.survived = True
