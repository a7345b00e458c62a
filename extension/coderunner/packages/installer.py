"""Finds and installs packages for conversations, each into its own folder. May be used from any thread.

From our process and not from the kernel's, so that code in a sandbox needs no network for it.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from coderunner.errors import PackagesNotInstalled
from coderunner.packages import failures, places, sizes
from coderunner.packages.lock import NOTHING, Lock, Pin, read
from coderunner.packages.processes import Ran, Stopped, run
from coderunner.packages.requirements import name_of, requirements
from coderunner.packages.tools import NotFound, Run, Tool, index_of, tool
from coderunner.private_folders import make_private
from coderunner.settings.package_indexes import package_indexes

T = TypeVar("T")

LOCKS = ".locks"
"""The folder of what is installed where, beside the folders of the conversations."""
LOOKING, INSTALLING = 90.0, 1_800.0
"""Seconds for a tool to find packages, and to install them: a large one takes minutes on a slow line."""

NO_TOOL = "neither pip nor uv is there to install packages with; install one: python -m ensurepip"
STOPPED = "it was stopped; nothing was installed"


@dataclass(frozen=True, slots=True)
class Place:
    """Where packages of one conversation go, and for which interpreter."""

    label: str
    """Names the conversation in file names."""
    folder: Path
    """The kernel's own."""
    interpreter: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What is to be installed for what is wanted."""

    wanted: tuple[str, ...]
    pins: tuple[Pin, ...]
    """All of it, beside what the interpreter has."""
    new: tuple[Pin, ...]
    """Those that are not there yet, what is wanted itself first."""
    index: str
    modules: tuple[str, ...] = ()
    """The first names under which code imports what was installed anew."""

    @property
    def size(self) -> int | None:
        """Bytes of all files; None where one is not known."""
        known = [pin.size for pin in self.new]
        return None if None in known else sum(size for size in known if size is not None)


@dataclass(slots=True)
class Installer:
    """Finds and installs packages; one for the folders of a host."""

    root: Callable[[], Path]
    """The folder in which conversations have theirs."""
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _read: dict[str, tuple[int, tuple[Lock, frozenset[str]]]] = field(default_factory=dict)
    """What was read last, and when it was written."""

    # --- what is there ----------------------------------------------------------------------------

    def lock(self, label: str) -> Lock:
        """What is installed for a conversation."""
        return self._known(label)[0]

    def forget(self, label: str) -> None:
        """Remove what was installed for a conversation that is deleted."""
        with suppress(OSError):
            self._file(label).unlink()
            shutil.rmtree(self.root() / label / places.FOLDER, ignore_errors=True)

    def _file(self, label: str) -> Path:
        return self.root() / LOCKS / f"{label}.json"

    def _known(self, label: str) -> tuple[Lock, frozenset[str]]:
        """The lock, and the names that are in the folder for it."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            file = self._file(label)
            changed = file.stat().st_mtime_ns
            if (before := self._read.get(label)) is None or before[0] != changed:
                kept = json.loads(file.read_text(encoding="utf-8"))
                before = changed, (read(kept["lock"]), frozenset(map(str, kept["names"])))
                self._read[label] = before
            return before[1]
        return Lock(), frozenset()

    def _keep(self, label: str, lock: Lock, names: Sequence[str]) -> None:
        file = self._file(label)
        make_private(file.parent)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps({"lock": lock.text, "names": sorted(names)}), encoding="utf-8")
        new.replace(file)

    # --- what could be there ----------------------------------------------------------------------

    def find(
        self, place: Place, wanted: Sequence[str], *, stop: threading.Event | None = None, sized: bool = True
    ) -> Offer:
        """Find what is to be installed for what is wanted; raises PackagesNotInstalled with a sentence."""
        try:
            with places.staging(self.root()) as own:
                return self._find(place, wanted, own, stop or threading.Event(), sized=sized)
        except OSError as error:
            raise _failed(error, wanted) from error

    def _find(
        self, place: Place, wanted: Sequence[str], own: Path, stop: threading.Event, *, sized: bool
    ) -> Offer:
        wanted = requirements(" ".join(wanted))
        if not wanted:
            message = "no package is named"
            raise PackagesNotInstalled(message)
        lock, index = self.lock(place.label), index_of(package_indexes())

        def ran(command: Sequence[str]) -> Ran:
            return run(command, own, patience=LOOKING, stop=stop)

        pins = _resolved(_tool(), ran, place.interpreter, wanted, lock, own, index)
        had = {(pin.key, pin.version) for pin in lock.pins}
        new = [pin for pin in pins if (pin.key, pin.version) not in had]
        asked = {name_of(each) for each in wanted}
        new = sizes.described(new, asked) if sized else new
        new = sorted(new, key=lambda pin: (pin.key not in asked, pin.key))
        return Offer(wanted, tuple(pins), tuple(new), index)

    def install(
        self,
        place: Place,
        wanted: Sequence[str],
        *,
        tell: Callable[[str], None] = lambda _line: None,
        stop: threading.Event | None = None,
    ) -> Offer:
        """Install what is wanted into a conversation's folder; `tell` gets a line about each step.

        Raises PackagesNotInstalled with a sentence; then nothing has changed.
        """
        stop = stop or threading.Event()
        with self._guard:
            turn = self._locks.setdefault(place.label, threading.Lock())
        try:
            with turn, places.staging(self.root()) as own:
                tell(f"Looking for {', '.join(wanted)}")
                offer = self._find(place, wanted, own, stop, sized=False)
                if not offer.new:
                    return offer
                modules = self._install(place, offer, own, tell, stop)
                return replace(offer, modules=modules)
        except OSError as error:
            raise _failed(error, wanted) from error

    def _install(
        self, place: Place, offer: Offer, own: Path, tell: Callable[[str], None], stop: threading.Event
    ) -> tuple[str, ...]:
        before, ours = self._known(place.label)
        lock = before.with_(offer.wanted, offer.pins)
        file, target = own / "requirements.txt", own / places.NEW
        file.write_text(lock.text, encoding="utf-8")
        tell(f"Installing {', '.join(map(str, offer.new))}")
        command = _tool().install(place.interpreter, file, target)
        ran = _bounded(lambda: run(command, own, patience=INSTALLING, stop=stop, hear=_downloads(tell)))
        if not ran.well:
            raise PackagesNotInstalled(failures.why(ran.said, _all(offer.wanted), offer.index))
        make_private(place.folder)
        names, modules = [each.name for each in target.iterdir()], places.modules_of(target, offer.new)
        places.exchange(own, place.folder, ours=ours)
        self._keep(place.label, lock, names)
        return modules


def installed_for(root: Path, labels: Iterable[str]) -> Lock:
    """What is installed for the first of these conversations that has anything; `root` has their folders."""
    installer = Installer(lambda: root)
    return next(filter(None, map(installer.lock, sorted(labels))), NOTHING)


def _resolved(
    by: Tool, ran: Run, interpreter: str, wanted: Sequence[str], lock: Lock, own: Path, index: str
) -> list[Pin]:
    """All packages beside the interpreter's: what is installed already stays as it is where that goes."""
    anew = {name_of(each) for each in wanted}
    kept = [f"{pin.name}=={pin.version}" for pin in lock.pins if pin.key not in anew]
    try:
        try:
            return _bounded(lambda: by.find(ran, interpreter, [*wanted, *kept], own))
        except NotFound as error:
            if not kept or error.exists is not None:
                raise
            others = [each for each in lock.asked if name_of(each) not in anew]
            return _bounded(lambda: by.find(ran, interpreter, [*wanted, *others], own))
    except NotFound as error:
        what = _all(wanted)
        if error.exists is None or failures.network(error.said):
            sentence = failures.why(error.said, what, index)
        else:
            sentence = failures.no_version(what, index, exists=error.exists)
        raise PackagesNotInstalled(sentence) from None
    except (ValueError, KeyError, TypeError) as error:
        message = f"the answer of {by.name} cannot be read; update it and try again"
        raise PackagesNotInstalled(message) from error


def _bounded(work: Callable[[], T]) -> T:
    """Do it, unless somebody stops it."""
    try:
        return work()
    except Stopped:
        raise PackagesNotInstalled(STOPPED) from None


def _tool() -> Tool:
    if (found := tool(package_indexes())) is None:
        raise PackagesNotInstalled(NO_TOOL)
    return found


def _downloads(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tell what a tool says of its downloads."""

    def hear(line: str) -> None:
        if line.startswith("Downloading "):
            tell(line)

    return hear


def _all(wanted: Sequence[str]) -> str:
    return ", ".join(wanted)


def _failed(error: OSError, wanted: Sequence[str]) -> PackagesNotInstalled:
    return PackagesNotInstalled(failures.why(str(error), _all(wanted), ""))
