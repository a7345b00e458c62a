"""What each member has used, for this process; the tokens of the day also across restarts."""

import json
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from coderunner.errors import UnreadableJSON
from coderunner.hosts.proxy.team.limiter import Account, Reached
from coderunner.hosts.proxy.team.members import Member
from coderunner.private_folders import make_private
from coderunner.text import json_reader

log = logging.getLogger(__name__)


class Accounts:
    """The accounts of all members. May be used from any thread."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        calendar: Callable[[], float] = time.time,
    ) -> None:
        """`path`: a file of ours for the tokens of the day."""
        self._path = path
        self._clock = clock
        self._calendar = calendar
        self._lock = threading.Lock()
        self._accounts: defaultdict[str, Account] = defaultdict(Account)
        self._changed = False
        self._load()

    def block_reached(self, member: Member) -> Reached | None:
        """Why the member may run no block now; None: it may."""
        with self._lock:
            return self._accounts[member.owner].blocks_reached(member.limits, self._clock())

    def take_block(self, member: Member) -> Reached | None:
        """Count a block that is about to run; gives why it may not."""
        with self._lock:
            return self._accounts[member.owner].take_block(member.limits, self._clock())

    def tokens_reached(self, member: Member) -> Reached | None:
        """Why the member may use no more tokens today; None: it may."""
        if not member.limits.tokens_per_day:
            return None
        with self._lock:
            return self._accounts[member.owner].tokens_reached(member.limits, self._calendar())

    def note_tokens(self, member: Member, tokens: int) -> None:
        """Count tokens that were used."""
        if tokens > 0:
            with self._lock:
                self._accounts[member.owner].note_tokens(tokens, self._calendar())
                self._changed = True

    def save(self) -> None:
        """Write the tokens of the day to the file, if there are new ones. May take milliseconds."""
        with self._lock:
            if not self._changed:
                return
            self._changed = False
            every = {owner: [each.day, each.tokens] for owner, each in self._accounts.items() if each.tokens}
        ours = self._path.with_suffix(f".{os.getpid()}")
        try:
            make_private(self._path.parent)
            ours.write_text(json.dumps(every), encoding="utf-8")
            ours.replace(self._path)
        except OSError as failure:
            log.warning("the tokens of the day cannot be saved in %s: %s", self._path, failure.strerror)
            with suppress(OSError):
                ours.unlink()

    def _load(self) -> None:
        with suppress(OSError, UnreadableJSON):
            saved = json_reader.loads(self._path.read_text(encoding="utf-8", errors="replace"))
            for owner, value in saved.items() if isinstance(saved, Mapping) else ():
                match value:
                    case [int() as day, int() as tokens]:
                        self._accounts[owner] = Account(day=day, tokens=tokens)
