"""The blocks in memory, by id: changed while they run, shown to the pages; older ones are in the records."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.outputs import Refusal
from coderunner.packages.offers import Card
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import Setting
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Late,
    LateOutputRecorder,
    Record,
    Records,
    Session,
    for_model,
    later_of,
    panel_of,
    was_edited,
)

log = logging.getLogger(__name__)

MOST = 400
"""Blocks that are kept in memory; a page that wants an older one gets what the records have."""

OPEN = frozenset({State.WAITING, State.QUEUED, State.RUNNING, State.LATE})
"""The states of a block that has not ended."""


@dataclass(slots=True)
class KnownBlock:
    """A block that is kept in memory."""

    block: Block
    conversation: str
    """The conversation whose kernel runs it."""
    home: str
    """The conversation under which its runs are recorded."""
    running: Late | None = None
    """Its cell, if that keeps running after its deadline."""
    stop: Callable[[], None] | None = None
    """Stops its cell alone while the reply runs it."""

    @property
    def repeats(self) -> bool:
        """Whether its code is being run again."""
        return self.block.again is not None and self.block.again.state is not State.ENDED


class BlockStore:
    """One for the process; may be used from any thread."""

    def __init__(
        self,
        setting: Callable[[], Setting],
        records: Records,
        session: Callable[[str], Session],
        granted: Callable[[str, Refusal], bool],
        card: Callable[[str, Refusal], Card | None],
    ) -> None:
        """`session` gives the kernel of a conversation.

        `granted` tells whether it may by now reach what it was refused, `card` what is known of packages.
        """
        self.subscriptions = Subscriptions(setting, self.find, granted, card)
        self._records = records
        self._session = session
        self._lock = threading.RLock()
        self._known: OrderedDict[str, KnownBlock] = OrderedDict()
        self._moved: dict[str, str] = {}
        """The conversation that a reply belongs to now, if its chat was renamed or branched."""
        self._noted: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """The fence of a block, and what the model read of its result, as they stand in the webui's text."""

    def move(self, replies: Mapping[str, object], conversation: str) -> None:
        """Note that the replies with this metadata of the webui belong to a conversation."""
        with self._lock:
            for notes in replies.values():
                known = notes.get("coderunner") if isinstance(notes, dict) else None
                if isinstance(known, str):
                    self._moved[known.partition(" ")[0]] = conversation

    def note(self, identity: str, fence: str, read: str) -> None:
        """Note how a block stands in the text of its reply: the records have only what ran in its place."""
        with self._lock:
            if self._noted.get(identity) != (fence, read):
                self._noted[identity] = fence, read
            self._noted.move_to_end(identity)
            if len(self._noted) > MOST:
                self._noted.popitem(last=False)

    def get(self, identity: str) -> KnownBlock | None:
        """The block of that id, if it is in memory."""
        with self._lock:
            return self._known.get(identity)

    def add(self, known: KnownBlock) -> None:
        """Keep a new block and show it; it takes the place of an older one of its id."""
        with self._lock:
            self._keep(known.block.id, known)
        self.subscriptions.show([known.block], chat=known.conversation)

    def change(
        self, identity: str | None, change: Callable[[Block], Block], *, quietly: bool = False
    ) -> None:
        """Change a block and show it; `quietly`: the pages already know the change."""
        with self._lock:
            known = self._known.get(identity or "")
            if known is None:
                return
            before, known.block = known.block, change(known.block)
            self.subscriptions.show(_with_repeat(known.block), chat=known.conversation, quietly=quietly)
            if before.again is not None and (known.block.again or before).id != before.again.id:
                self.subscriptions.forget([before.again.id])

    def set_running(self, identity: str, running: Late | None) -> str:
        """Set the background cell of a block; gives the block's conversation."""
        with self._lock:
            if (known := self._known.get(identity)) is None:
                return ""
            known.running = running
            return known.conversation

    def cell_goes_on(self, conversation: str) -> bool:
        """Whether a background cell of that conversation is running."""
        with self._lock:
            return any(each.running and each.conversation == conversation for each in self._known.values())

    def drop_unless_waiting(self, identity: str) -> bool:
        """Forget a block, so that it is read from the records; False if it waits for approval."""
        with self._lock:
            known = self._known.get(identity)
            if known is not None and known.block.state is State.WAITING:
                return False
            if known is not None and known.running is None:
                del self._known[identity]
                self.subscriptions.forget([identity])
            return True

    def find(self, identity: str) -> Block | None:
        """The block of that id, from the records if it is not in memory."""
        if (known := self.get(identity)) is not None:
            return known.block
        try:
            runs = self.runs(identity)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return None
        return self._recall(identity, runs) if runs else None

    def _recall(self, identity: str, runs: list[Record]) -> Block | None:
        key = runs[0].key
        home = key.conversation
        with self._lock:
            at = self._moved.get(key.message, home)
            fence, read = self._noted.get(identity, ("", ""))
        bare = Block(fence, ticket=identity, ordinal=key.ordinal, id=identity)
        if was_edited(read, bare.code, runs[0].code):
            bare = replace(bare, first=f"{bare.code}\n")
        panel = partial(panel_of, session=self._session(at), records=self._records)
        block = block_transitions.recalled(bare, runs, panel)
        if block is None:
            return None
        block = replace(block, read=for_model(block.result) if block.result else "")
        with self._lock:
            if (known := self._known.get(identity)) is None:
                self._keep(identity, known := KnownBlock(block, at, home))
            known_block = known.block
        self.subscriptions.show(_with_repeat(known_block), chat=at)
        self.follow_later(identity, later_of(known_block.panel))
        return known_block

    def follow_later(self, identity: str, later: LateOutputRecorder | None) -> None:
        """Show the output of a block's threads and callbacks after its end."""
        if later is not None:
            later.listen(
                lambda told: self.change(
                    identity, lambda b: block_transitions.showed_later(b, told.index, told.output)
                )
            )

    def runs(self, identity: str) -> list[Record]:
        """All runs of a block, the first one first. Raises RecordsUnavailable."""
        if (name := output_placeholders.taken_apart(identity)) is None:
            return []
        message, ordinal = name
        return [run for run in self._records.of_reply(message) if run.key.ordinal == ordinal]

    def _keep(self, identity: str, known: KnownBlock) -> None:
        self._known[identity] = known
        self._known.move_to_end(identity)
        spare = max(0, len(self._known) - MOST)
        rest = [each for each, its in self._known.items() if its.block.state not in OPEN and not its.repeats]
        for old in rest[:spare]:
            self.subscriptions.forget(each.id for each in _with_repeat(self._known.pop(old).block))


def _with_repeat(block: Block) -> list[Block]:
    """The block, and the one below it that shows its repeated run."""
    return [block] if block.again is None else [block, block.again]
