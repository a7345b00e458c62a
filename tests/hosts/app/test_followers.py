"""Who looks at a reply, with a clock that jumps from one timer to the next."""

import asyncio
import selectors
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.hosts.app.conversation.conversation import Conversation
from coderunner.hosts.app.conversation.followers import Followers
from coderunner.hosts.app.conversation.reply_request import ReplyRequest
from coderunner.runner import Event, Say
from tests.behaviours import behaviour

PATIENCE = 20.0


class Clock(selectors.SelectSelector):
    """Waits by letting its own time pass."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0.0
        return super().select(0 if timeout is not None else None)


class Jumping(asyncio.SelectorEventLoop):
    """A loop whose time is its clock's."""

    def __init__(self) -> None:
        self.clock = Clock()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def jumping(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Jumping) as runner:
        runner.run(work)


steps = st.lists(
    st.sampled_from(["begin", "end", "come", "go"]) | st.floats(0.1, 2 * PATIENCE).map(lambda s: round(s, 1)),
    max_size=30,
)


@behaviour("app:audience:own")
@given(steps)
def test_a_reply_is_left_when_it_has_had_no_page_for_so_long_itself(steps: list[str | float]) -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        told: list[float] = []
        followers = Followers(PATIENCE, lambda: told.append(loop.time()))
        due: list[float] = []
        writing, since = False, 0.0
        for step in steps:
            if isinstance(step, float):
                if since + PATIENCE == pytest.approx(loop.time() + step):
                    step += 0.01
                waited = writing and not len(followers)
                if waited and since + PATIENCE not in due and since + PATIENCE < loop.time() + step:
                    due.append(since + PATIENCE)
                await asyncio.sleep(step)
                continue
            if step == "go" and not len(followers):
                continue
            getattr(followers, step)()
            writing = {"begin": True, "end": False}.get(step, writing)
            since = loop.time()
        assert told == pytest.approx(due)

    jumping(play())


async def slow(request: ReplyRequest) -> AsyncGenerator[Event]:
    """Say one word after a while."""
    await asyncio.wait({asyncio.ensure_future(request.stop.wait())}, timeout=PATIENCE / 2)
    yield Say("cut" if request.stop.is_set() else "whole")


@behaviour("app:audience:own")
@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("gap", [0.0, PATIENCE / 2 - 0.01, PATIENCE - 0.01, PATIENCE + 0.01])
def test_no_reply_is_stopped_by_the_wait_for_an_earlier_one(gap: float, *, followed: bool) -> None:
    async def play() -> None:
        conversation = Conversation(slow, lambda: "auto", patience=PATIENCE)
        for number in range(3):
            assert conversation.say(f"message {number}")
            if followed:
                pictures = conversation.follow()
                await anext(pictures)
                await pictures.aclose()
            if conversation.writing is not None:
                await conversation.writing
            await asyncio.sleep(gap)
        assert [each.text for each in conversation.messages if each.role == "assistant"] == [""] * 3
        assert ["cut" in repr(each.parts) for each in conversation.messages] == [False] * 6

    jumping(play())
