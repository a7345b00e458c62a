"""Retries: requests that clients send again after a failure or a timeout.

OpenAI's clients send a request up to three times, with the number in a header; others send an
`Idempotency-Key`. A retry is no new question: its reply is resumed, and its blocks are not run again. Without
such a header, the same request is a retry only if its reply has failed. One that was cut short because the
proxy ended has failed, too: the records know that, so the next such request continues it, once, in any proxy.
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex

from coderunner.errors import CodeRunnerError, EndpointFailed
from coderunner.hosts.proxy.client_api.openai_format import Outcome
from coderunner.hosts.proxy.client_calls import ClientCalls
from coderunner.hosts.proxy.conversations import HEADERS
from coderunner.hosts.proxy.reply_broadcast import SAID, SAY, ReplyBroadcast, Written
from coderunner.languages import PYTHON, Language
from coderunner.models.continuation.tool_calls import block
from coderunner.runner import Record, for_model

COUNT = "x-stainless-retry-count"
KEY = "idempotency-key"
TIMEOUTS = ("x-stainless-read-timeout", "x-stainless-timeout")
"""The timeouts of OpenAI's clients in seconds, in Python and in JavaScript."""

KEPT = 600.0
"""Seconds for which a reply can be resumed: clients retry after a few."""
MOST, MOST_CHARACTERS = 1000, 32 * 1024 * 1024
"""Replies, and their characters, that are kept for retries."""

PREFIX = 20
"""Digits of a reply's name that come from the request, so that another replica finds it in the records."""

WORTH_IT = frozenset({200, 408, 409, 425, 429})
"""Statuses after which clients retry, besides all from 500; 200: a failure within a stream."""


@dataclass
class Attempt:
    """One reply to a request, and its progress."""

    name: str
    """The name of its conversation."""
    label: str
    """The conversation's name for kernel and records."""
    message: str
    """The name of the reply in the records."""
    journal: ReplyBroadcast = field(default_factory=ReplyBroadcast)
    written: Written = field(default_factory=Written)
    begun: bool = False
    """It is being written, or was."""
    failure: CodeRunnerError | None = None
    complete: bool = False
    calls: ClientCalls | None = None
    """Those of the client's tools by its blocks, from when it is written."""
    response: str = ""
    """The name of the response, where that is not the reply's."""
    since: float = field(default_factory=time.monotonic)
    """When it ended, or lost its last follower."""

    def end(self, end: Outcome | CodeRunnerError | None) -> None:
        """Note that the reply has ended, has failed or was given up."""
        self.complete = isinstance(end, Outcome)
        self.failure = end if isinstance(end, CodeRunnerError) else None
        self.since = time.monotonic()
        self.journal.end(end)

    def next_part(self) -> "Attempt":
        """The same reply in the response to the client's next request, where this one ends with calls."""
        part = Attempt(self.name, self.label, self.message, written=self.written, begun=True)
        part.calls, part.response = self.calls, named(self.message)
        return part

    def again(self) -> "Attempt":
        """The same reply, to be continued; or started again if it cannot be."""
        if self.written.calls:
            return Attempt(self.name, self.label, self.message)
        journal = ReplyBroadcast(self.journal.past)
        return Attempt(self.name, self.label, self.message, journal, self.written, response=self.response)


class ClientRetries:
    """Recent replies, by their requests."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Attempt] = OrderedDict()

    def find(self, identity: str, headers: Mapping[str, str]) -> Attempt | None:
        """The reply of a retry; None if the request is a new question."""
        self._forget()
        known = self._known.get(identity)
        if known is None or may_be_retry(headers):
            return known
        return known if known.failure and _is_temporary(known.failure) else None

    def of_call(self, identity: str) -> Attempt | None:
        """The reply that an answer to a call belongs to, by the `call_identity`."""
        self._forget()
        return self._known.get(identity)

    def note(self, identity: str, attempt: Attempt) -> None:
        """Remember the latest reply to a request."""
        self._known[identity] = attempt
        self._known.move_to_end(identity)

    def _forget(self) -> None:
        """Forget replies that are too old or too many."""
        before, left, characters = time.monotonic() - KEPT, MOST, MOST_CHARACTERS
        for identity, attempt in reversed(tuple(self._known.items())):
            left, characters = left - 1, characters - attempt.journal.size
            if attempt.journal.ended and (attempt.since < before or left < 0 or characters < 0):
                del self._known[identity]


def identity_of(owner: str, headers: Mapping[str, str], body: bytes) -> str:
    """The digest that a request shares with its retries only: of its owner, chat and content."""
    named = [owner, headers.get(KEY, ""), *(headers.get(each, "") for each in HEADERS)]
    digest = hashlib.sha256("\0".join(named).encode("utf-8", "replace"))
    digest.update(b"\0" + body)
    return digest.hexdigest()


def call_identity(owner: str, call: str) -> str:
    """What the part of a reply that begins with the answer to a call is known by."""
    return f"{owner}\0{call}"


def named(identity: str) -> str:
    """A new name for a reply to that request."""
    return identity[:PREFIX] + token_hex(6)


def may_be_retry(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it may have been sent before."""
    count = headers.get(COUNT, "")
    return KEY in headers or (count.isdecimal() and count.strip("0") != "")


def timed_out(headers: Mapping[str, str], waited: float) -> bool:
    """Whether a client that disconnects now has reached its timeout: most retry at once."""
    for name in TIMEOUTS:
        try:
            return waited >= 0.9 * float(headers.get(name, "inf"))
        except ValueError:
            continue
    return False


def saved(attempt: Attempt) -> str:
    """What another process continues a reply from that was cut short; empty where it cannot."""
    written, past = attempt.written, attempt.journal.past
    if written.calls or not written.reply:
        return ""
    pieces = [str(said) for kind, said in past if kind in SAID]
    ours = -1 if written.cut_short else None  # our last words are no part of what goes on
    return json.dumps(
        {
            "name": attempt.name,
            "label": attempt.label,
            "message": attempt.message,
            "said": "".join(pieces[:ours]),
            "text": "".join(written.pieces[:ours]),
            "late": written.late,
            "reply": written.reply,
            "ran": written.ran,
        }
    )


def continued(content: str) -> Attempt:
    """A reply that another process has `saved`, to be continued."""
    kept = json.loads(content)
    written = Written([kept["text"]], ran=kept["ran"], late=kept["late"], reply=kept["reply"])
    journal = ReplyBroadcast([(SAY, kept["said"])])
    return Attempt(kept["name"], kept["label"], kept["message"], journal, written)


def restored(name: str, records: Sequence[Record], language: Language = PYTHON) -> Attempt:
    """A reply of another process, with the blocks and results in the records.

    A last block without a recorded result is waited for.
    """
    written = Written(reply="".join(_restored(records, language)))
    written.pieces.append(written.reply)
    last = records[-1].key
    return Attempt(name, last.conversation, last.message, ReplyBroadcast([(SAY, written.reply)]), written)


def _restored(records: Sequence[Record], language: Language) -> Iterator[str]:
    for record in sorted(records, key=lambda each: each.key.ordinal):
        yield block(record.code, language)
        if record.result is None:
            return
        yield for_model(record.result, code=record.code)


def _is_temporary(failure: CodeRunnerError) -> bool:
    status = failure.status if isinstance(failure, EndpointFailed) else 500
    return status >= 500 or status in WORTH_IT
