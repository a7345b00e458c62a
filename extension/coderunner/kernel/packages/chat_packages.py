"""The packages of conversations on this machine: offered, installed, told of. May be used from any thread."""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from coderunner.errors import CodeRunnerError, PackagesNotInstalled
from coderunner.kernel.execution.mended_cell import Mend
from coderunner.kernel.kernel_location import KernelLocation, Local
from coderunner.outputs import Refusal, Remedy, Result, Status
from coderunner.packages import offers
from coderunner.packages.installer import Installer, Offer, Place
from coderunner.packages.lock import Lock, Pin
from coderunner.packages.offers import ACCESS, Card, Packaging
from coderunner.packages.requirements import name_of, wanted
from coderunner.text.file_sizes import in_words
from coderunner.text.terminal_text import visible

log = logging.getLogger(__name__)

LONGEST = 160
"""Characters of what a package says of itself."""
MOST_LOOKS, MOST_NAMES = 30, 5
"""Offers of one conversation that are looked up by themselves, and names of one: what is asked goes out."""
ALREADY = "it is there already."
UNKNOWN = "An error in CodeRunner kept it from being looked up; its log says more."
ELSEWHERE = "the packages of a Jupyter server are its own; run `%pip install` in a block there"
NOT_HERE = (
    "a sandboxed program in a folder of yours sees none of CodeRunner's folders; install packages into the "
    "environment of its kernel yourself"
)
FAILED = f"{{what}} {offers.NOT_INSTALLED}: {{error}}"
DONE = f"{{what}} {offers.INSTALLED}; run the code again"
STALE = f"{{what}} {offers.INSTALLED}; restart the kernel to use it: {{modules}} imported before"
PATIENCE, MOST_ASKED = 2.0, 500
"""Seconds for a kernel to say what it has imported, and names that it is asked for."""
AT_ONCE = f"{{what}} {offers.INSTALLED} first"


class Asked(Protocol):
    """A kernel that answers questions."""

    def ask(
        self, question: str, arguments: Mapping[str, object], patience: float
    ) -> Coroutine[object, object, Mapping[str, object]]:
        """Ask it; raises NotAnswered."""


class ChatPackages:
    """What code of a conversation may import beside what the interpreter has."""

    def __init__(
        self,
        packaging: Packaging,
        root: Callable[[], Path],
        label: Callable[[str], str],
        place: Callable[[str, Local], Place],
        kernel: Callable[[str], Asked | None] = lambda _conversation: None,
    ) -> None:
        """`root` has the folders of all conversations; `label` names one, and `place` says where its go.

        `kernel` is who can be asked what is imported in a conversation.
        """
        self.packaging = packaging
        self._label, self._place_of, self._kernel = label, place, kernel
        self._installer = Installer(root)
        self._followers: list[Callable[[str], None]] = []
        self._lock = threading.Lock()
        self._cards: dict[tuple[str, str], Card] = {}
        self._looked: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(2, "coderunner-packages")

    # --- what a result lacks ----------------------------------------------------------------------

    def lacking(self, result: Result) -> tuple[Refusal, ...]:
        """What a cell lacked, as what is told below it."""
        return offers.lacking(result, self.packaging)

    def mender(self, conversation: str, where: Local) -> Mend | None:
        """What sees to the packages that cells of a conversation lack; None where somebody is to be asked."""
        return partial(self._mend, conversation, where) if self.packaging.mode == "auto" else None

    async def _mend(
        self, conversation: str, where: Local, result: Result, source: str
    ) -> tuple[Result, bool]:
        """Install what a cell lacked, where nobody is to be asked; the result says what came of it.

        True: the cell may run once more at once, since nothing but imports had run of it.
        """
        names = wanted(result.outputs) if result.status is Status.ERROR else ()
        if not names:
            return result, False
        try:
            offer = await self.install(conversation, where, names)
        except CodeRunnerError as error:
            return _with(result, FAILED.format(what=offers.in_words(names), error=error)), False
        what = offers.were(tuple(map(str, offer.new)) or names)
        if stale := await self.imported(conversation, offer):
            return _with(result, STALE.format(what=what, modules=offers.were(stale))), False
        at_once = bool(offer.new) and offers.begins_with_imports(source, result)
        return _with(result, (AT_ONCE if at_once else DONE).format(what=what)), at_once

    # --- installing -------------------------------------------------------------------------------

    async def install(
        self,
        conversation: str,
        where: KernelLocation,
        names: tuple[str, ...],
        tell: Callable[[str], None] = lambda _line: None,
    ) -> Offer:
        """Install for a conversation; raises PackagesNotInstalled with a sentence, and then nothing changed.

        `tell` gets a line about each step, in any thread. Cancelling stops it.
        """
        if not isinstance(where, Local):
            raise PackagesNotInstalled(ELSEWHERE)
        stop = threading.Event()
        with self._lock:
            self._cards.pop((conversation, " ".join(names)), None)

        def work() -> Offer:
            place = self._place(conversation, where)
            return self._installer.install(place, names, tell=tell, stop=stop)

        try:
            offer = await asyncio.to_thread(work)
        except asyncio.CancelledError:
            stop.set()
            raise
        self._tell(conversation)
        return offer

    async def imported(self, conversation: str, offer: Offer) -> tuple[str, ...]:
        """What was installed of which the kernel has imported another version: it keeps that one."""
        kernel = self._kernel(conversation)
        if kernel is None or not offer.modules:
            return ()
        try:
            answer = await kernel.ask("imported", {"names": offer.modules[:MOST_ASKED]}, PATIENCE)
        except CodeRunnerError:
            return ()  # no kernel, or none that can say so: then the block does
        names = answer.get("imported")
        return tuple(each for each in offer.modules if isinstance(names, list) and each in names)

    def card(self, conversation: str, where: KernelLocation, refusal: Refusal) -> Card | None:
        """What is said beside the offer to install; looked up in the background, and followers hear of it.

        None where that is no offer of packages here, or enough was looked up: code could ask for anything.
        """
        if refusal.remedy is not Remedy.INSTALL or not isinstance(where, Local):
            return None
        key = (conversation, refusal.grant)
        with self._lock:
            if key in self._cards:
                return self._cards[key]
            self._looked[conversation] += 1
            if self._looked[conversation] > MOST_LOOKS or len(refusal.grant.split()) > MOST_NAMES:
                return None
            self._cards[key] = Card()
        self._pool.submit(self._look_up, conversation, where, refusal)
        return self._cards[key]

    def _look_up(self, conversation: str, where: Local, refusal: Refusal) -> None:
        try:
            offer = self._installer.find(self._place(conversation, where), refusal.grant.split())
            card = card_of(offer)
        except (CodeRunnerError, OSError) as error:
            card = Card(trouble=f"{str(error)[:1].upper()}{str(error)[1:]}.")
        except Exception:
            log.exception("A package could not be looked up")
            card = Card(trouble=UNKNOWN)
        with self._lock:
            self._cards[conversation, refusal.grant] = card
        self._tell(conversation)

    def _tell(self, conversation: str) -> None:
        for hear in list(self._followers):
            hear(conversation)

    def _place(self, conversation: str, where: Local) -> Place:
        if where.directory and where.sandbox:
            raise PackagesNotInstalled(NOT_HERE)
        return self._place_of(conversation, where)

    def lock(self, conversation: str) -> Lock:
        """What is installed for a conversation. Looks at the disk."""
        return self._installer.lock(self._label(conversation))

    def installed(self, conversation: str, refusal: Refusal) -> bool:
        """Whether what a button installs has been by now."""
        there = {pin.key for pin in self.lock(conversation).pins} if refusal.access == ACCESS else set()
        return bool(there) and {name_of(each) for each in refusal.grant.split()} <= there

    def follow(self, hear: Callable[[str], None]) -> None:
        """Call `hear`, in any thread, with each conversation for which something was installed or found."""
        self._followers.append(hear)

    def forget(self, conversation: str) -> None:
        """Forget those of a conversation that is deleted."""
        self._installer.forget(self._label(conversation))
        with self._lock:
            self._looked.pop(conversation, None)
            self._cards = {key: card for key, card in self._cards.items() if key[0] != conversation}


def card_of(offer: Offer) -> Card:
    """What is said of an offer."""
    asked = {name_of(each) for each in offer.wanted}
    found = [pin for pin in offer.new if pin.key in asked]
    others = len(offer.new) - len(found)
    told = [f"with {others} more {'package' if others == 1 else 'packages'} that it needs"] if others else []
    told += [in_words(offer.size)] if offer.size else []
    told.append(f"from {offer.index}")
    more = f"{', '.join(told)}, into the folder of this chat alone." if found else ALREADY
    return Card(tuple(_words(pin) for pin in found), f"{more[:1].upper()}{more[1:]}")


def _words(pin: Pin) -> str:
    summary = " ".join(visible(pin.summary).split())[:LONGEST]
    return f"{pin}: {summary}" if summary else str(pin)


def _with(result: Result, detail: str) -> Result:
    return replace(result, detail="; ".join(filter(None, (result.detail, detail))))
