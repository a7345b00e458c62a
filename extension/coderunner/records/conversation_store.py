"""All conversations: saved as they grow, listed, found, renamed, deleted."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from coderunner.errors import NotRecordable
from coderunner.records.active_run import Wake
from coderunner.records.database import conversation_queries
from coderunner.records.database.connection import Database
from coderunner.records.database.conversation_queries import (
    Columns,
    ConversationList,
    ConversationSummary,
    StoredConversation,
    StoredMessage,
)
from coderunner.records.write_jobs import Job

Draft = tuple[str, Sequence[StoredMessage]]
"""A conversation's label, and what was said in it so far."""

KNOWN = 32
"""Conversations of which is kept in memory what is written: to compare with saves to read it again."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is written of a conversation, for as long as nobody else has written in it."""

    changed: float
    rows: Sequence[Columns]


class ConversationStore:
    """The conversations of one person; synchronous, may be used from any thread.

    What asks the database raises RecordsUnavailable where that fails; `keep` does not ask it.
    """

    def __init__(self, store: Database, wake: Wake, person: str) -> None:
        self._store = store
        self._wake = wake
        self._person = person
        self._lock = threading.Lock()
        self._drafts: dict[str, Draft] = {}
        """What still has to be written."""
        self._known: OrderedDict[str, Written] = OrderedDict()
        """Of the conversations that were written last."""
        self._seen: set[str] = set()
        """The conversations that were open here: one that is not there any more was deleted."""

    def keep(self, identity: str, label: str, sayings: Sequence[StoredMessage]) -> None:
        """Save a conversation as it is now, soon; returns at once.

        Its runs bear `label`. Only what has changed is written. One that was deleted stays deleted.
        """
        with self._lock:
            self._drafts[identity] = (label, sayings)
        self._wake(soon=True)

    def cards(self, search: str = "", most: int | None = None) -> list[ConversationSummary]:
        """The conversations, pinned ones first, then the newest: all, or those with every word of `search`.

        Titles count, and all that was said; capital letters do not matter. `most`: not more than so many.
        """
        words = tuple(dict.fromkeys(search.lower().split()))
        return self._store.read(conversation_queries.cards, self._person, words, most)

    def listing(self, most: int, here: str) -> ConversationList:
        """The first `most` of the conversations, how many there are, and the one with the id `here`."""
        return self._store.read(conversation_queries.listing, self._person, most, here)

    def find(self, identity: str) -> StoredConversation | None:
        """A conversation with all that was said and shown in it, as far as it is saved."""
        chat = self._store.read(conversation_queries.find, self._person, identity)
        if chat is not None:
            with self._lock:
                self._seen.add(identity)
        return chat

    def rename(self, identity: str, title: str) -> bool:
        """Give a conversation a title; False where it is not there, or the title is empty."""
        name = conversation_queries.shortened(title)
        return bool(name) and self._store.write(conversation_queries.rename, self._person, identity, name)

    def pin(self, identity: str, *, pinned: bool) -> bool:
        """Have a conversation stay at the top of the list, or no more; False where it is not there."""
        return self._store.write(conversation_queries.pin, self._person, identity, pinned=pinned)

    def untitled(self, identity: str) -> bool:
        """Whether a conversation still bears its first words as its title."""
        return self._store.read(conversation_queries.untitled, self._person, identity)

    def entitle(self, identity: str, title: str) -> bool:
        """Give a conversation a title in place of its first words; False where it has another one by now."""
        name = conversation_queries.shortened(title)
        return bool(name) and self._store.write(conversation_queries.entitle, self._person, identity, name)

    def delete(self, identity: str) -> bool:
        """Delete a conversation with its runs and what they showed; False where it is not there.

        To be called when nothing of it runs any more.
        """
        with self._lock:
            self._drafts.pop(identity, None)
            self._known.pop(identity, None)
            self._seen.add(identity)
        return self._store.write(conversation_queries.remove, self._person, identity)

    def jobs(self) -> list[Job]:
        """What still has to be written, for the writer thread."""
        with self._lock:
            drafts = list(self._drafts.items())
        return [self._job(identity, draft) for identity, draft in drafts]

    def begin_anew(self) -> None:
        """What was written is gone, and nobody deleted it by a word to us."""
        with self._lock:
            self._known.clear()
            self._seen.clear()

    def _job(self, identity: str, draft: Draft) -> Job:
        return Job(
            ("chat", identity),
            lambda: self._write(identity, draft),
            lambda: self._write(identity, draft, singly=True),
            draft[0],
        )

    def _write(self, identity: str, draft: Draft, *, singly: bool = False) -> None:
        label, sayings = draft
        rows = [conversation_queries.columns(*said) for said in enumerate(sayings)]
        try:
            changed = self._store.write(self._put, identity, label, sayings, rows, singly=singly)
        except NotRecordable:
            if singly:  # it is released of
                self._done(identity, draft)
            raise
        with self._lock:
            self._seen.add(identity)
            if changed is not None:
                self._known[identity] = Written(changed, rows)
                self._known.move_to_end(identity)
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        self._done(identity, draft)

    def _done(self, identity: str, draft: Draft) -> None:
        with self._lock:
            if self._drafts.get(identity) is draft:
                del self._drafts[identity]

    def _put(
        self,
        connection: Connection,
        identity: str,
        label: str,
        sayings: Sequence[StoredMessage],
        rows: list[Columns],
        *,
        singly: bool,
    ) -> float | None:
        """Write it, and give when that was; None where the conversation was deleted."""
        now, there = time.time(), conversation_queries.changed(connection, self._person, identity)
        written: Sequence[Columns] = ()
        if there is not None:
            known = self._known.get(identity)
            # Somebody else may have written in it.
            ours = known is not None and known.changed == there
            written = known.rows if known and ours else conversation_queries.written(connection, identity)
            now = conversation_queries.moment(now, there, rows, written)
            conversation_queries.touch(connection, self._person, identity, sayings, now)
        elif identity not in self._seen:
            conversation_queries.add(connection, self._person, identity, label, sayings, now)
        else:
            return None
        conversation_queries.say(connection, identity, rows, written, singly=singly)
        return now
