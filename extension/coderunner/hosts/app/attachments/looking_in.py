"""What the files of a message hold, asked where they are, and their pictures for a model that sees."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coderunner.files import looking
from coderunner.files.chat_folder import ChatFolder, FileError
from coderunner.files.file_kinds import file_kind
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.models.continuation.vision import MOST, looked_at
from coderunner.runner import Session, table_facts

PATIENCE = 15.0
"""Seconds for a look: a kernel of this machine starts in less than one, that of a server in some."""
LARGEST_PICTURE = 30_000_000
"""Bytes of a picture that is read, to be scaled down."""


async def looked_into(
    files: Sequence[Attachment], session: Session, stop: asyncio.Event
) -> tuple[Attachment, ...]:
    """The files with what is known of them, as they were where it was stopped; raises nothing."""
    asked = [file for file in files if file.facts is None and looking.worth_a_look(file.path)]
    found = await _looks(session, [file.path for file in asked], stop) if asked else []
    if stop.is_set() and not found:
        return tuple(files)
    facts = {file.path: table_facts(each) for file, each in zip(asked, found, strict=False)}
    return tuple(
        file if file.facts is not None else replace(file, facts=facts.get(file.path, "")) for file in files
    )


async def _looks(session: Session, paths: Sequence[str], stop: asyncio.Event) -> list[object]:
    starting = looking.starts(lambda: session.status.state)
    return await looking.look(session.ask, paths, patience=PATIENCE, starting=starting, stopped=stop.is_set)


async def pictures(
    folder: ChatFolder, messages: Sequence[Sequence[Attachment]]
) -> Mapping[int, Sequence[str]]:
    """The pictures among the files of each message as data addresses, the newest few of them."""
    shown: dict[int, Sequence[str]] = {}
    room = MOST
    for place in reversed(range(len(messages))):
        named = [file.path for file in messages[place] if file_kind(file.path) == "image"][:room]
        files = [content for path in named if (content := await _content(folder, path))]
        if files and (seen := await asyncio.to_thread(looked_at, files)):
            shown[place] = seen
            room -= len(seen)
        if room <= 0:
            break
    return shown


async def _content(folder: ChatFolder, path: str) -> bytes:
    """The bytes of a file; none where it is not there any more, or too large."""
    try:
        file = await folder.open(path)
        try:
            if file.size > LARGEST_PICTURE:
                return b""
            return b"".join([piece async for piece in file.pieces(0, file.size)])
        finally:
            await file.close()
    except FileError:
        return b""
