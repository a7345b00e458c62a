"""What is read of a file, as text where it is text."""

import codecs

from coderunner.files.chat_folder import ChatFolder
from coderunner.files.file_links import file_of

WRITTEN = ("sandbox:", "/mnt/data/")
"""How models write a path that learnt from other code interpreters."""


def path_in(written: str) -> str:
    """The path in the folder that a model's way of writing it means."""
    return (file_of(written) if written.startswith(WRITTEN) else "") or written


async def read(folder: ChatFolder, path: str, start: int, length: int) -> tuple[int, bytes]:
    """The size of a file, and some bytes of it; raises CodeRunnerError."""
    file = await folder.open(path)
    try:
        end = min(start + length, file.size)
        return file.size, b"".join([piece async for piece in file.pieces(start, end)])
    finally:
        await file.close()


def as_text(content: bytes, *, whole: bool) -> str | None:
    """The bytes as text; None if they are none. A last character that is cut off is left out of a part."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content, final=whole)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or (content and not text) else text
