"""Random lives of a chat in the app: what people, the model, the network, the kernel and the machine do to
it, against what is true of its blocks. The files that the blocks leave know the truth.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from coderunner.ending_sentences import how_it_ended
from coderunner.hosts.app.choices.choices import ModelChoice
from coderunner.hosts.app.conversation.message_parts import blocks
from coderunner.hosts.app.conversation.reply_writer import kernel_label
from coderunner.hosts.app.server import App
from coderunner.kernel.execution.conclude_cell import UNHEARD
from coderunner.kernel.sessions.registry import Server
from coderunner.models.endpoint.client import Endpoint
from coderunner.outputs import Result, Status, Stream
from coderunner.page.block_state import Block, State
from coderunner.records.database.run_states import OVER
from coderunner.settings.settings import load
from tests.faults.conftest import happens
from tests.faults.proxy import Chaos, chaos
from tests.faults.teller import Teller
from tests.kernel.conftest import BOUND
from tests.records.conftest import crash

Given = TypeVar("Given")

GONE = "earlier variables are gone"
NEVER = (Status.REFUSED, Status.DECLINED, Status.ABORTED)
"""Ends of blocks that did not run."""
CUT_SHORT = (Status.INTERRUPTED, Status.DIED)
"""Ends of blocks that ran, but not to their last line."""


class Life(RuleBasedStateMachine):
    """One chat whose kernel is on a server behind a bad network."""

    def __init__(self, teller: Teller, model: str, there: Server) -> None:
        super().__init__()
        self._teller, self._model, self._there = teller, model, there
        self._loop = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self._place = Path(self._folder.name)
        self._apps: list[App] = []
        self._pages: list[asyncio.Task[None]] = []
        self._written = 0
        """Blocks so far."""
        self._in_fence = False
        self._killed = False
        """The kernel was, after the last block began: its server needs seconds to notice."""
        self._network = self._do(self._begin())
        self._conversation = self._apps[-1].conversations.new()

    async def _begin(self) -> Chaos:
        self._around = chaos(self._there.url)
        network = await self._around.__aenter__()
        self._start(network.url)
        return network

    def _start(self, server: str) -> None:
        settings = load(
            {
                "server": server,
                "token": self._there.token.reveal(),
                "approve": "auto",
                "data_dir": self._folder.name,
                "timeout": "600",
                "titles": "off",
            }
        )
        app = App(settings, patience=1.0)
        app.choices.choice = ModelChoice("teller", Endpoint(f"{self._model}/v1", model="teller"))
        self._apps.append(app)

    def _do(self, work: Coroutine[Any, Any, Given]) -> Given:
        return self._loop.run(asyncio.wait_for(work, BOUND))

    def _until(self, fact: Callable[[], bool]) -> None:
        self._do(happens(fact))

    # --- how it stands

    @property
    def _busy(self) -> bool:
        return self._conversation.busy

    @property
    def _generating(self) -> bool:
        return self._busy and self._teller.listening

    @property
    def _runs(self) -> bool:
        """A block runs: it has begun, and the reply waits for it."""
        return self._busy and not self._teller.listening

    def _marks(self, number: int) -> str:
        path = self._place / f"block-{number}"
        return path.read_text() if path.exists() else ""

    def _settles(self) -> None:
        """Wait until the reply goes on or is over."""
        self._until(lambda: not self._busy or self._teller.listening)

    def _open(self, number: int) -> None:
        (self._place / f"gate-{number}").touch()

    # --- what people do

    @initialize()
    def first(self) -> None:
        """Have the first page, and a block that has run."""
        self._look()
        self._say_and_run("opened = True")

    @precondition(lambda self: not self._busy)
    @rule()
    def send(self) -> None:
        """Send a message."""
        self._send()

    def _send(self) -> None:
        self._in_fence = False
        assert self._do(self._said("Go on."))
        self._look()
        self._settles()

    async def _said(self, text: str) -> bool:
        return self._conversation.say(text)

    @precondition(lambda self: self._busy)
    @rule()
    def stop(self) -> None:
        """Press Stop: the reply ends."""
        self._conversation.stop()
        self._until(lambda: not self._busy)

    @rule()
    def second_tab(self) -> None:
        """Look at the conversation in another tab, too, from which nothing can be sent meanwhile."""
        self._look()
        assert not self._busy or not self._do(self._said("Me, too."))

    @precondition(lambda self: self._pages)
    @rule()
    def reload(self) -> None:
        """Leave with one page, and come back."""
        self._do(self._leave())
        self._look()

    def _look(self) -> None:
        async def look() -> None:
            async for _ in self._conversation.follow():
                pass

        async def begin() -> None:
            # A page follows a reply to its end.
            self._pages = [page for page in self._pages if not page.done()]
            self._pages.append(asyncio.create_task(look()))

        self._do(begin())

    async def _leave(self) -> None:
        page = self._pages.pop()
        page.cancel()
        await asyncio.wait({page})

    # --- what the model does

    @precondition(lambda self: self._generating)
    @rule(piece=st.sampled_from(["prose", "fence", "fence", "end"]))
    def chunk(self, piece: str) -> None:
        """Write a piece: prose, half a block or its other half, or nothing more."""
        if self._in_fence:
            self._close_fence()
        elif piece == "fence":
            self._written += 1
            self._teller.say(f"\n```python\n{_head(self._place, self._written)}")
            self._in_fence = True
        elif piece == "prose":
            self._teller.say("Well.\n\n")
        else:
            self._end()

    def _end(self) -> None:
        self._teller.say(None)
        self._until(lambda: not self._busy)

    def _close_fence(self, last: str = "") -> None:
        self._in_fence = False
        number, before = self._written, len(self._teller.asked)
        self._teller.say(f"{_tail(self._place, number)}{last}\n```\n")
        self._until(lambda: not self._busy or bool(self._marks(number)) or len(self._teller.asked) > before)
        if not self._marks(number):
            self._settles()

    # --- what happens to a block that runs

    @precondition(lambda self: self._runs)
    @rule()
    def go_on(self) -> None:
        """Let the block come to its last line."""
        self._open(self._written)
        if not self._network.refusing:
            self._settles()

    @rule()
    def kill_kernel(self) -> None:
        """Kill the kernel's process."""
        with suppress(ProcessLookupError):
            os.kill(int((self._place / "process").read_text()), signal.SIGKILL)
            self._killed = True
        if self._runs and not self._network.refusing:
            self._settles()

    @rule(how=st.sampled_from(["cut", "reset", "blip"]))
    def cut(self, how: str) -> None:
        """Cut the network, for a moment or until it is mended."""

        async def cut() -> None:
            self._network.refusing = self._network.refusing or how != "blip"
            self._network.reset() if how == "reset" else self._network.cut()

        self._do(cut())

    @precondition(lambda self: self._network.refusing)
    @rule()
    def mend(self) -> None:
        """Mend the network."""
        self._network.refusing = False

    @rule()
    def restart_host(self) -> None:
        """Kill the app, whatever it does, and start it anew."""
        identity, old = self._conversation.id, self._apps[-1]
        assert old.records.settle()
        self._do(self._crash(old))
        self._start(self._network.url)
        found = self._do(self._apps[-1].conversations.find(identity))
        assert found is not None
        self._conversation = found
        self._look()

    async def _crash(self, app: App) -> None:
        crash(app.records)
        await app.sessions.close_all(keep=True)
        if (writing := self._conversation.writing) is not None:
            writing.cancel()
            await asyncio.wait({writing})
        for page in self._pages:
            page.cancel()
        if self._pages:
            await asyncio.wait(self._pages)
        self._pages.clear()

    # --- what must be true in the end

    def teardown(self) -> None:
        try:
            self._end_well()
        finally:
            self._do(self._close())
            self._loop.close()
            self._folder.cleanup()

    def _end_well(self) -> None:
        self._network.refusing = False
        for number in range(1, self._written + 1):
            self._open(number)
        if self._busy:
            self._settles()
        if self._busy:
            if self._in_fence:
                self._close_fence()
                self._settles()
            self._end()
        self._say_and_run("print(6 * 7)")
        if self._killed and self._last.status is Status.DIED:
            self._say_and_run("print(6 * 7)")
        if self._last.status is Status.OK and UNHEARD in self._last.detail:
            # A kernel that has just started may speak before anybody hears it.
            self._say_and_run("print(6 * 7)")
        assert "42" in _printed(self._last.outputs), self._last
        assert self._apps[-1].records.settle()
        self._compare()

    @property
    def _last(self) -> Result:
        result = blocks(self._conversation.messages)[-1].result
        assert result is not None
        return result

    def _say_and_run(self, last: str) -> None:
        """Send a message; the reply runs a block that waits for nobody."""
        self._send()
        self._written += 1
        self._teller.say(f"\n```python\n{_head(self._place, self._written)}")
        self._open(self._written)
        self._close_fence(last)
        self._settles()
        if self._busy:
            self._end()

    def _compare(self) -> None:
        """Compare what is shown, written down and told with what the blocks themselves left."""
        shown = [block for block in blocks(self._conversation.messages) if block.source]
        told = " ".join(message.late + message.text for message in self._conversation.messages)
        kept = {
            (record.key.message, record.key.ordinal): record
            for record in self._apps[-1].records.of(kernel_label(self._conversation.id))
        }
        assert all(record.state in OVER for record in kept.values())
        assert not any("bb" in self._marks(number) for number in range(1, self._written + 1)), "ran twice"
        numbered = {int(block.source.split("#", 2)[1]): block for block in shown}
        for number, block in numbered.items():
            self._judge(block, self._marks(number))
        for message in self._conversation.messages:
            assert message.finished
            for block in blocks([message]):
                assert block.state in (State.ENDED, State.UNFINISHED)
                if (record := kept.get((message.reply, block.ordinal or 0))) and block.source:
                    assert record.result is not None
                    assert block.result is not None
                    assert record.result.status is block.result.status
        self._variables(numbered, told)

    def _judge(self, block: Block, marks: str) -> None:
        result = block.result
        assert result is not None
        begun, ended = "b" in marks, "e" in marks
        case = (result.status, result.detail, marks)
        if result.status is Status.OK:
            assert (begun, ended) == (True, True), case
            assert "ended" in _printed(result.outputs) or result.detail, case
        elif result.status in NEVER or "had not started" in result.detail:
            assert not begun, case
        elif result.status in CUT_SHORT:
            assert not ended, case
        else:
            assert result.status in (Status.LOST, Status.REPLACED), case

    def _variables(self, numbered: dict[int, Block], told: str) -> None:
        """Variables are never lost without a word."""
        held = False
        for number in sorted(numbered):
            block, result = numbered[number], numbered[number].result
            assert result is not None
            words = f"{how_it_ended(result.status, result.aftermath)} {result.detail} {told}"
            found = [line for line in _printed(result.outputs).splitlines() if line.startswith("last ")]
            if found == ["last None"] and held:
                assert "gone" in words, (number, block.read)
            held = held or "b" in self._marks(number)

    async def _close(self) -> None:
        for app in self._apps:
            await app.conversations.close()
            await app.sessions.close_all(keep=app is not self._apps[-1])
            app.records.close()
        for page in self._pages:
            page.cancel()
        await self._around.__aexit__(None, None, None)


def _head(place: Path, number: int) -> str:
    """The first half of a block that leaves a mark when it begins."""
    return (
        f"#{number}# a block\nimport os, time\n"
        f"open({str(place / 'process')!r}, 'w').write(str(os.getpid()))\n"
        f"open({str(place / f'block-{number}')!r}, 'a').write('b')\n"
        "print('last', globals().get('last'), flush=True)\n"
    )


def _tail(place: Path, number: int) -> str:
    """The other half, which waits for its gate, and leaves another mark when it is through."""
    return (
        f"last = {number}\n"
        f"while not os.path.exists({str(place / f'gate-{number}')!r}): time.sleep(0.01)\n"
        f"open({str(place / f'block-{number}')!r}, 'a').write('e')\nprint('ended')\n"
    )


def _printed(outputs: Any) -> str:
    return "".join(output.text for output in outputs if isinstance(output, Stream))
