"""What is known of runs and replies, without running any."""

import logging
import time
from collections.abc import Sequence

from coderunner.errors import RecordsUnavailable
from coderunner.outputs import Output
from coderunner.records.database import history_queries, kept_reply_queries, run_queries
from coderunner.records.database.connection import Database
from coderunner.records.database.run_queries import Record

log = logging.getLogger(__name__)


class RunLookup:
    """What is known of runs, whoever's they are; raises RecordsUnavailable where the database fails."""

    def __init__(self, store: Database) -> None:
        self._store = store

    @property
    def place(self) -> str:
        """Where they are kept, in words."""
        return self._store.place

    def outputs(self, identity: str) -> tuple[Output, ...]:
        """What a run has shown so far."""
        return self._store.read(run_queries.outputs, identity)

    def modules(self, identity: str) -> dict[str, str]:
        """The programs of the widgets that a run shows, by their names; none where they cannot be read."""
        try:
            return self._store.read(run_queries.modules, identity)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return {}

    def of(self, conversation: str) -> list[Record]:
        """All runs of a conversation, the first one first."""
        return self._store.read(run_queries.of_conversation, conversation)

    def of_reply(self, message: str) -> list[Record]:
        """All runs of the reply of that name, whatever its conversation is called; the first one first."""
        return self._store.read(run_queries.of_reply, message)

    def of_latest_reply(self, prefix: str, *, within: float) -> list[Record]:
        """All runs of the latest reply whose name begins so, of the last `within` seconds."""
        return self._store.read(run_queries.of_latest_reply, prefix, since=time.time() - within)

    def last_count(self, conversation: str) -> int | None:
        """The latest execution count of its kernel, 0 if none is known; None where none of its blocks ran."""
        return self._store.read(run_queries.last_count, conversation)

    def names_of(self, keys: Sequence[str]) -> dict[str, str]:
        """What was noted under each of these keys, as far as anything was."""
        return self._store.read(history_queries.names_of, keys)

    def note_history(self, key: str, name: str) -> None:
        """Have it known whose history that is, also to other processes."""
        self._store.write(history_queries.note, key, name, time.time())

    def note_cut(self, request: str, content: str, *, within: float) -> None:
        """Keep for `within` seconds what a reply that is cut short is continued from."""
        self._store.write(kept_reply_queries.note_cut, request, content, time.time(), within)

    def take_cut(self, request: str, *, within: float) -> str:
        """What was kept of a reply to that request, for one of all who ask; empty where nothing is."""
        found = self._store.read(kept_reply_queries.find_cut, request, since=time.time() - within)
        return found if found and self._store.write(kept_reply_queries.take_cut, request) else ""

    def note_response(self, identity: str, owner: str, content: str) -> None:
        """Keep a response that its owner may refer to."""
        self._store.write(kept_reply_queries.note_response, identity, owner, content, time.time())

    def response(self, identity: str, owner: str) -> str:
        """What is kept of somebody's response; empty where nothing is."""
        return self._store.read(kept_reply_queries.find_response, identity, owner)

    def responses(self, beginning: str, owner: str, most: int) -> list[str]:
        """What is kept under all of somebody's ids that begin so, the latest of them."""
        return self._store.read(kept_reply_queries.find_responses, beginning, owner, most)

    def delete_response(self, identity: str, owner: str) -> bool:
        """Forget somebody's response; False where there is none."""
        return self._store.write(kept_reply_queries.delete_response, identity, owner)
