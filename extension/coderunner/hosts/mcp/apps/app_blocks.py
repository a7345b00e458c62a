"""The blocks that pages of hosts show: each from the call that runs it, until there are too many."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import replace

from coderunner.ids import new_id
from coderunner.outputs import Output, Result
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, State
from coderunner.page.html import output_html
from coderunner.page.html.active_output import EXECUTED, WIDGET, ActiveOutput
from coderunner.page.html.block_html import Setting
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import Change, Connection, Ended, Event, Preparing, Shown, Started

Hear = Callable[[Event], None]
"""Called with each event of a cell; returns at once."""

MOST = 200
"""Blocks of one client that are kept; a page of an older one shows what its call returned."""


class AppBlocks:
    """The blocks of all clients, each seen by its own client alone. May be used from any thread."""

    def __init__(self, setting: Setting) -> None:
        self.subscriptions = Subscriptions(lambda: setting)
        self._lock = threading.RLock()
        self._blocks: defaultdict[str, OrderedDict[str, Block]] = defaultdict(OrderedDict)

    def follow(self, owner: str, chat: str, source: str) -> tuple[str, Hear]:
        """Show code of `owner` that is about to run; gives the name of its block, and what hears of it.

        What the earlier blocks of a `chat` loaded is loaded for its later ones, too.
        """
        name = new_id()
        with self._lock:
            its = self._blocks[owner]
            self._put(owner, chat, block_transitions.started(Block(id=name), source, ""))
            while len(its) > MOST:
                self.subscriptions.forget([its.popitem(last=False)[0]])

        def change(how: Callable[[Block], Block]) -> None:
            with self._lock:
                if name in its:
                    self._put(owner, chat, how(its[name]))

        def later(told: Change) -> None:
            change(lambda block: block_transitions.showed_later(block, told.index, told.output))

        def hear(event: Event) -> None:
            match event:
                case Started(panel=panel):
                    change(lambda block: replace(block, panel=panel))
                case Preparing(words):
                    change(lambda block: block_transitions.prepared(block, words))
                case Connection(lost):
                    change(lambda block: block_transitions.cut_off(block, lost))
                case Shown(Change(index, output)):
                    change(lambda block: block_transitions.showed(block, index, output))
                case Ended(result):
                    change(lambda block: block_transitions.ended(block, _without_files(result)))
                    if event.later is not None:
                        event.later.listen(later)

        return name, hear

    def rests(self, owner: str, name: str) -> bool:
        """Whether nothing of a block is expected to change any more."""
        with self._lock:
            block = self._blocks[owner].get(name)
        if block is None:
            return True
        shown = (*block.shown, *block.later)
        return block.state is State.ENDED and not any(_lives(output, block) for output in shown)

    def _put(self, owner: str, chat: str, block: Block) -> None:
        self._blocks[owner][block.id] = block
        self.subscriptions.show([block], owner, chat=chat)


def _lives(output: Output, block: Block) -> bool:
    """Whether an output talks with the kernel."""
    drawn = output_html.draw(output, block)
    return isinstance(drawn, ActiveOutput) and (drawn.kind == WIDGET or bool(EXECUTED.fullmatch(drawn.kind)))


def _without_files(result: Result) -> Result:
    """A result without the files that it made: the call's result has links to them."""
    return replace(result, files=(), more_files=0)
