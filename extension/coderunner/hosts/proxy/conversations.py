"""Which conversation a request belongs to, and so which kernel.

Clients of such an endpoint send the whole history with each request, and few say which chat it is. So it is
looked for, in this order: a header that names it, metadata that name it, the longest part of the history
that ends with a reply of ours. What is found nowhere is new. Everything is looked for among what belongs to
the same key only.

A history that was edited is the conversation of what stands before the edit, with its kernel as it is. Of one
that has lost its beginning, as programs cut what no longer fits a model's context, the last reply of ours
counts with its question alone, where no other conversation has the same two.
"""

import hashlib
import re
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_letters, digits, punctuation
from urllib.parse import quote

from coderunner.hosts.proxy.chat_request import Message, text_of
from coderunner.ids import new_id
from coderunner.models.continuation.echo_removal import without_thoughts

SESSION = "x-coderunner-session"
"""Names the conversation, in requests and in answers."""

HEADERS = (SESSION, "x-openwebui-chat-id", "x-conversation-id", "x-session-id")
METADATA = ("chat_id", "conversation_id", "session_id")

REMEMBERED = 20_000
"""Replies of a key that a history is searched for: a hundred chats of two hundred each, in a few MB."""

SEVERAL = ""
"""Stands in place of a name where a question and its reply are of more than one conversation."""

LONGEST = 200
"""Characters of a name that we take; a chat's id has 36."""

SEEN = ascii_letters + digits + punctuation
"""What a name may be made of, since it goes back in a header; all else is percent-encoded."""


class Conversations:
    """The conversations of all keys. In memory: after a restart, those that nobody names are new."""

    def __init__(self) -> None:
        self._known: defaultdict[str, _Known] = defaultdict(_Known)

    def find(
        self, owner: str, headers: Mapping[str, str], metadata: object, history: Sequence[Message]
    ) -> str:
        """The name of the conversation that a request of `owner` belongs to."""
        return _named(headers, metadata) or self._known[owner].recall(history) or new_id(12)

    def remember(self, owner: str, name: str, history: Sequence[Message], reply: str) -> None:
        """Note that `history` was answered with `reply`."""
        *_, last = _replies([*history, {"role": "assistant", "content": reply}])
        self._known[owner].note(name, last)


@dataclass(frozen=True, slots=True)
class _Reply:
    """Digests of a reply in a history."""

    whole: str
    """With all that stands before it."""
    alone: str
    """With what stands between the reply before and it: its question."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The names of one owner's conversations, by digests of their replies; the oldest go first."""

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


def label(owner: str, name: str) -> str:
    """What kernel and records of a conversation bear: nobody else's name leads there."""
    return hashlib.sha256(f"{owner}\0{name}".encode()).hexdigest()[:16]


def _named(headers: Mapping[str, str], metadata: object) -> str:
    told = [headers.get(header, "") for header in HEADERS]
    if isinstance(metadata, Mapping):
        told += [str(metadata.get(key) or "") for key in METADATA]
    # A program that has no id yet sends `new`, or the name of the variable that it would put there.
    fit = [each.strip() for each in told if each.strip() not in ("", "new", "null") and "{{" not in each]
    # A name that was encoded stays as it is, so that the one that we gave leads back here.
    return quote(fit[0], safe=SEEN, errors="replace")[:LONGEST] if fit else ""


def _replies(history: Sequence[Message]) -> Iterator[_Reply]:
    """The assistant's messages in a history.

    Programs change system messages (they hold the date) and white space, and take thoughts out.
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
    return "\0".join([text, *(str(picture) for picture in pictures if picture)])
