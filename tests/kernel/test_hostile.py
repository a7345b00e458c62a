"""What a program sends in the name of its kernel: garbage ends nothing, and what comes next is shown."""

from pathlib import Path

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import DisplayData, Status, Stream
from tests.behaviours import behaviour
from tests.kernel.conftest import run


@pytest.fixture
def session(new_session: Session) -> Session:
    """One whose kernel no other test uses: not everything that is done here can be undone."""
    return new_session


GARBAGE = Path(__file__).with_name("garbage.py").read_text(encoding="utf-8")

DEEP = """
import sys
from IPython.display import JSON
sys.setrecursionlimit(100_000)
value = []
for _ in range({levels}):
    value = [value]
display(JSON(value))
print("after")
"""
UNREADABLE = """
from IPython import get_ipython
kernel = get_ipython().kernel
parts = [kernel.session.pack(each) for each in (
    kernel.session.msg_header("display_data"), kernel.get_parent()["header"], {})]
kernel.session.send_raw(kernel.iopub_socket, [*parts, b'{"data": '], ident=b"x")
print("after")
"""


@behaviour("client:hostile:next")
@pytest.mark.parametrize("seed", range(3))
def test_cells_after_garbage_of_every_kind_are_whole(sessions: Sessions, seed: int) -> None:
    session = sessions.get("garbage", Local())
    result = run(session, f"SEED = {seed}\n{GARBAGE}")
    assert "to the end" in str(result.outputs)
    for number in range(3):
        assert for_model(run(session, f"print({number})")) == f"Result: {number}\n"


@behaviour("client:hostile:next")
@pytest.mark.parametrize("levels", [190, 900, 980, 990, 1000, 3000])
def test_a_value_of_any_depth_is_shown_and_the_next_cell_is_whole(session: Session, levels: int) -> None:
    shown, printed = run(session, DEEP.format(levels=levels)).outputs
    assert isinstance(shown, DisplayData)
    assert ("…" in str(shown.data["application/json"])) == (levels > 200)
    assert printed == Stream("stdout", "after\n")
    assert for_model(run(session, "print(15)")) == "Result: 15\n"


@behaviour("messages:garbage:fault")
def test_that_an_output_could_not_be_read_stands_in_its_place(session: Session) -> None:
    result = run(session, UNREADABLE)
    first, second = result.outputs
    assert isinstance(first, Stream)
    assert first.text.startswith("An output could not be read: it is not JSON: ")
    assert (second, result.status) == (Stream("stdout", "after\n"), Status.OK)
