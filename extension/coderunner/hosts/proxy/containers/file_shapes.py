"""Containers and files as clients of either API read them."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from mimetypes import guess_type

from coderunner.files.chat_folder import File
from coderunner.hosts.proxy.files.file_ids import MADE, MESSAGE_FILE, UPLOADED, FileId, container_id

Shape = dict[str, object]

NANO = 1_000_000_000
USUAL, MOST = 20, 100
"""Entries of a page, where its client says nothing, and the most that it gets."""
ANYTHING = "application/octet-stream"
_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


def container(conversation: str, name: str, created: int, active: int) -> Shape:
    """A container."""
    return {
        "id": container_id(conversation),
        "object": "container",
        "name": name,
        "status": "running",
        "created_at": created,
        "last_active_at": active,
    }


def container_file(which: FileId, file: File, *, sent: bool = False) -> Shape:
    """A file in a container; `sent`: its client has sent it."""
    return {
        "id": which.shown(MADE),
        "object": "container.file",
        "container_id": container_id(which.conversation),
        "path": file.path,
        "bytes": file.size,
        "created_at": file.changed // NANO,
        "source": "user" if sent else "assistant",
    }


def file(which: FileId, its: File) -> Shape:
    """A file by its id, as OpenAI's API has it."""
    return {
        "id": which.shown(MADE if which.conversation else UPLOADED),
        "object": "file",
        "filename": which.name,
        "bytes": its.size,
        "created_at": its.changed // NANO,
        "purpose": "assistants_output" if which.conversation else "user_data",
        "status": "processed",
    }


def message_file(which: FileId, its: File) -> Shape:
    """The same in Anthropic's API."""
    made = datetime.fromtimestamp(its.changed // NANO, UTC)
    return {
        "id": which.shown(MESSAGE_FILE),
        "type": "file",
        "filename": which.name,
        "size_bytes": its.size,
        "created_at": made.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "mime_type": guess_type(which.name)[0] or ANYTHING,
        "downloadable": True,
    }


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    data: Sequence[Shape]
    more: bool
    """Others follow."""

    def shape(self, data: Iterable[Shape] | None = None) -> Shape:
        """It as clients read it; `data`: its entries, where they were changed."""
        shown = list(self.data if data is None else data)
        ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {}
        following = {"has_more": self.more, "next_page": shown[-1]["id"] if self.more else None}
        return {"object": "list", "data": shown, "first_id": None, "last_id": None, **ends, **following}


def by_user(entry: Shape, sent: Container[str]) -> Shape:
    """A file in a container, where its path is one of those that its client has sent."""
    return {**entry, "source": "user"} if entry["path"] in sent else entry


def page(entries: Sequence[Shape], asked: Mapping[str, str]) -> Page:
    """The part of a list that is asked for; `entries` are in the order in which they were made."""
    given = asked.get("limit", "")
    limit = min(max(int(given), 1), MOST) if _NUMBER.fullmatch(given) else USUAL
    ordered = list(entries) if asked.get("order") == "asc" else list(reversed(entries))
    after = asked.get("after") or asked.get("after_id") or asked.get("page")
    at = next((at for at, each in enumerate(ordered, 1) if after and each["id"] == after), 0)
    return Page(ordered[at : at + limit], at + limit < len(ordered))
