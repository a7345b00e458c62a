"""The files in a request's messages: taken out of them once, decoded in pieces. Pure.

OpenAI's clients send a file as a part of a message, `file` in chat completions and `input_file` in responses,
with its content as a data URL; images come as `image_url` or `input_image`.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote_to_bytes

from coderunner.errors import CodeRunnerError
from coderunner.text.base64_text import decoded

Message = Mapping[str, object]
Part = Mapping[str, object]

MOST = 200
"""Files in one request, those of its history among them."""
_DATA = re.compile(
    r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[^,;]{0,100}){0,8}?(?P<base64>;base64)?,", re.IGNORECASE
)
NO_STORE = "There is no file {which} here: upload it (POST /v1/files), or send it as file_data."
NO_ADDRESS = "The proxy loads no files from addresses: send the content of {which}, as file_data."
NO_CONTENT = "There is no content in {which}: send it as file_data, a data URL like data:text/csv;base64,…"
NOT_BASE64 = "The content of {which} is not valid base64: send file_data as data:TYPE;base64,…"
TOO_MANY = f"The request holds more than {MOST} files; remove some, or start a new chat."


class UnusableFile(CodeRunnerError, ValueError):
    """A part of a request that names a file which cannot be had from it."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a request, still encoded as it was sent. It stands in the message in place of its part."""

    name: str
    """As the client calls it; empty where it does not."""
    mime: str
    """Its type as the client has it, in lower case; empty where it says none."""
    digest: str = ""
    """SHA-256 of the content."""
    size: int = 0
    """Bytes of the content."""
    image: bool = False
    """It was sent to be looked at."""
    _data: str = field(default="", repr=False, compare=False)
    _start: int = field(default=0, repr=False, compare=False)
    _base64: bool = field(default=True, repr=False, compare=False)

    def pieces(self) -> Iterator[bytes]:
        """Its content. Raises UnusableFile where it is no base64."""
        if not self._base64:
            yield unquote_to_bytes(self._data[self._start :])
            return
        try:
            yield from decoded(self._data, self._start)
        except ValueError:  # binascii.Error and UnicodeEncodeError are such
            raise UnusableFile(NOT_BASE64.format(which=self.shown)) from None

    @property
    def shown(self) -> str:
        """It in a sentence."""
        return repr(self.name[:80]) if self.name else "the image" if self.image else "the file"


@dataclass(frozen=True, slots=True)
class Taken:
    """Messages, and the files that stood in them."""

    messages: Sequence[Message]
    """Each file is a `SentFile` among the parts now; an image comes right after its own, as it was sent."""
    files: Sequence[SentFile] = ()
    """All files of the messages in their order, each content of a name once."""


def take(messages: Sequence[Message]) -> Taken:
    """Take the files out of messages. Raises UnusableFile."""
    found: dict[tuple[str, str], SentFile] = {}
    taken = [_without_files(message, found) for message in messages]
    return Taken(taken, tuple(found.values()))


def with_file_words(messages: Sequence[Message], words: Callable[[Sequence[SentFile]], str]) -> list[Message]:
    """The messages with `words` in place of the files of each; nothing where these are empty.

    Where nothing but text is left, it is one text: there are servers that know no other.
    """
    return [
        {**message, "content": _in_words(content, words)}
        if isinstance(content := message.get("content"), list)
        and any(isinstance(part, SentFile) for part in content)
        else message
        for message in messages
    ]


def _in_words(content: Sequence[object], words: Callable[[Sequence[SentFile]], str]) -> object:
    files = [part for part in content if isinstance(part, SentFile)]
    said = words(files)
    parts: list[object] = []
    for part in content:
        if not isinstance(part, SentFile):
            parts.append(part)
        elif part is files[0] and said:
            parts.append({"type": "text", "text": said})
    if all(isinstance(part, Mapping) and part.get("type") == "text" for part in parts):
        return "\n\n".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))
    return parts


def _without_files(message: Message, found: dict[tuple[str, str], SentFile]) -> Message:
    content = message.get("content")
    if message.get("role") == "assistant" or not isinstance(content, list):
        return message
    parts: list[object] = []
    for part in content:
        read = READERS.get(str(part.get("type"))) if isinstance(part, Mapping) else None
        sent, kept = read(part) if read is not None else (None, part)
        if sent is not None:
            sent = _measured(sent)
            sent = found.setdefault((sent.name, sent.digest), sent)
            if len(found) > MOST:
                raise UnusableFile(TOO_MANY)
            parts.append(sent)
        if kept is not None:
            parts.append(kept)
    return {**message, "content": parts}


def _measured(sent: SentFile) -> SentFile:
    digest, size = hashlib.sha256(), 0
    for piece in sent.pieces():
        digest.update(piece)
        size += len(piece)
    return replace(sent, digest=digest.hexdigest(), size=size)


def _file(part: Part) -> tuple[SentFile | None, object]:
    """A `file` part, whose fields stand in an object, or an `input_file`, whose do not."""
    its = part.get("file")
    facts = its if isinstance(its, Mapping) else part
    name = str(facts.get("filename") or "")
    data = facts.get("file_data")
    which = repr(name[:80]) if name else "the file"
    if isinstance(data, str) and data:
        return _sent(name, data), None
    if identity := facts.get("file_id"):
        raise UnusableFile(NO_STORE.format(which=repr(str(identity)[:80])))
    raise UnusableFile((NO_ADDRESS if facts.get("file_url") else NO_CONTENT).format(which=which))


def _image(part: Part) -> tuple[SentFile | None, object]:
    """An `image_url` part, or an `input_image`; one at an address is no file, but for the model to see."""
    its = part.get("image_url")
    url = its.get("url") if isinstance(its, Mapping) else its
    if not isinstance(url, str):
        if identity := part.get("file_id"):
            raise UnusableFile(NO_STORE.format(which=repr(str(identity)[:80])))
        return None, part
    detail = part.get("detail")
    seen = its if isinstance(its, Mapping) else {"url": url, **({"detail": detail} if detail else {})}
    kept = {"type": "image_url", "image_url": seen}
    if _DATA.match(url) is None:
        return None, kept
    return replace(_sent("", url), image=True), kept


def _sent(name: str, data: str) -> SentFile:
    head = _DATA.match(data)
    if head is None:
        return SentFile(name, "", _data=data)
    mime = (head["mime"] or "").lower()
    return SentFile(name, mime, _data=data, _start=head.end(), _base64=head["base64"] is not None)


READERS = {"file": _file, "input_file": _file, "image_url": _image, "input_image": _image}
"""How each kind of part is read: gives its file, and what stays in the message."""
