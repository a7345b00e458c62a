"""What stays as it is inside a folder that is shown: other things that are shown, hidden or never written."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # the import of typing takes as long as all the rest
    from collections.abc import Iterator

READ, WRITE, HIDDEN = "read", "write", "hidden"


class Kept:
    """Decides by paths alone; it looks at no disk."""

    def __init__(self, hidden: list[str], guarded: list[str]) -> None:
        """`hidden`: folders and files that nothing around them shows.

        `guarded`: what nothing makes writable: no grant around it, of itself or of what is in it.
        """
        self._hidden, self._guarded = set(hidden), set(guarded)
        self.shown: dict[str, bool] = {}
        """What is shown at its own path, and whether it can be written."""

    def add(self, guarded: list[str], hidden: list[str]) -> None:
        """Keep more, from now on."""
        self._guarded.update(guarded)
        self._hidden.update(hidden)

    def is_guarded(self, path: str) -> bool:
        """Whether it is or lies in what is guarded, and not in our own data there."""
        for each in _upwards(path):
            if each in self._guarded or each in self._hidden:
                return each in self._guarded
        return False

    def is_writable(self, path: str) -> bool:
        """Whether it is or lies in what is shown to be written."""
        return next((self.shown[each] for each in _upwards(path) if each in self.shown), False)

    def inside(self, path: str, *, writable: bool) -> list[tuple[str, str]]:
        """Return what to put inside a folder that is shown, and how, in this order.

        Where it can be written, the folders on the way to those are among them: what is a mount of its own
        cannot be renamed, and another folder put in its place.
        """
        within = path.rstrip("/") + "/"
        found = {each: HIDDEN for each in self._hidden if each.startswith(within)}
        found |= {
            each: READ
            for each in self._guarded
            if each.startswith(within) and not any(above in found for above in _upwards(each))
        }
        found |= {
            each: WRITE if written else READ
            for each, written in self.shown.items()
            if each.startswith(within)
        }
        steps = dict(found)
        for each in found:
            for above in _upwards(each):
                if not above.startswith(within):
                    break
                around = next((found[near] for near in _upwards(above) if near in found), "")
                if around == WRITE or (writable and not around):
                    steps.setdefault(above, WRITE)
        return sorted(steps.items(), key=lambda step: step[0].count("/"))


def _upwards(path: str) -> Iterator[str]:
    """A path and all that is above it, without the root."""
    while path:
        yield path
        path = path.rpartition("/")[0]
