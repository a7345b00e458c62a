"""The blocks that pages may show, and the pages subscribed to them. May be used from any thread."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from coderunner.outputs import Refusal
from coderunner.page.block_state import Block, BlockPanel
from coderunner.page.html import block_html, output_html
from coderunner.page.html.block_html import Look, Setting

Wake = Callable[[str], None]
"""Called with the id of a block that has changed; returns at once."""


@dataclass(frozen=True, slots=True)
class _Shown:
    block: Block
    owner: str
    chat: str


@dataclass(frozen=True, slots=True)
class _Drawn:
    block: Block
    setting: Setting
    granted: frozenset[Refusal]
    look: Look

    def is_of(self, block: Block, setting: Setting, granted: frozenset[Refusal]) -> bool:
        """Whether it shows that."""
        return self.block is block and self.setting == setting and self.granted == granted


class Subscriptions:
    """Blocks by id, each with its owner: to everybody else the block does not exist."""

    def __init__(
        self,
        setting: Callable[[], Setting] = Setting,
        find: Callable[[str], Block | None] = lambda _: None,
        granted: Callable[[str, Refusal], bool] = lambda _chat, _refusal: False,
    ) -> None:
        """`setting`: what blocks say about the place where they run.

        `find` looks elsewhere for a block that is not here, which then belongs to everybody whom the host
        lets in. It may take milliseconds, and is called from any thread.

        `granted` tells whether a chat may by now reach what was refused to a block of it.
        """
        self._setting = setting
        self._find = find
        self._granted = granted
        self._lock = threading.Lock()
        self._blocks: dict[str, _Shown] = {}
        self._drawn: dict[tuple[str, bool], _Drawn] = {}
        self._watching: defaultdict[str, set[Wake]] = defaultdict(set)

    def show(
        self, blocks: Iterable[Block], owner: str = "", *, chat: str = "", quietly: bool = False
    ) -> None:
        """Take blocks of a chat as they are now; `quietly`: without telling the pages."""
        changed = []
        with self._lock:
            for block in blocks:
                known = self._blocks.get(block.id)
                if known is None or known.block is not block:
                    self._blocks[block.id] = _Shown(block, owner, chat)
                    watching = () if quietly else self._watching.get(block.id, ())
                    changed += [(wake, block.id) for wake in watching]
        for wake, identity in changed:
            wake(identity)

    def grants_changed(self, of: Callable[[str], bool]) -> None:
        """Draw what was refused to blocks anew, in the chats that `of` names."""
        with self._lock:
            told = [each for each, its in self._blocks.items() if its.block.refusals and of(its.chat)]
            changed = [(wake, each) for each in told for wake in self._watching.get(each, ())]
        for wake, identity in changed:
            wake(identity)

    def forget(self, identities: Iterable[str]) -> None:
        """Drop blocks that are in no reply any more."""
        with self._lock:
            for identity in identities:
                self._blocks.pop(identity, None)

    def watch(self, identity: str, wake: Wake) -> None:
        """Call `wake` whenever that block has changed."""
        with self._lock:
            self._watching[identity].add(wake)

    def watched(self, identities: Iterable[str]) -> bool:
        """Whether a page watches one of these blocks."""
        with self._lock:
            return any(identity in self._watching for identity in identities)

    def leave(self, identity: str, wake: Wake) -> None:
        """Stop calling `wake`; the rendered HTML of a block that nobody watches is dropped."""
        with self._lock:
            self._watching[identity].discard(wake)
            if not self._watching[identity]:
                del self._watching[identity]
                for whole in (True, False):
                    self._drawn.pop((identity, whole), None)

    def panel(self, identity: str, owner: str) -> BlockPanel | None:
        """The widgets of a block; None if it has none, or if `owner` has no such block."""
        with self._lock:
            shown = self._blocks.get(identity)
        return shown.block.panel if shown is not None and shown.owner == owner else None

    def look(self, identity: str, owner: str, *, whole: bool = False) -> Look | None:
        """How a block looks, its long texts `whole` or shortened; None if `owner` has no such block."""
        with self._lock:
            shown, before = self._blocks.get(identity), self._drawn.get((identity, whole))
        if shown is None and (found := self._find(identity)) is not None:
            with self._lock:
                shown = self._blocks.setdefault(identity, _Shown(found, "", ""))
        if shown is None or shown.owner != owner:
            return None
        block, setting = shown.block, self._setting()
        offered = (each for each in block.refusals if each.offer)
        granted = frozenset(each for each in offered if self._granted(shown.chat, each))
        if before is not None and before.is_of(block, setting, granted):
            return before.look
        longest = output_html.WHOLE if whole else output_html.LONGEST
        known = (before.block, before.look) if before else None
        look = block_html.look(block, setting, known, longest=longest, granted=granted)
        with self._lock:
            if identity in self._watching:
                self._drawn[identity, whole] = _Drawn(block, setting, granted, look)
        return look
