"""What to say of a file that code does not find, in a folder of its chat on a Jupyter server."""

import re
from contextlib import suppress

from coderunner.ending_sentences import OTHER_FILES
from coderunner.errors import KernelError
from coderunner.kernel.kernel_location import KernelLocation, Server
from coderunner.kernel.sessions.folders.chat_folders import server_path
from coderunner.kernel.sessions.folders.kernel_folder import Ask
from coderunner.outputs import Error, Result

PATIENCE = 2.0
"""Seconds for the kernel to say where it is, when a file is missing."""
_LONGEST = 1000
_ELSEWHERE = re.compile(r"/|\\|~|[A-Za-z]:|\.\./\.\.")
"""How a path begins that is not looked for in the folder, or by who knows where else to look."""


async def missing(result: Result, conversation: str, where: KernelLocation, ask: Ask) -> str:
    """A few words where a cell missed a file in a folder that is its chat's alone; else nothing."""
    if not isinstance(where, Server) or where.folder or where.attach:
        return ""
    if not any(isinstance(output, Error) and _relative(output) for output in result.outputs):
        return ""
    folder = server_path(conversation, where)
    with suppress(KernelError):  # a gateway starts it elsewhere
        answer = await ask("files", {"do": "where"}, PATIENCE)
        if str(answer.get("folder", "")).replace("\\", "/").endswith(f"/{folder}"):
            return OTHER_FILES
    return ""


def _relative(error: Error) -> bool:
    path = error.evalue[:_LONGEST].rpartition(": ")[2].strip("'\"")
    return error.ename == "FileNotFoundError" and not _ELSEWHERE.match(path)
