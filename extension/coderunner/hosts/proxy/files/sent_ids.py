"""Files that a request names by their ids, as if their content had been sent with it.

So they take the same way as all others: into the folder of the conversation, and before the model.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from mimetypes import guess_type

from coderunner.files.chat_folder import NoSuchFile
from coderunner.hosts.proxy.files.file_ids import FileId, file_of
from coderunner.images.image_type import kind_of

Part = Mapping[str, object]
Content = Callable[[FileId, int], Awaitable[bytes]]
"""Gives a file's content, of at most so many bytes. Raises FileError."""
LARGEST = 75_000_000
"""Bytes of all files that a request names: as many as it may bring itself, in base64."""
ANYTHING = "application/octet-stream"
LONGEST_SHOWN = 400
"""Characters of an id in a sentence."""
GONE = "There is no file {which}: it was deleted, it has expired, or it belongs to another key."


@contextmanager
def named(identity: object) -> Iterator[None]:
    """Have it said of a file that is not there by the id that the client knows: its path is ours."""
    try:
        yield
    except NoSuchFile:
        raise NoSuchFile(GONE.format(which=str(identity)[:LONGEST_SHOWN])) from None


async def with_contents(body: Mapping[str, object], content: Content) -> Mapping[str, object]:
    """A request of any API with the content of each file of ours in place of its id. Raises FileError."""
    body = with_container_files(body)
    wanted = dict(_wanted(body))
    if not wanted:
        return body
    data: dict[FileId, str] = {}
    left = LARGEST
    for each, identity in wanted.items():
        with named(identity):
            found = await content(each, left)
        left -= len(found)
        data[each] = await asyncio.to_thread(_url, each, found)
    return _mapped(body, lambda part: _sent(part, data))


def with_container_files(body: Mapping[str, object]) -> Mapping[str, object]:
    """A request whose tool `code_interpreter` brings files, with these in its first message.

    There they stay in place if the client sends the whole history with each request.
    """
    tools, items = body.get("tools"), body.get("input")
    brought = [
        {"type": "input_file", "file_id": each}
        for tool in _mappings(tools)
        if isinstance(its := tool.get("container"), Mapping)
        for each in _sequence(its.get("file_ids"))
    ]
    if not brought:
        return body
    if isinstance(items, str):
        items = [{"type": "message", "role": "user", "content": items}]
    told = list(_sequence(items))
    at = next((at for at, item in enumerate(told) if _by_user(item)), None)
    if at is None:
        told.append({"type": "message", "role": "user", "content": brought})
        return {**body, "input": told}
    first = told[at]
    content = first.get("content") if isinstance(first, Mapping) else ""
    parts = (
        [{"type": "input_text", "text": content}] if isinstance(content, str) else list(_sequence(content))
    )
    told[at] = {**(first if isinstance(first, Mapping) else {}), "content": [*parts, *brought]}
    return {**body, "input": told}


def _wanted(body: Mapping[str, object]) -> Iterator[tuple[FileId, object]]:
    """Each file of ours that the request names, and its id."""
    for name in ("messages", "input"):
        for message in _mappings(body.get(name)):
            for part in _mappings(message.get("content")):
                identity = _id_in(part)
                if (found := file_of(identity)) is not None:
                    yield found, identity


def _id_in(part: Part) -> object:
    """The id that a part of a message names a file by, wherever it stands in it."""
    for holder in (part, part.get("file"), part.get("source"), part.get("image_url")):
        if isinstance(holder, Mapping) and holder.get("file_id"):
            return holder["file_id"]
    return None


def _sent(part: Part, data: Mapping[FileId, str]) -> Part:
    """The part with the file in it."""
    found = file_of(_id_in(part))
    if found is None or found not in data:
        return part
    url = data[found]
    match part.get("type"):
        case "input_image" | "image_url":
            kept = {name: value for name, value in part.items() if name != "file_id"}
            return {**kept, "image_url": url if part["type"] == "input_image" else {"url": url}}
        case "file":
            return {"type": "file", "file": {"filename": found.name, "file_data": url}}
        case "input_file":
            return {"type": "input_file", "filename": found.name, "file_data": url}
        case kind:
            mime, _, base64 = url.removeprefix("data:").partition(";base64,")
            source = {"type": "base64", "media_type": mime, "data": base64}
            block = "document" if kind == "container_upload" else kind
            titled = {"title": part.get("title") or found.name} if block == "document" else {}
            return {**part, "type": block, "source": source, **titled}


def _mapped(body: Mapping[str, object], change: Callable[[Part], Part]) -> Mapping[str, object]:
    """The request with each part of each message changed."""

    def message(each: object) -> object:
        content = each.get("content") if isinstance(each, Mapping) else None
        if not isinstance(each, Mapping) or not isinstance(content, list):
            return each
        parts = [change(part) if isinstance(part, Mapping) else part for part in content]
        return {**each, "content": parts}

    names = [name for name in ("messages", "input") if isinstance(body.get(name), list)]
    return {**body, **{name: [message(each) for each in _sequence(body[name])] for name in names}}


def _url(which: FileId, content: bytes) -> str:
    image = kind_of(content[:4_096])
    mime = image if image.startswith("image/") else guess_type(which.name)[0] or ANYTHING
    return f"data:{mime};base64,{b64encode(content).decode()}"


def _by_user(item: object) -> bool:
    kind = item.get("type") or "message" if isinstance(item, Mapping) else ""
    return isinstance(item, Mapping) and kind == "message" and item.get("role") == "user"


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [each for each in _sequence(value) if isinstance(each, Mapping)]


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
