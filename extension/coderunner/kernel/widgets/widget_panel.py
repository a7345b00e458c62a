"""The widgets of one run, for pages that show them and for its record."""

import asyncio
import threading
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Protocol

from coderunner.kernel.background_tasks import attempt
from coderunner.kernel.widgets.binary_framing import pack
from coderunner.kernel.widgets.custom_messages import CustomMessage
from coderunner.kernel.widgets.nbextensions import MOST, Nbextensions, as_bytes, as_text, file_module, foreign
from coderunner.kernel.widgets.widget_models import (
    Path,
    State,
    WidgetModels,
    closed_in,
    kept,
    modules_of,
    said_in,
    unkept,
)

Hear = Callable[[bytes], None]
"""Takes a frame for a page; in a thread of ours, and returns at once."""

Told = tuple[str, State, Sequence[Sequence[str | int]], Sequence[bytes]]
"""A model as pages are told of it: its id, its state, where bytes go, and those."""

ROOTS = 1000
"""Widgets that one run shows by themselves; what more there are show as their text."""
EVERY = 2.0
"""Seconds between two times that states are saved: a slider that is moved changes them at once."""
LONGEST_NAME = 100
"""Characters of the name of a program that records keep."""
HEAVY = 500_000
"""Characters for which one more of these times is waited: an interactive chart has five million."""


class ModelAccess(Protocol):
    """Where a panel's models are, while their kernel lives; for callers in the I/O thread's loop."""

    widgets: WidgetModels
    modules: Nbextensions

    @property
    def live(self) -> bool:
        """The kernel can be reached."""

    @property
    def post(self) -> Callable[..., object]:
        """Has something done in the loop; returns at once, from any thread."""

    def take(self, panel: "WidgetPanel", frame: bytes) -> None:
        """Take what a page says."""


class WidgetPanel:
    """What the views of one run reach, and nothing else: all that its page gets to see and to change.

    `watch`, `leave` and `receive` may be called from any thread; the rest is the loop's.
    """

    def __init__(
        self,
        keep: Callable[[str], None] = lambda _text: None,
        keep_module: Callable[[str, str], None] = lambda _name, _text: None,
    ) -> None:
        """`keep` is given the states as nbformat has them, whenever they have changed, bounded.

        `keep_module` is given each program of theirs that is the kernel's, with its name, once.
        """
        self.request = ""
        """The id of the request that runs it."""
        self._keep = keep
        self._keep_module = keep_module
        self._lock = threading.Lock()
        self._access: ModelAccess | None = None
        self._hearing: dict[Hear, None] = {}
        self._roots: dict[str, None] = {}
        self._reach: tuple[int, frozenset[str]] = (-1, frozenset())
        self._closed: dict[str, None] = {}
        """Those of its widgets that a program closed: of them nothing is shown."""
        self._known: set[str] = set()
        self._told_modules: set[str] = set()
        self._files: set[str] = set()
        """What pages asked for of what lies beside the programs."""
        self._kept_modules: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._weight = 0
        """Characters that were written last."""
        self._last: Sequence[bytes] = ()
        """What there is to tell where the kernel is gone."""
        self._besides: Callable[[], Sequence[bytes]] = tuple

    # --- for pages ----------------------------------------------------------------------------------------

    def watch(self, hear: Hear) -> None:
        """Tell `hear` everything, and from now on what changes; again where it listens already."""
        with self._lock:
            self._hearing[hear] = None
            access = self._access
        if access is not None:
            access.post(self._tell_all, hear)
        for frame in self._last if access is None else ():
            hear(frame)

    def leave(self, hear: Hear) -> None:
        """Tell it no more."""
        with self._lock:
            self._hearing.pop(hear, None)

    def receive(self, frame: bytes) -> None:
        """Take what a page says; it reaches a model of this panel, or nothing."""
        with self._lock:
            access = self._access
        if access is not None:
            access.post(access.take, self, frame)

    # --- for the loop -------------------------------------------------------------------------------------

    def begin(self, access: ModelAccess, request: str) -> None:
        """The request of that id is about to be sent."""
        self.request = request
        with self._lock:
            self._access = access

    def end(self) -> None:
        """The kernel's models are gone: from now on there is their last state."""
        if self._access is None:
            return
        self._last = self._told(live=False)
        self.settle()
        with self._lock:
            self._access = None
        for frame in self._last:
            self.tell(frame)

    def show(self, identity: str) -> None:
        """The run shows a view of that model."""
        if self._access is not None and len(self._roots) < ROOTS:
            self._roots[identity] = None
            self._reach = (-1, frozenset())

    def tell_besides(self, told: Callable[[], Sequence[bytes]]) -> None:
        """Whoever begins to listen is told that, too."""
        self._besides = told

    def close(self, identity: str) -> None:
        """A program closed that model."""
        if identity in self._roots:
            self._closed[identity] = None
        self.changed()
        self.tell(_close(identity))

    @property
    def reach(self) -> frozenset[str]:
        """The models that its views reach now."""
        if self._access is None or not self._roots:
            return frozenset()
        version = self._access.widgets.version
        if self._reach[0] != version:
            self._reach = (version, frozenset(self._access.widgets.reach(self._roots)))
        return self._reach[1]

    def changed(self) -> None:
        """A state has changed: tell of models that are new here, and have it saved soon."""
        self.catch_up()
        if self._timer is None and self._roots:
            pause = EVERY * (1 + self._weight // HEAVY)
            self._timer = asyncio.get_running_loop().call_later(pause, self._write_soon)

    def catch_up(self) -> None:
        """Tell pages of models that are new here."""
        if self._hearing and (new := self.reach - self._known):
            self._known |= new
            for frame in self._new_modules():
                self.tell(frame)
            self.tell(_models(self._access, new, live=True, whole=False))
            for message in self._said(new):
                self.tell(said(message))

    def ask_for(self, name: str) -> None:
        """A page asks for a file that lies beside a program of one of its widgets."""
        module = file_module(name)
        if self._access is None or module is None or module not in self._folders() or len(self._files) > MOST:
            return
        self._files.add(name)
        self._told_modules.discard(name)
        self._access.modules.want([name])
        self.tell_module(name)

    def _folders(self) -> Set[str]:
        """Those in which its programs lie."""
        names = [name for name in self._modules() if foreign(name)]
        return {folder for name in names for folder in (name, name.rpartition("/")[2])}

    def tell_module(self, name: str) -> None:
        """A program of widgets is known by now: tell of it where it is of these, and have it saved."""
        if name in self._modules():
            for frame in self._new_modules() if self._hearing else ():
                self.tell(frame)
            self.changed()

    def tell(self, frame: bytes) -> None:
        """Give a frame to every page that shows it."""
        with self._lock:
            hearing = list(self._hearing)
        for hear in hearing:
            attempt("a widget update could not be sent to a page", hear, frame)

    def tell_all(self) -> None:
        """Tell everything anew to every page."""
        if self._hearing and self._roots:
            for frame in self._told():
                self.tell(frame)

    def settle(self) -> None:
        """Have what is not saved yet written at once."""
        if self._timer is not None:
            self._write(self._modules(), *self._models())

    def _write_soon(self) -> None:
        what = "widget states could not be saved"
        asyncio.get_running_loop().run_in_executor(
            None, attempt, what, self._write, self._modules(), *self._models()
        )

    def _modules(self) -> Mapping[str, bytes | None]:
        """The programs of its models that are the kernel's, as far as they are known by now."""
        if self._access is None:
            return {}
        widgets = self._access.widgets
        named = {name for each in self.reach for name in widgets[each].modules}
        return self._access.modules.of(named | self._files)

    def _new_modules(self) -> list[bytes]:
        """The parcels of those that its pages were not told."""
        new = {name: each for name, each in self._modules().items() if name not in self._told_modules}
        self._told_modules |= set(new)
        return [_module(name, each) for name, each in new.items()]

    def _models(self) -> tuple[Mapping[str, tuple[State, Mapping[Path, bytes]]], Sequence[CustomMessage]]:
        """The states as they are now, and what was said beside them."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._access is None:
            return {}, ()
        # Values of a state are replaced, never changed: a copy one deep stays as it is.
        widgets = self._access.widgets
        reached = widgets.reach(self._roots)
        return {each: _copy(widgets, each) for each in reached}, self._said(reached)

    def _said(self, identities: Collection[str]) -> Sequence[CustomMessage]:
        """What programs said to these models beside their states."""
        return self._access.widgets.said.of(identities) if self._access is not None else ()

    def _write(
        self,
        modules: Mapping[str, bytes | None],
        models: Mapping[str, tuple[State, Mapping[Path, bytes]]],
        messages: Sequence[CustomMessage],
    ) -> None:
        if models or self._closed:
            text = kept(models, list(self._closed), messages)
            self._weight = len(text)
            self._keep(text)
        for name, content in modules.items():
            if content is not None and name not in self._kept_modules and len(name) <= LONGEST_NAME:
                self._kept_modules.add(name)
                self._keep_module(name, as_text(content))

    def _tell_all(self, hear: Hear) -> None:
        if len(self._hearing) > 1:
            self.catch_up()
        for frame in self._told() if self._access is not None else self._last:
            hear(frame)

    def _told(self, *, live: bool = True) -> Sequence[bytes]:
        self._known, self._told_modules = set(self.reach), set()
        live = live and self._access is not None and self._access.live
        models = _models(self._access, self._known, live=live, whole=True)
        messages = map(said, self._said(self._known))
        return [*self._new_modules(), models, *messages, *map(_close, self._closed), *self._besides()]


def _copy(widgets: WidgetModels, identity: str) -> tuple[State, Mapping[Path, bytes]]:
    model = widgets[identity]
    return dict(model.state), dict(model.buffers)


def _models(access: ModelAccess | None, wanted: Set[str], *, live: bool, whole: bool) -> bytes:
    if access is None:
        return _whole([], live=False)
    models = []
    for identity in access.widgets.reach(wanted) if wanted else ():
        if identity in wanted:
            model = access.widgets[identity]
            models.append((identity, *model.part(model.sizes)))
    return _whole(models, live=live, whole=whole)


def _whole(
    models: Sequence[Told],
    *,
    live: bool,
    whole: bool = True,
) -> bytes:
    """The frame of some models; `whole`: these are all of a panel's, as they are now."""
    told = [{"id": identity, "state": state, "paths": paths} for identity, state, paths, _ in models]
    buffers = [each for *_, buffers in models for each in buffers]
    return pack({"t": "models", "live": live, "whole": whole, "models": told}, buffers)


def said(message: CustomMessage) -> bytes:
    """The frame of what a program said to a model beside its state."""
    head = {"t": "said", "id": message.identity, "number": message.number, "content": message.content}
    return pack({**head, "parent": message.parent}, message.buffers)


def _close(identity: str) -> bytes:
    """The frame that says of a model that it was closed."""
    return pack({"t": "close", "id": identity})


def _module(name: str, content: bytes | None) -> bytes:
    """The frame of a program of widgets; None: there is none of that name."""
    found = [] if content is None else [content]
    return pack({"t": "module", "name": name, "found": bool(found)}, found)


class SavedPanel:
    """A panel of which there is only what was saved."""

    def __init__(self, text: str, modules: Callable[[], Mapping[str, str]] = dict) -> None:
        """`text` is what a panel gave to be kept; `modules` gives its programs, and may take milliseconds."""
        self._text = text
        self._modules = modules

    def watch(self, hear: Hear) -> None:
        """Tell `hear` everything."""
        models = list(unkept(self._text))
        named = {name for _, state, *_ in models for name in modules_of(state) if foreign(name)}
        # Only then is there anything to look up, which the caller need not wait for.
        if named:
            threading.Thread(target=self._tell, args=(hear, models, named), daemon=True).start()
        else:
            self._tell_models(hear, models)

    def names(self) -> Collection[str]:
        """The ids of its models."""
        return frozenset(identity for identity, *_ in unkept(self._text))

    def said(self) -> Sequence[CustomMessage]:
        """What programs said to its models beside their states."""
        return said_in(self._text)

    def _tell(self, hear: Hear, models: Sequence[Told], named: Set[str]) -> None:
        found = self._modules()
        for name in {*named, *found}:
            hear(_module(name, as_bytes(found[name]) if name in found else None))
        self._tell_models(hear, models)

    def _tell_models(self, hear: Hear, models: Sequence[Told]) -> None:
        hear(_whole(models, live=False))
        for message in self.said():
            hear(said(message))
        for identity in closed_in(self._text):
            hear(_close(identity))

    def leave(self, hear: Hear) -> None:
        """Nothing more comes anyway."""

    def receive(self, frame: bytes) -> None:
        """There is no kernel that it could reach."""
