"""The blocks that pages may show, and the pages subscribed to them. May be used from any thread."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

from coderunner.outputs import MadeFile, Refusal
from coderunner.packages.offers import Card
from coderunner.page.block_state import Block, BlockPanel
from coderunner.page.html import block_html, output_html
from coderunner.page.html.block_html import Look, Setting
from coderunner.page.loaders.block_loaders import BlockLoaders
from coderunner.page.loaders.loaded_before import NOTHING, OMITTED, Loaded, loaded, uses_scripts

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
    cards: Mapping[Refusal, Card]
    look: Look

    def is_of(self, block: Block, told: tuple[Setting, frozenset[Refusal], Mapping[Refusal, Card]]) -> bool:
        """Whether it shows that."""
        return self.block is block and (self.setting, self.granted, self.cards) == told


class Subscriptions:
    """Blocks by id, each with its owner: to everybody else the block does not exist."""

    def __init__(
        self,
        setting: Callable[[], Setting] = Setting,
        find: Callable[[str], Block | None] = lambda _: None,
        granted: Callable[[str, Refusal], bool] = lambda _chat, _refusal: False,
        card: Callable[[str, Refusal], Card | None] = lambda _chat, _refusal: None,
    ) -> None:
        """`setting`: what blocks say about the place where they run.

        `find` looks elsewhere for a block that is not here, which then belongs to everybody whom the host
        lets in. It may take milliseconds, and is called from any thread.

        `granted` tells whether a chat may by now reach what was refused to a block; `card` tells what is
        known of packages that it lacks.
        """
        self._setting = setting
        self._find = find
        self._granted, self._card = granted, card
        self._lock = threading.Lock()
        self._blocks: dict[str, _Shown] = {}
        self._drawn: dict[tuple[str, bool], _Drawn] = {}
        self._watching: defaultdict[str, set[Wake]] = defaultdict(set)
        self._loaders = BlockLoaders()

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
                self._loaders.forget(identity)

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

    def made(self, identity: str, owner: str) -> tuple[str, tuple[MadeFile, ...]] | None:
        """The chat of a block, and the files that it made; None if `owner` has no such block."""
        shown = self._shown(identity, owner)
        if shown is None:
            return None
        result = shown.block.result
        return shown.chat, result.files if result is not None else ()

    def _shown(self, identity: str, owner: str) -> _Shown | None:
        with self._lock:
            shown = self._blocks.get(identity)
        if shown is None and (found := self._find(identity)) is not None:
            with self._lock:
                shown = self._blocks.setdefault(identity, _Shown(found, "", ""))
        return shown if shown is not None and shown.owner == owner else None

    def look(self, identity: str, owner: str, *, whole: bool = False) -> Look | None:
        """How a block looks, its long texts `whole` or shortened; None if `owner` has no such block."""
        with self._lock:
            before = self._drawn.get((identity, whole))
        if (shown := self._shown(identity, owner)) is None:
            return None
        block, setting = shown.block, self._setting()
        offered = [each for each in block.refusals if each.offer]
        granted = frozenset(each for each in offered if self._granted(shown.chat, each))
        known = {each: self._card(shown.chat, each) for each in offered if each not in granted}
        cards = {each: card for each, card in known.items() if card is not None}
        if before is not None and before.is_of(block, (setting, granted, cards)):
            return self._with_loaders(before.look, shown)
        longest = output_html.WHOLE if whole else output_html.LONGEST
        earlier = (before.block, before.look) if before else None
        look = block_html.look(block, setting, earlier, longest=longest, granted=granted, cards=cards)
        with self._lock:
            if identity in self._watching:
                self._drawn[identity, whole] = _Drawn(block, setting, granted, cards, look)
        return self._with_loaders(look, shown)

    def _with_loaders(self, look: Look, shown: _Shown) -> Look:
        """A look, with what earlier blocks loaded if its frame may need that."""
        before = self._loaded_before(shown) if look.scripts and uses_scripts(look.pieces) else NOTHING
        names = tuple(each.name for each in before.loaders)
        return replace(look, loaders=names, omitted=OMITTED if before.omitted else "")

    def _loaded_before(self, shown: _Shown) -> Loaded:
        if not shown.chat:
            return NOTHING
        with self._lock:
            same = [
                its for its in self._blocks.values() if (its.chat, its.owner) == (shown.chat, shown.owner)
            ]
        earlier = takewhile(lambda its: its.block.id != shown.block.id, same)
        return loaded([self._loaders.of(its.block) for its in earlier], self._loaders.of(shown.block))

    def loader(self, name: str, owner: str) -> str | None:
        """The content of a loader; None if no block of `owner` has one of that name."""
        with self._lock:
            owned = frozenset(each for each, its in self._blocks.items() if its.owner == owner)
        return self._loaders.find(owned.__contains__, name)
