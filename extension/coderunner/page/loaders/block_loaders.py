"""What each block has loaded, found once for each of its outputs."""

import threading
from collections.abc import Callable, Sequence

from coderunner.outputs import Output
from coderunner.page.block_state import Block
from coderunner.page.loaders.loaders_of_output import Loader, loaders


class BlockLoaders:
    """The loaders of blocks by their ids. May be used from any thread."""

    def __init__(self, find: Callable[[Output], Sequence[Loader]] = loaders) -> None:
        """`find` looks into an output."""
        self._find = find
        self._lock = threading.Lock()
        self._known: dict[str, tuple[tuple[Output, Sequence[Loader]], ...]] = {}

    def of(self, block: Block) -> tuple[Loader, ...]:
        """What a block has loaded so far, in order."""
        with self._lock:
            known = {id(output): its for output, its in self._known.get(block.id, ())}
        # By identity: outputs contain dictionaries, which cannot be hashed.
        outputs = (*block.shown, *block.later)
        found = tuple((each, known[id(each)] if id(each) in known else self._find(each)) for each in outputs)
        with self._lock:
            self._known[block.id] = found
        return tuple(loader for _, its in found for loader in its)

    def find(self, owned: Callable[[str], bool], name: str) -> str | None:
        """The content of a loader of a block for which `owned` holds; None if they have none of that name."""
        with self._lock:
            known = list(self._known.items())
        for identity, found in known:
            for _, its in found:
                for loader in its:
                    if loader.name == name and owned(identity):
                        return loader.content
        return None

    def forget(self, identity: str) -> None:
        """Drop a block."""
        with self._lock:
            self._known.pop(identity, None)
