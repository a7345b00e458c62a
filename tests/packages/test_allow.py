"""What the button of a card does, for hosts with an event loop and without one."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.outputs import Refusal, Remedy, Status
from coderunner.packages.offers import Packaging
from coderunner.runner import Ended, Event, Preparing, allow, allow_sync
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run


@dataclass
class Chat:
    """Sessions, and an offer to install something in one of them."""

    sessions: Sessions

    def press(self, names: str, *, waits: bool) -> list[Event]:
        """Press the button of a card, in a host that waits or in one with a loop."""
        refusal = Refusal("package", names, Remedy.INSTALL, names, names)
        if waits:
            return list(allow_sync(self.sessions, "c", Local(), refusal, lambda: False))

        async def pressed() -> list[Event]:
            return [each async for each in allow(self.sessions, "c", Local(), refusal, asyncio.Event())]

        return asyncio.run(pressed())


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    sessions = Sessions(tmp_path / "kernels", packaging=Packaging("ask", buttons=True))
    yield Chat(sessions)
    io_thread().call(sessions.close_all(), BOUND)


@behaviour("packages:allow")
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.usefixtures("quickly")
def test_the_button_tells_each_step_and_why_a_block_cannot_run(chat: Chat, waits: bool) -> None:
    session = chat.sessions.get("c", Local())
    lacking = run(session, "import lonely")
    (refusal,) = lacking.refusals
    assert refusal.remedy is Remedy.INSTALL
    told = chat.press("lonely==1.0", waits=waits)
    assert told[:2] == [Preparing("Looking for lonely==1.0"), Preparing("Installing lonely 1.0")]
    assert not [each for each in told if isinstance(each, Ended)]
    assert chat.sessions.granted("c", refusal)
    assert run(session, "import lonely").status is Status.OK
    # Another version of what is imported: the kernel says that it has it.
    *_, last = chat.press("lonely==2.0", waits=waits)
    assert isinstance(last, Ended)
    assert "restart the kernel to use it: lonely was imported before" in last.result.detail
    assert last.result.refusals == ()
    *_, last = chat.press("nowhere", waits=waits)
    assert isinstance(last, Ended)
    assert last.result.detail.startswith("there is no package nowhere on ")
    assert [each.grant for each in last.result.refusals] == ["nowhere"]
