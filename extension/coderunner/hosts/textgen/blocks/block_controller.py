"""Keeps the blocks of a chat's replies up to date in the page, from the events of each reply.

After the reply, and after a restart, they come from the records.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from coderunner.hosts.textgen.blocks.background_cells import BackgroundCells
from coderunner.hosts.textgen.blocks.bar_state import BarState
from coderunner.hosts.textgen.blocks.block_buttons import BlockButtons, Kernels
from coderunner.hosts.textgen.blocks.block_store import BlockStore, KnownBlock
from coderunner.hosts.textgen.reply import output_placeholders
from coderunner.hosts.textgen.reply.chat_reply_detection import ChatRequest
from coderunner.outputs import Cell
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.page.html.block_html import Setting
from coderunner.runner import (
    Answered,
    Asked,
    Beat,
    Connection,
    Ended,
    Event,
    Part,
    Preparing,
    Records,
    Say,
    Shown,
    Started,
    Waiting,
    first_rows,
    look_up,
)

ALONE = 20.0
"""Seconds for which a block that no page shows goes on after its page has left: a reload takes 2 to 10."""


class BlockController:
    """One for the process; may be used from any thread."""

    def __init__(
        self, records: Records, approvals: BarState, kernels: Kernels, setting: Callable[[], Setting]
    ) -> None:
        self.store = BlockStore(setting, records, kernels.session, kernels.granted, kernels.card)
        self.buttons = BlockButtons(self.store, records, approvals, kernels)
        self.alone = ALONE
        self._approvals = approvals
        self._session = kernels.session
        self._background = BackgroundCells(self.store, records, self.buttons.answers, self._came_up)
        self._current: dict[str, str] = {}
        """The latest block in the reply of each conversation."""
        self._waits: dict[str, str] = {}
        """The block that waits for approval, if the reply of a conversation ends with one."""

    def receive(self, request: ChatRequest, event: Event) -> str:
        """Show an event of a reply; gives the id of a block that has its place in the reply from now on."""
        at = request.conversation
        match event:
            case Waiting(cell, ordinal):
                return self._begin(request, cell, ordinal, State.WAITING)
            case Started(cell, ordinal):
                state = State.QUEUED if self.store.cell_goes_on(at) else State.RUNNING
                return self._begin(request, cell, ordinal, state, event)
            case Preparing(words):
                self._change(at, lambda b: block_transitions.prepared(b, words))
            case Connection(lost):
                self._change(at, lambda b: block_transitions.cut_off(b, lost))
            case Shown(change):
                self._change(at, lambda b: block_transitions.showed(b, change.index, change.output))
            case Asked(question):
                ticket = self.buttons.ticket(at)
                self._change(at, lambda b: replace(b, question=replace(question, id=ticket)))
            case Answered():
                self._change(at, lambda b: replace(b, question=None))
            case Beat(elapsed):
                self._change(at, lambda b: block_transitions.aged(b, elapsed), quietly=True)
            case Say(text, Part.RESULT):
                self._change(at, lambda b: replace(b, read=b.read + text))
            case Ended():
                return self._end(request, event)
        return ""

    async def look_up(
        self, ticket: str, kind: Literal["complete", "inspect"], code: str, at: int
    ) -> Mapping[str, object]:
        """What the kernel of a block's conversation knows of some code."""
        known = self.store.get(ticket)
        return await look_up(self._session(known.conversation), kind, code, at) if known is not None else {}

    async def first_rows(self, conversation: str, path: str) -> Mapping[str, object] | None:
        """The first rows of a table in the folder of a conversation, as its kernel tells them."""
        return await first_rows(self._session(conversation), path)

    def leave(self, request: ChatRequest) -> None:
        """Note that a reply is over, perhaps because the webui ended it and its block was interrupted.

        Returns at once. A block that waits for approval continues to wait.
        """
        identity = self._current.pop(request.conversation, "")
        known = self.store.get(identity)
        if known is not None and known.block.state is State.WAITING:
            self._waits[request.conversation] = identity
        elif known is not None and known.block.state in (State.QUEUED, State.RUNNING):
            self._background.show_end(identity)
        else:
            self.store.change(identity, block_transitions.left)

    def pass_over(self, conversation: str, message: str = "") -> None:
        """Note that a reply other than `message` begins: a block that waits before it will not run."""
        waits = self._waits.get(conversation, "")
        if waits and waits.rpartition("-")[0] != message:
            del self._waits[conversation]
            self._approvals.withdraw(conversation)
            self.store.change(waits, block_transitions.left)

    def go_on(self, request: ChatRequest, event: Ended) -> None:
        """Note that the page of a reply was reloaded or closed: a running block goes on for a while."""
        self.receive(request, event)
        if event.running is not None:
            identity = output_placeholders.identity(request.message, event.ordinal)
            self._background.stop_unless_watched(identity, event.running, self.alone)

    def forget(self, conversation: str) -> None:
        """Forget a conversation whose chat is deleted: its permissions do not count for a later chat."""
        self.buttons.forget(conversation)
        self.pass_over(conversation)

    def _begin(
        self, request: ChatRequest, cell: Cell, ordinal: int, state: State, event: Started | None = None
    ) -> str:
        identity = output_placeholders.identity(request.message, ordinal)
        before = self.store.get(identity)
        waits = before.block if before is not None and before.block.state is State.WAITING else Block()
        block = replace(waits, ordinal=ordinal, id=identity)
        if event is None:
            block = block_transitions.asked(block, cell.source, identity)
        else:
            queued = state is State.QUEUED
            block = block_transitions.started(block, cell.source, identity, queued=queued, panel=event.panel)
        self._current[request.conversation] = identity
        stop = event.stop if event is not None else None
        at, home = request.conversation, request.home or request.conversation
        self.store.add(KnownBlock(block, at, home, stop=stop))
        return identity

    def _end(self, request: ChatRequest, event: Ended) -> str:
        identity = output_placeholders.identity(request.message, event.ordinal)
        if self._current.get(request.conversation) != identity:
            self._current[request.conversation] = identity
            if self.store.drop_unless_waiting(identity):
                # It ran before: its outputs are in the records.
                return identity if self.store.find(identity) is not None else ""
        if event.running is None:
            self.store.change(identity, lambda b: block_transitions.ended(b, event.result))
        else:
            self._background.follow(identity, event.running, event.result)
        self.store.follow_later(identity, event.later)
        return identity

    def _change(self, conversation: str, change: Callable[[Block], Block], *, quietly: bool = False) -> None:
        """Change the latest block in the reply of a conversation."""
        self.store.change(self._current.get(conversation), change, quietly=quietly)

    def _came_up(self, conversation: str) -> None:
        self._change(conversation, block_transitions.came_up)
