"""Requests that clients send again by themselves, after a failure or a timeout of theirs.

OpenAI's clients send a request up to three times, and say in a header which time it is; others send an
`Idempotency-Key`. Such a request is no new question: its reply is taken up where it stands, and no block of
it runs once more. Without any such sign, the same request is a retry only where the reply to it has failed.
"""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import token_hex

from coderunner.errors import CodeRunnerError, EndpointFailed
from coderunner.hosts.proxy.conversations import HEADERS
from coderunner.hosts.proxy.openai_format import Outcome
from coderunner.hosts.proxy.reply_journal import SAY, ReplyJournal
from coderunner.hosts.proxy.reply_writer import Written
from coderunner.models.continuation.tool_calls import block
from coderunner.runner import Record, for_model

COUNT = "x-stainless-retry-count"
KEY = "idempotency-key"
TIMEOUTS = ("x-stainless-read-timeout", "x-stainless-timeout")
"""How many seconds OpenAI's clients wait, in Python and in JavaScript."""

KEPT = 600.0
"""Seconds for which a reply can be taken up: clients come again within some."""
MOST, ROOM = 1000, 32 * 1024 * 1024
"""Replies, and characters of them, that are kept for that."""

PREFIX = 20
"""Digits of a reply's name that the request decides: so another replica, which has the records, finds it."""

WORTH_IT = frozenset({200, 408, 409, 425, 429})
"""Statuses of failures after which a client tries again, beside all from 500 on; 200: within a stream."""


@dataclass
class Attempt:
    """One reply to a request, as far as it has come."""

    name: str
    """Its conversation's."""
    label: str
    """What kernel and records of the conversation bear."""
    message: str
    """Its own in the records."""
    journal: ReplyJournal = field(default_factory=ReplyJournal)
    written: Written = field(default_factory=Written)
    begun: bool = False
    """It is being written, or was."""
    failure: CodeRunnerError | None = None
    complete: bool = False
    since: float = field(default_factory=time.monotonic)
    """When it ended, or was left by its last reader."""

    def end(self, end: Outcome | CodeRunnerError | None) -> None:
        """The reply has ended, has failed or was given up."""
        self.complete = isinstance(end, Outcome)
        self.failure = end if isinstance(end, CodeRunnerError) else None
        self.since = time.monotonic()
        self.journal.end(end)

    def again(self) -> "Attempt":
        """The same reply, to be gone on with where it stands; from its beginning where that cannot be."""
        if self.written.calls:
            return Attempt(self.name, self.label, self.message)
        return Attempt(self.name, self.label, self.message, ReplyJournal(self.journal.past), self.written)


class ClientRetries:
    """The replies of late, by what was asked."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Attempt] = OrderedDict()

    def find(self, identity: str, headers: Mapping[str, str]) -> Attempt | None:
        """The reply that a request wants again; None where it is a new question."""
        self._forget()
        known = self._known.get(identity)
        if known is None or signed(headers):
            return known
        return known if known.failure and _passing(known.failure) else None

    def note(self, identity: str, attempt: Attempt) -> None:
        """Remember the latest reply to what was asked."""
        self._known[identity] = attempt
        self._known.move_to_end(identity)

    def _forget(self) -> None:
        """Let go what is too old, or too much."""
        before, left, room = time.monotonic() - KEPT, MOST, ROOM
        for identity, attempt in reversed(tuple(self._known.items())):
            left, room = left - 1, room - attempt.journal.size
            if attempt.journal.ended and (attempt.since < before or left < 0 or room < 0):
                del self._known[identity]


def identity_of(owner: str, headers: Mapping[str, str], body: bytes) -> str:
    """What is the same in a request and its retry, and in no other: who asks what in which chat."""
    named = [owner, headers.get(KEY, ""), *(headers.get(each, "") for each in HEADERS)]
    digest = hashlib.sha256("\0".join(named).encode("utf-8", "replace"))
    digest.update(b"\0" + body)
    return digest.hexdigest()


def named(identity: str) -> str:
    """A new name for a reply to that request."""
    return identity[:PREFIX] + token_hex(6)


def signed(headers: Mapping[str, str]) -> bool:
    """Whether a request says that it may have been sent before."""
    count = headers.get(COUNT, "")
    return KEY in headers or (count.isdecimal() and count.strip("0") != "")


def impatient(headers: Mapping[str, str], waited: float) -> bool:
    """Whether a client that hangs up now has waited as long as it does: it comes again at once, mostly."""
    for name in TIMEOUTS:
        try:
            return waited >= 0.9 * float(headers.get(name, "inf"))
        except ValueError:
            continue
    return False


def restored(name: str, records: Sequence[Record]) -> Attempt:
    """A reply that another process wrote, of which the records know what ran: its blocks and their results.

    A last block whose end is not known yet has no result there: it is waited for.
    """
    written = Written(reply="".join(_restored(records)))
    written.pieces.append(written.reply)
    last = records[-1].key
    return Attempt(name, last.conversation, last.message, ReplyJournal([(SAY, written.reply)]), written)


def _restored(records: Sequence[Record]) -> Iterator[str]:
    for record in sorted(records, key=lambda each: each.key.ordinal):
        yield block(record.code)
        if record.result is None:
            return
        yield for_model(record.result, code=record.code)


def _passing(failure: CodeRunnerError) -> bool:
    status = failure.status if isinstance(failure, EndpointFailed) else 500
    return status >= 500 or status in WORTH_IT
