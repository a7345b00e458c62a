"""Which conversation, and so which kernel, a request belongs to.

Clients send the whole history with each request, and few name the chat. So these are tried, in this order: a
header with a name, metadata with a name, the longest part of the history that ends with a reply of ours.
Otherwise the conversation is new. Only conversations of the same key are searched.

An edited history belongs to the conversation of the part before the edit, with its current kernel. If a
program has cut off the beginning, to fit the model's context, the last reply of ours and its question decide,
unless another conversation has the same two.
"""

import hashlib
import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_letters, digits, punctuation
from urllib.parse import quote

from coderunner.hosts.proxy.client_api.chat_request import Message, text_of
from coderunner.hosts.proxy.files.sent_files import SentFile
from coderunner.models.continuation.echo_removal import without_thoughts

SESSION = "x-coderunner-session"
"""The name of the conversation, in requests and responses."""

HEADERS = (SESSION, "x-openwebui-chat-id", "x-conversation-id", "x-session-id")
METADATA = ("chat_id", "conversation_id", "session_id")

REMEMBERED = 20_000
"""Replies that are remembered for each key: a hundred chats of two hundred each, in a few MB."""

SEVERAL = ""
"""In place of a name, if several conversations have this question and reply."""

LOOKED_UP = 50
"""Replies of a history that are looked up in the records: one of ours is rarely further back."""

LONGEST = 200
"""Characters of a name; a chat's id has 36."""

SEEN = ascii_letters + digits + punctuation
"""Characters of a name that is sent back in a header; all others are percent-encoded."""


class Conversations:
    """The conversations of all keys that this process has answered, in memory.

    Those that another process has answered, or this one before a restart, are known by their `keys`.
    """

    def __init__(self) -> None:
        self._known: defaultdict[str, _Known] = defaultdict(_Known)

    def find(
        self,
        owner: str,
        headers: Mapping[str, str],
        metadata: object,
        history: Sequence[Message],
        known: str = "",
    ) -> str:
        """The name of the conversation that a request of `owner` belongs to; empty where it is not known.

        `known` is the name of the conversation of what the request refers to.
        """
        return _named(headers, metadata) or known or self._known[owner].recall(history)

    def remember(self, owner: str, name: str, history: Sequence[Message], reply: str) -> None:
        """Note that `history` was answered with `reply`."""
        *_, last = _replies([*history, {"role": "assistant", "content": reply}])
        self._known[owner].note(name, last)


@dataclass(frozen=True, slots=True)
class _Reply:
    """Digests of a reply in a history."""

    whole: str
    """With everything before it."""
    alone: str
    """With its question: everything after the previous reply."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of one owner's conversations, by digests of their replies; the oldest are dropped."""

    wholes: OrderedDict[str, str] = field(default_factory=OrderedDict)
    alones: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def note(self, name: str, reply: _Reply) -> None:
        other = self.alones.get(reply.alone, name) != name
        for table, digest, kept in (
            (self.wholes, reply.whole, name),
            (self.alones, reply.alone, SEVERAL if other else name),
        ):
            table[digest] = kept
            table.move_to_end(digest)
            if len(table) > REMEMBERED:
                table.popitem(last=False)

    def recall(self, history: Sequence[Message]) -> str:
        latest = reversed(list(_replies(history)))
        names = (self.wholes.get(each.whole) or self.alones.get(each.alone) for each in latest)
        return next(filter(None, names), "")


def keys(owner: str, history: Sequence[Message]) -> list[str]:
    """Digests of a history up to each reply in it, the whole one first; of a long one the last."""
    wholes = [each.whole for each in _replies(history)][-LOOKED_UP:]
    return [hashlib.sha256(f"{owner}\0{whole}".encode()).hexdigest() for whole in reversed(wholes)]


def label(owner: str, name: str) -> str:
    """The conversation's name for kernel and records, different for each owner."""
    return hashlib.sha256(f"{owner}\0{name}".encode()).hexdigest()[:16]


def _named(headers: Mapping[str, str], metadata: object) -> str:
    told = [headers.get(header, "") for header in HEADERS]
    if isinstance(metadata, Mapping):
        told += [str(metadata.get(key) or "") for key in METADATA]
    # Some programs without an id yet send `new`, or an unfilled template variable.
    fit = [each.strip() for each in told if each.strip() not in ("", "new", "null") and "{{" not in each]
    # An encoded name is not changed, so that our own name in a response is found again.
    return quote(fit[0], safe=SEEN, errors="replace")[:LONGEST] if fit else ""


def _replies(history: Sequence[Message]) -> Iterator[_Reply]:
    """The assistant's messages in a history.

    Programs change system messages (which may hold the date) and white space, and remove thoughts.
    """
    whole, alone = hashlib.sha256(), hashlib.sha256()
    for message in history:
        role = str(message.get("role"))
        if role in ("system", "developer"):
            continue
        data = f"\0{role}\0{_normal(message.get('content'))}".encode("utf-8", "replace")
        whole.update(data)
        alone.update(data)
        if role == "assistant":
            yield _Reply(whole.hexdigest(), alone.hexdigest())
            alone = hashlib.sha256()


def _normal(content: object) -> str:
    text = " ".join(re.split(r"\s+", without_thoughts(text_of(content)).strip()))
    parts = content if isinstance(content, Sequence) and not isinstance(content, str) else ()
    pictures = [part.get("image_url") for part in parts if isinstance(part, Mapping)]
    files = [f"{part.name} {part.digest}" for part in parts if isinstance(part, SentFile) and not part.image]
    return "\0".join([text, *(str(picture) for picture in pictures if picture), *files])
