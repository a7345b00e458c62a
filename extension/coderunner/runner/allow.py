"""Allows what a button below a block offers: an access, or packages to be installed, which takes a while."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future
from dataclasses import replace
from queue import Empty, SimpleQueue

from coderunner.errors import CodeRunnerError
from coderunner.kernel.kernel_location import KernelLocation
from coderunner.kernel.packages.chat_packages import STALE
from coderunner.kernel.sessions.registry import Sessions
from coderunner.outputs import Refusal, Result, Status
from coderunner.packages.offers import ACCESS, were
from coderunner.runner.events import BEAT, Ended, Preparing
from coderunner.runner.run_options import STOPPED
from coderunner.sandbox.refusals import grants_of


async def allow(
    sessions: Sessions, conversation: str, where: KernelLocation, refusal: Refusal, stop: asyncio.Event
) -> AsyncGenerator[Preparing | Ended]:
    """Allow it, and tell each step; an `Ended` is the last event where that failed: the block cannot run."""
    if refusal.access != ACCESS:
        await sessions.grant(conversation, grants_of(refusal))
        return
    loop, told = asyncio.get_running_loop(), asyncio.Queue[str]()

    def tell(words: str) -> None:
        loop.call_soon_threadsafe(told.put_nowait, words)

    installing = _install(sessions, conversation, where, refusal, tell)
    work = loop.create_task(sessions.io_thread.run(installing))
    stopping = loop.create_task(stop.wait())
    for each in (work, stopping):
        each.add_done_callback(lambda _: told.put_nowait(""))
    try:
        while words := await told.get():
            yield Preparing(words)
        if (end := _end(refusal, _outcome(work))) is not None:
            yield end
    finally:
        work.cancel()
        stopping.cancel()


def allow_sync(
    sessions: Sessions,
    conversation: str,
    where: KernelLocation,
    refusal: Refusal,
    stopped: Callable[[], bool],
) -> Generator[Preparing | Ended]:
    """The same for a host without an event loop."""
    if refusal.access != ACCESS:
        sessions.io_thread.call(sessions.grant(conversation, grants_of(refusal)))
        return
    told: SimpleQueue[str] = SimpleQueue()
    work = sessions.io_thread.submit(_install(sessions, conversation, where, refusal, told.put))
    work.add_done_callback(lambda _: told.put(""))
    try:
        while not stopped():
            try:
                words = told.get(timeout=BEAT)
            except Empty:
                continue
            if not words:
                break
            yield Preparing(words)
        if (end := _end(refusal, _outcome(work))) is not None:
            yield end
    finally:
        work.cancel()


def _install(
    sessions: Sessions,
    conversation: str,
    where: KernelLocation,
    refusal: Refusal,
    tell: Callable[[str], None],
) -> Coroutine[object, object, Result | None]:
    async def install() -> Result | None:
        names = tuple(refusal.grant.split())
        offer = await sessions.packages.install(conversation, where, names, tell)
        stale = await sessions.packages.imported(conversation, offer)
        if not stale:
            return None
        said = STALE.format(what=refusal.named, modules=were(stale))
        return Result(status=Status.DECLINED, detail=said)

    return install()


def _outcome(work: "Future[Result | None] | asyncio.Task[Result | None]") -> BaseException | Result | None:
    """What came of an installation: why the block cannot run, if it cannot."""
    return STOPPED if not work.done() else work.exception() or work.result()


def _end(refusal: Refusal, why: BaseException | Result | None) -> Ended | None:
    """How it ended, where the block cannot run; it can be tried again."""
    if isinstance(why, Result):
        return Ended(replace(why, refusals=(refusal,)) if why is STOPPED else why, 0)
    if why is None:
        return None
    said = str(why) if isinstance(why, CodeRunnerError) else f"an error in CodeRunner ({type(why).__name__})"
    return Ended(Result(status=Status.DECLINED, detail=said, refusals=(refusal,)), 0)
