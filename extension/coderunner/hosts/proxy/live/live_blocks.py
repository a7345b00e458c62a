"""The blocks that live pages show: those of this process as they change, all others from the records."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile

from coderunner.errors import RecordsUnavailable
from coderunner.ids import new_id
from coderunner.outputs import Output, Result
from coderunner.page import block_transitions
from coderunner.page.block_state import Block
from coderunner.page.html import output_html
from coderunner.page.html.block_html import Setting
from coderunner.page.loaders.loaded_before import uses_scripts
from coderunner.page.loaders.loaders_of_output import loaders
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Cell,
    Change,
    Ended,
    Late,
    LateOutputRecorder,
    Records,
    Session,
    WidgetPanel,
    later_of,
    panel_of,
)

log = logging.getLogger(__name__)

MOST = 200
"""Blocks that are kept in memory; a page of an older one shows what the records have."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records have a block: conversation, reply, and the blocks before it there."""

    conversation: str
    message: str
    ordinal: int


class LiveBlocks:
    """Blocks by the names of their pages: each sees its own and nothing else. May be used from any thread."""

    def __init__(self, records: Records, session: Callable[[str, str], Session], setting: Setting) -> None:
        """`session` gives the kernel of an owner's conversation."""
        self.subscriptions = Subscriptions(lambda: setting)
        """Each block with the name of its page as its owner, too."""
        self._records = records
        self._session = session
        self._lock = threading.RLock()
        self._shown: OrderedDict[str, list[str]] = OrderedDict()
        """The ids of all blocks that a page has, by its name; the one that was asked for last comes last."""
        self._held: dict[str, Block] = {}
        """Those that change."""

    def hold(self, name: str, place: Place, cell: Cell, panel: WidgetPanel | None, ended: Ended) -> None:
        """Take a block of this process whose reply goes on without it, and follow what becomes of it.

        Takes milliseconds.
        """
        block = block_transitions.started(Block(id=name), cell.source, "", panel=panel)
        if ended.running is None:
            block = block_transitions.ended(block, _without_files(ended.result))
        else:
            block = block_transitions.went_on(block, ended.result)
        before = self._loaded_before(place, block)
        with self._lock:
            self._held[name] = block
            self._show(name, [*before, block])
        if ended.running is not None:
            self._follow(name, ended.running, ended.result)
        self._follow_later(name, ended.later)

    def open(self, name: str, owner: str, place: Place) -> bool:
        """Have a page's block shown as it is now; False where nothing is known of it any more.

        Takes milliseconds. Raises RecordsUnavailable.
        """
        with self._lock:
            if name in self._held:
                self._shown.move_to_end(name)
                return True
        runs = [each for each in self._records.of_reply(place.message) if each.key.ordinal == place.ordinal]
        session = self._session(owner, place.conversation)
        panel = partial(panel_of, session=session, records=self._records)
        block = block_transitions.recalled(Block(id=name), runs[-1:], panel)
        if block is None:
            return False
        block = replace(block, result=_without_files(block.result or Result()))
        before = self._loaded_before(place, block)
        with self._lock:
            if block.panel is not None:
                self._held[name] = block
            self._show(name, [*before, block])
        self._follow_later(name, later_of(block.panel))
        return True

    def _loaded_before(self, place: Place, block: Block) -> list[Block]:
        """What earlier blocks of the conversation loaded for later ones; nothing else of them is told."""
        if not uses_scripts(output_html.draw(output, block) for output in block.shown):
            return []
        try:
            runs = self._records.of(place.conversation)
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return []
        ours = (place.message, place.ordinal)
        loading: dict[str, Output] = {}
        for run in takewhile(lambda run: (run.key.message, run.key.ordinal) != ours, runs):
            for output in (*(run.result.outputs if run.result else ()), *run.later):
                if found := loaders(output):
                    loading[" ".join(each.name for each in found)] = output
        # Nobody learns these names: what else such an output shows is seen by nobody.
        return [Block(id=new_id(24), outputs=(output,)) for output in loading.values()]

    def _show(self, name: str, blocks: Sequence[Block]) -> None:
        before, self._shown[name] = self._shown.get(name, []), [each.id for each in blocks]
        self.subscriptions.forget(each for each in before if each != name)
        self._shown.move_to_end(name)
        self.subscriptions.show(blocks, name, chat=name)
        spare = len(self._shown) - MOST
        for old in [each for each in self._shown if not self.subscriptions.watched([each])][: max(0, spare)]:
            self._held.pop(old, None)
            self.subscriptions.forget(self._shown.pop(old))

    def _change(self, name: str, change: Callable[[Block], Block]) -> None:
        with self._lock:
            if (block := self._held.get(name)) is not None:
                self._held[name] = block = change(block)
                self.subscriptions.show([block], name, chat=name)

    def _follow(self, name: str, running: Late, result: Result) -> None:
        """Show the further output of a block that runs on, and its end; `result` is its state by now."""
        began = time.monotonic() - result.duration

        def show(told: Change) -> None:
            elapsed = time.monotonic() - began
            self._change(name, lambda b: block_transitions.late_showed(b, told.index, told.output, elapsed))

        def lose(lost: bool) -> None:  # noqa: FBT001 - the kernel's thread calls it without names
            self._change(name, lambda b: block_transitions.cut_off(b, lost))

        def end(done: Future[Result]) -> None:
            self._change(name, lambda b: block_transitions.ended(b, _without_files(done.result())))

        running.listen(show, None, lose)
        running.settled.add_done_callback(end)

    def _follow_later(self, name: str, later: LateOutputRecorder | None) -> None:
        """Show the output of a block's threads and callbacks after its end."""
        if later is not None:
            later.listen(
                lambda told: self._change(
                    name, lambda b: block_transitions.showed_later(b, told.index, told.output)
                )
            )


def _without_files(result: Result) -> Result:
    """A result without the files that it made: the reply has links to them."""
    return replace(result, files=(), more_files=0)
