"""The files that a page sends with a message."""

from coderunner.errors import UnreadableJSON
from coderunner.files.chat_folder import ChatFolder, FileError
from coderunner.hosts.app.attachments.attachment import MOST, Attachment
from coderunner.hosts.app.forms import toast
from coderunner.text.json_reader import loads
from coderunner.text.surrogates import whole


async def attached_files(folder: ChatFolder, attached: str) -> list[Attachment]:
    """Those that are in the chat's folder; `attached`: their paths as JSON. What is not there is told."""
    files = []
    for path in dict.fromkeys(_paths(attached)[:MOST]):
        try:
            file = await folder.open(path)
            files.append(Attachment(path, file.size))
            await file.close()
        except FileError as error:
            toast.warning(f"A file was not sent. {error}")
    return files


def _paths(attached: str) -> list[str]:
    try:
        paths = loads(attached or "[]")
    except UnreadableJSON:
        return []
    return [whole(path) for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
