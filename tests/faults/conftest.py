"""What every fault is put through: it ends in time, is told truly, and the next block works.

At the end of a run `tests/conftest.py` prints the table of all faults: which were survived, and how long the
verdict took.
"""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.outputs import Aftermath, Result, Status, Stream
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import Setting, block
from tests.faults.proxy import Chaos, chaos
from tests.hosts.textgen.conftest import webui
from tests.kernel.conftest import BOUND, hub, jupyter, there
from tests.kernel.servers import Jupyter, jupyter_server

__all__ = ["hub", "jupyter", "there", "webui"]


WITHIN = 30.0
"""Seconds that a verdict may take, on a machine that has a lot to do; the table says what it took."""


def text_of(result: Result) -> str:
    """What went to stdout. IPython prints to stderr when another interrupt meets it at a traceback."""
    return "".join(
        output.text for output in result.outputs if isinstance(output, Stream) and output.name == "stdout"
    )


def lines_of(result: Result) -> list[str]:
    """What went to stdout, line by line."""
    return text_of(result).splitlines()


def shown_of(result: Result) -> str:
    """What the chat app shows of a block that ended so, as text."""
    drawn = block(Block("", "", State.ENDED, result=result), Setting())
    return unescape(re.sub(r"<[^>]*>", " ", drawn))


def clauses(words: str) -> list[str]:
    """The parts of what is said of an end: reader and model read the same ones, set apart in other ways."""
    parts = re.split("; |: ", words.casefold())
    return [part for part in parts if part not in ("", "```", "no output")]


@dataclass
class Ordeal:
    """One fault: from the moment when it is done to us to the verdict, and what is left then."""

    name: str
    bound: float = 0.0
    """Seconds that the verdict may take."""
    began: float = field(default_factory=time.monotonic)
    survived: bool = False
    took: float = 0.0

    def strike(self) -> None:
        """Note that the fault is done now."""
        self.began = time.monotonic()

    def settle(self) -> None:
        """Note that the verdict is known; it came in time."""
        self.took = time.monotonic() - self.began
        assert self.took < self.bound

    def ends(self, result: Result, status: Status, aftermath: Aftermath, words: str) -> None:
        """Compare a verdict with what is true; `words` is how the model reads it, below the output."""
        self.settle()
        assert (result.status, result.aftermath) == (status, aftermath), result
        told = for_model(result).rstrip().splitlines()[-1] if words else ""
        assert told.removeprefix("Result: ").strip("()") == words
        shown = shown_of(result).casefold()
        assert [clause for clause in clauses(words) if clause not in shown] == []

    async def goes_on(self, session: Session, *, kept: bool) -> Result:
        """Run the next block: it works, and finds the variable `x` or, where it is gone, a fresh kernel."""
        result = await session.execute("print('x' in globals())")
        assert (result.status, text_of(result)) == (Status.OK, f"{kept}\n")
        self.survived = True
        return result


async def happens(fact: Callable[[], bool]) -> None:
    """Wait, bounded, until something holds that nobody tells us."""
    for _ in range(int(BOUND / 0.01)):
        if fact():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@pytest.fixture
def ordeal(request: pytest.FixtureRequest) -> Iterator[Ordeal]:
    """The fault of this test, which stands in the table by the test's parameter or its name."""
    sentence = request.node.originalname.removeprefix("test_").replace("_", " ")
    which = f"{request.node.callspec.id}: " if hasattr(request.node, "callspec") else ""
    one = Ordeal(which + sentence, bound=WITHIN)
    yield one
    request.node.user_properties.append(("fault", [one.name, one.survived, one.took]))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Jupyter]:
    """A server that a test may end."""
    with jupyter_server(tmp_path, token="own") as server:
        yield server


@pytest.fixture
async def sessions(tmp_path: Path) -> AsyncIterator[Sessions]:
    """A registry of its own; closed without blocking the loop, in which the network lives."""
    registry = Sessions(tmp_path / "work")
    yield registry
    async with asyncio.timeout(BOUND):
        await registry.close_all(keep=False)


@pytest.fixture
async def proxy(jupyter: Jupyter) -> AsyncIterator[Chaos]:
    """A network with bad days, between us and the stock server."""
    async with chaos(jupyter.url) as network:
        yield network


@pytest.fixture
async def far(proxy: Chaos, sessions: Sessions, there: Server) -> Session:
    """A conversation over that network, with a variable `x` in its kernel."""
    session = sessions.get(uuid.uuid4().hex, replace(there, url=proxy.url))
    assert (await session.execute("x = 7; runs = 0")).status is Status.OK
    return session
