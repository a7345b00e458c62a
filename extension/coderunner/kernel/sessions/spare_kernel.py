"""One kernel of this machine that has started before anybody needs it, so that the next one need not wait."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from coderunner.errors import KernelError
from coderunner.kernel.background_tasks import begin
from coderunner.kernel.connections import local_kernel
from coderunner.kernel.connections.kernel_specs import NATIVE
from coderunner.kernel.execution.pending_request import Event, Gone
from coderunner.kernel.sessions import waiting_folder
from coderunner.kernel.sessions.run_prelude import move, prepare
from coderunner.private_folders import make_private
from coderunner.sandbox.kernel_sandbox import KernelSandbox, real
from coderunner.sandbox.policy import Grants, Limits


class SpareKernel:
    """A kernel for whoever comes next, of our own interpreter. Lives in the I/O thread's loop.

    It takes what an idle kernel takes: 54 MB.
    """

    kernel_name = NATIVE

    def __init__(
        self,
        sandbox: KernelSandbox | None = None,
        limits: Limits | None = None,
        root: Callable[[], Path] = Path,
    ) -> None:
        """`root` returns the folder in which conversations have theirs."""
        self._sandbox, self._limits, self._root = sandbox, limits, root
        self._waiting: Path | None = None
        """Where it waits, if its sandbox cannot show it another folder later."""
        self._starting: asyncio.Task[local_kernel.LocalKernel] | None = None
        self._farewells: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def ready(self) -> bool:
        """There is one, and it has started."""
        return self._starting is not None and self._starting.done()

    def refill(self) -> None:
        """Start one in the background, unless there is one, or it could not be moved to a conversation."""
        if self._starting is None and not self._closed and (self._sandbox is None or self._sandbox.moves):
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def take(self, directory: Path, conversation: str = "") -> local_kernel.LocalKernel | None:
        """Return the kernel, moved to its working directory; None where there is none that lives.

        In a sandbox it reaches that directory, and what the conversation was granted, from then on.
        """
        starting, self._starting = self._starting, None
        if starting is None:
            return None
        try:
            # Shielded: whoever stops waiting does not end it halfway.
            kernel = await asyncio.shield(starting)
            if await kernel.check() is None and await self._admit(kernel, directory, conversation):
                await move(kernel, directory)
                kernel.folder = directory
                return kernel
        except (KernelError, OSError):
            self._beside(_end(starting))
            return None
        except asyncio.CancelledError:
            self._beside(_end(starting))
            if starting.cancelled():
                return None
            raise
        self._beside(_end(starting))
        return None

    async def _admit(self, kernel: local_kernel.LocalKernel, directory: Path, conversation: str) -> bool:
        if self._sandbox is None:
            make_private(directory)
            return True
        granted = self._sandbox.granted_to(conversation)
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if not (granted.read or granted.write) and waiting_folder.become(waiting, directory):
                return await kernel.show(Grants(), conversation)
            waiting_folder.remove(waiting)
            return False
        make_private(directory)
        return await kernel.show(granted | Grants(write=frozenset([real(directory)])), conversation)

    async def close(self) -> None:
        """End it, and start no other; returns when nothing is left of those that were given up, too."""
        self._closed = True
        starting, self._starting = self._starting, None
        if starting is not None:
            self._beside(_end(starting))
        await asyncio.gather(*self._farewells, return_exceptions=True)
        if self._waiting is not None:
            waiting_folder.remove(self._waiting)

    async def _start(self) -> local_kernel.LocalKernel:
        if self._sandbox is not None and self._sandbox.way.backend == "landlock":
            if self._waiting is not None:
                waiting_folder.remove(self._waiting)  # the one before has died in it
            self._waiting = waiting_folder.make(self._root())
        kernel = await local_kernel.start(
            self.kernel_name, self._waiting, sandbox=self._sandbox, limits=self._limits
        )
        try:
            await prepare(kernel)
        except BaseException:
            await asyncio.shield(kernel.close())
            raise
        kernel.attach(self._receive)
        return kernel

    def _receive(self, event: Event) -> None:
        if isinstance(event, Gone):
            # It may come while the task that starts the kernel is about to end.
            asyncio.get_running_loop().call_soon(self._let_go)

    def _let_go(self) -> None:
        if self._starting is not None and self._starting.done():
            self._beside(_end(self._starting))
            self._starting = None

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        begin("a spare kernel could not be shut down", work, self._farewells)


async def _end(starting: "asyncio.Task[local_kernel.LocalKernel]") -> None:
    """End a kernel that nobody took, wherever its start is."""
    starting.cancel()
    with suppress(KernelError, OSError, asyncio.CancelledError):
        await (await starting).close()
