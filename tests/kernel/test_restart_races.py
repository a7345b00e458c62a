"""A restart that takes its time, fails, or is no longer waited for: what the next cell finds, and is told.

The kernel is a model of one on a server, which is found again by its conversation, whatever its process is.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from coderunner.errors import ServerUnreachable
from coderunner.kernel.execution.late_output import LateOutput
from coderunner.kernel.execution.running_cell import Turns
from coderunner.kernel.execution.transport import Transport
from coderunner.kernel.kernel_location import KernelLocation, Server
from coderunner.kernel.protocol.kernel_info import KernelInfo
from coderunner.kernel.sessions.kernel_lifecycle import NOT_RESTARTED, RESTARTED, KernelLifecycle
from coderunner.kernel.widgets.comms import Comms
from coderunner.outputs import Result
from coderunner.secret_value import Secret
from tests.behaviours import behaviour


@dataclass
class Kernel:
    """One on a server: it is restarted as soon as it `may` be."""

    process: int = 1
    opened: list[int] = field(default_factory=list)
    """The process that each connection was opened to."""
    may: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    async def open(self, conversation: str, where: KernelLocation, *, start: bool = True) -> Transport:
        """Find it; it is always there."""
        del conversation, where, start
        self.opened.append(self.process)
        return Connection(self, str(self.process))

    def life(self) -> KernelLifecycle:
        """That of a conversation which has it."""
        loop = asyncio.get_running_loop()
        return KernelLifecycle(
            *("c", Server("http://127.0.0.1:1", Secret()), self.open),
            idle=600.0,
            turns=Turns(),
            later=LateOutput(),
            comms=Comms(loop.call_soon_threadsafe),
        )


@dataclass
class Connection:
    """A way to it."""

    kernel: Kernel
    process: str
    found = True
    borrowed = uncertain = False
    language = "python"
    about = KernelInfo()
    alone = False

    def attach(self, receive: object) -> None:
        """Nothing is ever said."""

    def go_on(self) -> None:
        """Nothing has ended."""

    async def send(self, message: object) -> None:
        """Nobody listens."""

    def usage(self) -> None:
        """Nobody knows."""

    async def interrupt(self) -> None:
        """No cell runs."""

    async def restart(self) -> None:
        """Restart it when it may be."""
        await self.kernel.may.wait()
        if self.kernel.fails:
            raise ServerUnreachable("the server is busy")
        self.kernel.process += 1

    async def check(self) -> None:
        """It is there."""

    async def answers(self) -> bool:
        """It does."""
        return True

    async def close(self, *, keep: bool = False) -> None:
        """It stays."""


async def cell(life: KernelLifecycle) -> str:
    """Run a cell; gives what its result says of the kernel."""
    client = await life.ready()
    notice = life.begin_cell()
    life.learn(Result())
    life.end_cell(client)
    return notice


@pytest.fixture
async def kernel() -> Kernel:
    return Kernel()


@behaviour("kernel:restart:races")
async def test_a_cell_that_comes_during_a_restart_does_not_run_in_the_old_process(kernel: Kernel) -> None:
    life = kernel.life()
    await cell(life)
    restarting = asyncio.ensure_future(life.restart())
    await asyncio.sleep(0)
    following = asyncio.ensure_future(cell(life))
    await asyncio.wait([following], timeout=0.05)
    kernel.may.set()
    assert await following == RESTARTED
    await restarting
    assert kernel.opened == [1, 2]
    await life.end(keep=True)


@behaviour("kernel:restart:races")
async def test_a_restart_for_which_nobody_waits_any_more_is_done_before_the_next_cell(kernel: Kernel) -> None:
    life = kernel.life()
    await cell(life)
    restarting = asyncio.ensure_future(life.restart())
    await asyncio.sleep(0)
    restarting.cancel()
    with suppress(asyncio.CancelledError):
        await restarting
    following = asyncio.ensure_future(cell(life))
    await asyncio.wait([following], timeout=0.05)
    kernel.may.set()
    assert await following == RESTARTED
    assert kernel.opened == [1, 2]
    await life.end(keep=True)


@behaviour("kernel:restart:races")
async def test_a_restart_that_failed_is_not_said_to_have_emptied_the_kernel(kernel: Kernel) -> None:
    life, kernel.fails = kernel.life(), True
    kernel.may.set()
    await cell(life)
    await life.restart()
    assert await cell(life) == NOT_RESTARTED
    kernel.fails = False
    await life.restart()
    assert (await cell(life), await cell(life)) == (RESTARTED, "")
    await life.end(keep=True)


@behaviour("kernel:restart:races")
async def test_two_restarts_that_meet_leave_one_kernel_that_is_said_to_be_there(kernel: Kernel) -> None:
    life = kernel.life()
    await cell(life)
    both = asyncio.gather(life.restart(), life.restart())
    await asyncio.sleep(0)
    kernel.may.set()
    await both
    assert await cell(life) == RESTARTED
    assert kernel.opened == [1, 2]
    assert life.status.state == "idle"
    await life.end(keep=True)
