"""What a cell did not get: what a sandbox refused to it, and packages that are not installed."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from coderunner.kernel.connections.local_kernel import LocalKernel
from coderunner.kernel.packages.chat_packages import ChatPackages
from coderunner.outputs import Refusal, Result
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Access, Policy
from coderunner.sandbox.typed import typed_grants

LOOKING = 2.0
"""Seconds to find out what was refused."""


class CellRefusals:
    """Finds them, for the kernels of this machine. Lives in the I/O thread's loop."""

    def __init__(
        self,
        sandbox: KernelSandbox | None,
        kernels: Mapping[str, LocalKernel],
        folder: Callable[[str], Path],
        packages: ChatPackages,
    ) -> None:
        """`kernels` has the one that each conversation had last; `folder` is where it works."""
        self._sandbox, self._kernels, self._folder, self._packages = sandbox, kernels, folder, packages

    async def find(self, conversation: str, result: Result, source: str) -> tuple[Refusal, ...]:
        """What a cell of a conversation did not get."""
        lacking = self._packages.lacking(result)
        return lacking or await self._refused(conversation, result, source)

    async def _refused(self, conversation: str, result: Result, source: str) -> tuple[Refusal, ...]:
        kernel, sandbox = self._kernels.get(conversation), self._sandbox
        if sandbox is None or kernel is None or (policy := kernel.policy) is None:
            return ()
        if not (clues := Clues.of(result, source, sandbox.take_refused(conversation))):
            return ()

        def takes(access: Access, text: str, policy: Policy) -> bool:
            return typed_grants.takes(access, text, policy, sandbox.hidden)

        folder = self._folder(conversation)
        looking = asyncio.to_thread(sandbox.refusals, clues, conversation, policy, folder, takes)
        # A disk that does not answer holds up no result.
        with suppress(TimeoutError):
            return await asyncio.wait_for(looking, LOOKING)
        return ()
