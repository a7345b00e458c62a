"""What the blocks of a conversation have loaded before one of them. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coderunner.page.html.active_output import ActiveOutput
from coderunner.page.html.output_html import Drawn
from coderunner.page.loaders.loaders_of_output import Loader

MOST = 40
"""Loaders that a frame gets; a notebook has a handful."""
WHOLE = 32_000_000
"""Characters of them: some libraries of charts have five million."""

OMITTED = (
    f"Scripts that earlier blocks loaded are left out, those of the longest ago: a block takes {MOST} of "
    f"them, of {WHOLE // 1_000_000} MB together. If something is missing here, load it again in this block."
)

_ACTS = re.compile(r"<script[\s>]|\son[a-z]{3,20}\s{0,9}=", re.IGNORECASE)
_SCRIPTS = re.compile(r"application/(?:javascript|vnd\.\w+_(?:load|exec)\.v0\+json)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a block's frame runs before its own output."""

    loaders: tuple[Loader, ...] = ()
    """In the order in which they were first loaded."""
    omitted: bool = False
    """There were more than a frame takes."""


NOTHING = Loaded()


def uses_scripts(pieces: Iterable[Drawn]) -> bool:
    """Whether one of the outputs has a script that may need what was loaded before."""
    return any(isinstance(piece, ActiveOutput) and _uses(piece) for piece in pieces)


def _uses(piece: ActiveOutput) -> bool:
    if piece.kind == "text/html":
        return isinstance(piece.data, str) and bool(_ACTS.search(piece.data))
    return bool(_SCRIPTS.fullmatch(piece.kind))


def loaded(earlier: Iterable[Sequence[Loader]], own: Iterable[Loader]) -> Loaded:
    """What the outputs of earlier blocks loaded, in order, without what a block loads itself.

    What is loaded twice is there once. Where it is too much, those stay that were loaded last.
    """
    brought = {each.name for each in own}
    every = [each for its in earlier for each in its if each.name not in brought]
    latest = list({each.name: each for each in reversed(every)}.values())
    kept: dict[str, Loader] = {}
    room = WHOLE
    for each in latest[:MOST]:
        if each.size <= room:
            kept[each.name] = each
            room -= each.size
    first = {each.name: kept[each.name] for each in every if each.name in kept}
    return Loaded(tuple(first.values()), len(first) < len(latest))
