"""The widgets of one run, for pages that show them and for its record."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Protocol

from coderunner.kernel.parcel import pack
from coderunner.kernel.widgets import Path, State, Widgets, kept, unkept

Hear = Callable[[bytes], None]
"""Takes a parcel for a page; in a thread of ours, and returns at once."""

ROOTS = 1000
"""Widgets that one run shows by themselves; what more there are show as their text."""
EVERY = 2.0
"""Seconds between two times that states are written down: a slider that is moved changes them at once."""
HEAVY = 500_000
"""Characters for which one more of these times is waited: an interactive chart has five million."""


class Desk(Protocol):
    """Where a panel's models are, while their kernel lives; for callers in the portal's loop."""

    widgets: Widgets

    @property
    def live(self) -> bool:
        """The kernel can be reached."""

    @property
    def post(self) -> Callable[..., object]:
        """Has something done in the loop; returns at once, from any thread."""

    def take(self, panel: "Panel", parcel: bytes) -> None:
        """Take what a page says."""


class Panel:
    """What the views of one run reach, and nothing else: all that its page gets to see and to change.

    `watch`, `leave` and `receive` may be called from any thread; the rest is the loop's.
    """

    def __init__(self, keep: Callable[[str], None] = lambda _text: None) -> None:
        """`keep` is given the states as nbformat has them, whenever they have changed, bounded."""
        self.request = ""
        """The id of the request that runs it."""
        self._keep = keep
        self._lock = threading.Lock()
        self._desk: Desk | None = None
        self._hearing: dict[Hear, None] = {}
        self._roots: dict[str, None] = {}
        self._reach: tuple[int, frozenset[str]] = (-1, frozenset())
        self._known: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._weight = 0
        """Characters that were written last."""
        self._last = b""
        """What there is to tell where the kernel is gone."""

    # --- for pages ----------------------------------------------------------------------------------------

    def watch(self, hear: Hear) -> None:
        """Tell `hear` everything, and from now on what changes; again where it listens already."""
        with self._lock:
            self._hearing[hear] = None
            desk = self._desk
        if desk is not None:
            desk.post(self._tell_all, hear)
        elif self._last:
            hear(self._last)

    def leave(self, hear: Hear) -> None:
        """Tell it no more."""
        with self._lock:
            self._hearing.pop(hear, None)

    def receive(self, parcel: bytes) -> None:
        """Take what a page says; it reaches a model of this panel, or nothing."""
        with self._lock:
            desk = self._desk
        if desk is not None:
            desk.post(desk.take, self, parcel)

    # --- for the loop -------------------------------------------------------------------------------------

    def begin(self, desk: Desk, request: str) -> None:
        """The request of that id is about to be sent."""
        self.request = request
        with self._lock:
            self._desk = desk

    def end(self) -> None:
        """The kernel's models are gone: from now on there is their last state."""
        if self._desk is None:
            return
        self._last = self._told(live=False)
        self.settle()
        with self._lock:
            self._desk = None
        self.tell(self._last)

    def show(self, identity: str) -> None:
        """The run shows a view of that model."""
        if self._desk is not None and len(self._roots) < ROOTS:
            self._roots[identity] = None
            self._reach = (-1, frozenset())

    @property
    def reach(self) -> frozenset[str]:
        """The models that its views reach now."""
        if self._desk is None or not self._roots:
            return frozenset()
        version = self._desk.widgets.version
        if self._reach[0] != version:
            self._reach = (version, frozenset(self._desk.widgets.reach(self._roots)))
        return self._reach[1]

    def changed(self) -> None:
        """A state has changed: tell of models that are new here, and have it written down soon."""
        self.catch_up()
        if self._timer is None and self._roots:
            pause = EVERY * (1 + self._weight // HEAVY)
            self._timer = asyncio.get_running_loop().call_later(pause, self._write_soon)

    def catch_up(self) -> None:
        """Tell pages of models that are new here."""
        if self._hearing and (new := self.reach - self._known):
            self._known |= new
            self.tell(_models(self._desk, new, live=True, whole=False))

    def tell(self, parcel: bytes) -> None:
        """Give a parcel to every page that shows it."""
        with self._lock:
            hearing = list(self._hearing)
        for hear in hearing:
            hear(parcel)

    def tell_all(self) -> None:
        """Tell everything anew to every page."""
        if self._hearing and self._roots:
            self.tell(self._told())

    def settle(self) -> None:
        """Have what is not written down yet written at once."""
        if self._timer is not None:
            self._write(self._models())

    def _write_soon(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._write, self._models())

    def _models(self) -> Mapping[str, tuple[State, Mapping[Path, bytes]]]:
        """The states as they are now."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._desk is None:
            return {}
        # Values of a state are replaced, never changed: a copy one deep stays as it is.
        widgets = self._desk.widgets
        return {each: _copy(widgets, each) for each in widgets.reach(self._roots)}

    def _write(self, models: Mapping[str, tuple[State, Mapping[Path, bytes]]]) -> None:
        if models:
            text = kept(models)
            self._weight = len(text)
            self._keep(text)

    def _tell_all(self, hear: Hear) -> None:
        if len(self._hearing) > 1:
            self.catch_up()
        hear(self._told() if self._desk is not None else self._last)

    def _told(self, *, live: bool = True) -> bytes:
        self._known = set(self.reach)
        live = live and self._desk is not None and self._desk.live
        return _models(self._desk, self._known, live=live, whole=True)


def _copy(widgets: Widgets, identity: str) -> tuple[State, Mapping[Path, bytes]]:
    model = widgets[identity]
    return dict(model.state), dict(model.buffers)


def _models(desk: Desk | None, wanted: Set[str], *, live: bool, whole: bool) -> bytes:
    if desk is None:
        return _whole([], live=False)
    models = []
    for identity in desk.widgets.reach(wanted) if wanted else ():
        if identity in wanted:
            model = desk.widgets[identity]
            models.append((identity, *model.part(model.sizes)))
    return _whole(models, live=live, whole=whole)


def _whole(
    models: Sequence[tuple[str, State, Sequence[Sequence[str | int]], Sequence[bytes]]],
    *,
    live: bool,
    whole: bool = True,
) -> bytes:
    """The parcel of some models; `whole`: these are all of a panel's, as they are now."""
    told = [{"id": identity, "state": state, "paths": paths} for identity, state, paths, _ in models]
    buffers = [each for *_, buffers in models for each in buffers]
    return pack({"t": "models", "live": live, "whole": whole, "models": told}, buffers)


class Kept:
    """A panel of which there is only what was written down."""

    def __init__(self, text: str) -> None:
        """`text` is what a panel gave to be kept."""
        self._text = text

    def watch(self, hear: Hear) -> None:
        """Tell `hear` everything."""
        hear(_whole(list(unkept(self._text)), live=False))

    def leave(self, hear: Hear) -> None:
        """Nothing more comes anyway."""

    def receive(self, parcel: bytes) -> None:
        """There is no kernel that it could reach."""
