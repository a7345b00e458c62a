"""A folder that cannot be reached, for tests of what is said then."""

from collections.abc import Mapping

from coderunner.errors import NotAnswered
from coderunner.kernel.sessions.folders.kernel_folder import KernelFolder

OUT_OF_REACH = "The files of this chat are reached through its kernel only, but no kernel runs."


def unreachable() -> KernelFolder:
    """The folder of a kernel that does not run."""

    async def silent(_question: str, _arguments: Mapping[str, object], _patience: float) -> dict[str, object]:
        raise NotAnswered("no kernel runs")

    return KernelFolder(silent, "there")
