"""Has what people attach to their messages lie in the chat's folder, where the code finds it by its name.

The webui gives a model the text of an attachment, and code nothing. For whose folder one was written is noted
in the webui's metadata of it, which are saved with the chat: what code has made of the file since stays, and
a branch of the chat has files of its own.
"""

import binascii
import logging
from base64 import b64decode
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, Protocol

from coderunner.files.chat_folder import ChatFolder, File, FileError

KEY = "coderunner"
"""Our key in the webui's metadata of an attachment."""
PATIENCE = 30.0
"""Seconds for one file, which may go to a server."""

log = logging.getLogger(__name__)


class Call(Protocol):
    """Runs a coroutine to its end, for so many seconds at most; then TimeoutError."""

    def __call__(self, work: Coroutine[Any, Any, File], timeout: float, /) -> File:
        """What it gives."""


def keep(history: Mapping[str, Any], conversation: str, folder: ChatFolder, call: Call) -> None:
    """Write each attachment that the folder of the conversation has not had; it then has the name it got.

    What cannot be written is logged, and left as it is: the model has its text.
    """
    for attachment in _attachments(history):
        content = _content(attachment)
        if content is None or attachment.get(KEY) == conversation:
            continue
        attachment[KEY] = conversation
        try:
            name = str(attachment.get("name", ""))
            attachment["name"] = call(folder.write(name, _whole(content), len(content)), PATIENCE).path
        except (FileError, TimeoutError) as failure:
            log.warning("code does not find an attachment: %s", str(failure) or "its folder does not answer")


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _attachments(history: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Those of the person's messages, in their order."""
    for key, notes in history.get("metadata", {}).items():
        found = notes.get("attachments") if key.startswith("user_") and isinstance(notes, dict) else None
        yield from (each for each in found or () if isinstance(each, dict))


def _content(attachment: Mapping[str, Any]) -> bytes | None:
    """The bytes of the file; None where the webui has kept only what it read of it (PDF, Word, web pages)."""
    text, image = attachment.get("content"), attachment.get("image_data")
    if attachment.get("type") == "text/plain" and isinstance(text, str):
        return text.encode("utf-8", "replace")
    if attachment.get("type") == "image" and isinstance(image, str):
        try:
            return b64decode(image.partition(",")[2], validate=True)
        except binascii.Error:
            return None
    return None
