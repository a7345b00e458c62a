"""The shelf of all conversations: written down as they grow, listed, found, renamed, deleted."""

import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from coderunner.records import chats
from coderunner.records.chats import Card, Chat, Columns, Saying
from coderunner.records.entry import Wake
from coderunner.records.store import Store

Draft = tuple[str, Sequence[Saying]]
"""A conversation's label, and what was said in it so far."""


class Shelf:
    """The conversations of one person; synchronous, may be used from any thread.

    What asks the database raises RecordsUnavailable where that fails; `keep` does not ask it.
    """

    def __init__(self, store: Store, wake: Wake, person: str) -> None:
        self._store = store
        self._wake = wake
        self._person = person
        self._lock = threading.Lock()
        self._drafts: dict[str, Draft] = {}
        """What is to be written."""
        self._known: dict[str, Sequence[Columns]] = {}
        """What is written of the conversations that were in hand here."""

    def keep(self, identity: str, label: str, sayings: Sequence[Saying]) -> None:
        """Have a conversation written down as it is now, soon; returns at once.

        Its runs bear `label`. Only what has changed is written. One that was deleted stays deleted.
        """
        with self._lock:
            self._drafts[identity] = (label, sayings)
        self._wake(soon=True)

    def cards(self, search: str = "") -> list[Card]:
        """The conversations, the newest first: all, or those in which every word of `search` occurs.

        Titles count, and all that was said; capital letters do not matter.
        """
        found = self._store.read(chats.cards, self._person)
        for word in search.lower().split():
            said = self._store.read(chats.mentioning, self._person, word)
            found = [card for card in found if card.id in said or word in card.title.lower()]
        return found

    def find(self, identity: str) -> Chat | None:
        """A conversation with all that was said and shown in it, as far as it is written down."""
        chat = self._store.read(chats.find, self._person, identity)
        if chat is not None:
            with self._lock:
                self._known.setdefault(identity, [chats.columns(said) for said in chat.sayings])
        return chat

    def rename(self, identity: str, title: str) -> bool:
        """Give a conversation a title; False where it is not there, or the title is empty."""
        name = chats.shortened(title)
        return bool(name) and self._store.write(chats.rename, self._person, identity, name)

    def delete(self, identity: str) -> bool:
        """Delete a conversation with its runs and what they showed; False where it is not there.

        To be called when nothing of it runs any more.
        """
        with self._lock:
            self._drafts.pop(identity, None)
            self._known.setdefault(identity, ())
        return self._store.write(chats.remove, self._person, identity)

    def write(self) -> None:
        """Write what is to be written. For the scribe."""
        with self._lock:
            drafts = list(self._drafts.items())
        for identity, draft in drafts:
            label, sayings = draft
            rows = [chats.columns(said) for said in sayings]
            self._store.write(self._put, identity, label, sayings, rows)
            with self._lock:
                self._known[identity] = rows
                if self._drafts.get(identity) is draft:
                    del self._drafts[identity]

    def _put(
        self,
        connection: Connection,
        identity: str,
        label: str,
        sayings: Sequence[Saying],
        rows: list[Columns],
    ) -> None:
        known = self._known.get(identity)
        if known is None:
            chats.add(connection, self._person, identity, label, sayings)
        elif not chats.touch(connection, self._person, identity, sayings):
            return
        chats.say(connection, identity, rows, known or ())
