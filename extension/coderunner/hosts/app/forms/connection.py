"""The steps of a connection to a kernel, told one after the other: a server that starts, and the check."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from coderunner.hosts.app.forms.findings import finding, working
from coderunner.runner import (
    Finding,
    KernelLocation,
    KernelSandbox,
    Progress,
    Report,
    Server,
    check,
    start_server,
)

T = TypeVar("T")


async def started(where: Server) -> AsyncGenerator[str]:
    """Have a Hub start a server, which the person wants; gives what to show after each step.

    Raises CodeRunnerError where it does not start.
    """
    yield working("Starting the server")

    async def run(tell: Callable[[Progress], None]) -> None:
        await start_server(where, tell)

    async for progress in _told(run):
        yield working(f"Starting the server: {progress}")


async def examined(
    where: KernelLocation, sandbox: KernelSandbox | None
) -> AsyncGenerator[tuple[str, Report]]:
    """Run the connection check; gives the findings so far after each step, then the whole report."""
    steps: list[Finding] = []
    reports: list[Report] = []

    async def run(tell: Callable[[Finding], None]) -> None:
        reports.append(await check(where, on_finding=tell, sandbox=sandbox))

    async for step in _told(run):
        steps.append(step)
        yield _report(steps) + working("Connecting"), Report(tuple(steps))
    yield _report(reports[0].findings), reports[0]


async def _told(run: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]]) -> AsyncGenerator[T]:
    """Give what a coroutine tells from the I/O thread, until it ends; raises what it raises.

    It is cancelled when nobody listens any more.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | None] = asyncio.Queue()

    def tell(step: T) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, step)

    running = asyncio.ensure_future(run(tell))
    running.add_done_callback(lambda _: queue.put_nowait(None))
    try:
        while (step := await queue.get()) is not None:
            yield step
        await running
    finally:
        running.cancel()


def _report(steps: Sequence[Finding]) -> str:
    return "".join(finding(step.sentence, ok=step.ok, warning=step.warning) for step in steps)
