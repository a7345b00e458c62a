"""Links from a reply to the pages of its blocks; the records keep them, so every proxy there knows them.

A page is loaded without a key, so a link is the permission to see it: its name has 128 random bits, and it
expires with its owner's key or after `keep_days`, as an image's does. The records have its digest only.
"""

import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from secrets import token_hex

from coderunner.access.api_keys import ApiKeys
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.proxy.files.album import DAY, NAME
from coderunner.hosts.proxy.files.album_routes import LIVE
from coderunner.hosts.proxy.live.live_blocks import LiveBlocks, Place
from coderunner.hosts.proxy.live.live_words import words
from coderunner.runner import Ended, Records, Result, Started

log = logging.getLogger(__name__)

MOST_LATE = 200
"""Results that nobody has asked for yet whose links can be had."""
LINK = "live link"
"""In place of an owner's digest: it is found by whoever has its name."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is kept."""

    owner: str
    place: Place


@dataclass(frozen=True, slots=True)
class StoredLinks:
    """The links of all owners. Takes milliseconds; raises RecordsUnavailable where the records fail."""

    records: Records
    days: float
    """Days after which a link expires; 0: never."""
    clock: Callable[[], float] = time.time

    def put(self, link: Link) -> str:
        """Keep a new one; gives its name."""
        name = token_hex(16)
        kept = {"owner": link.owner, "made": self.clock(), **asdict(link.place)}
        self.records.note_response(_digest(name), LINK, json.dumps(kept))
        return name

    def find(self, name: str, api_keys: ApiKeys, asking: str | None) -> Link | None:
        """The link of that name if its owner still has a key; None if `asking` is another owner."""
        content = self.records.response(_digest(name), LINK) if NAME.fullmatch(name) else ""
        if not content:
            return None
        kept = json.loads(content)
        owner, made = kept.pop("owner"), kept.pop("made")
        if (self.days and self.clock() - made > self.days * DAY) or owner not in api_keys:
            return None
        return Link(owner, Place(**kept)) if asking in (None, owner) else None

    def drop(self, name: str) -> None:
        """Let one expire now."""
        self.records.delete_response(_digest(name), LINK)


def _digest(name: str) -> str:
    # The records have room for 64 characters.
    return f"live_{hashlib.sha256(name.encode()).hexdigest()[:48]}"


@dataclass(frozen=True, slots=True)
class LiveLinks:
    """The links of one reply."""

    stored: StoredLinks
    blocks: LiveBlocks
    owner: str
    conversation: str
    message: str
    address: str
    """Where browsers reach the proxy."""

    def of(self, ended: Ended, started: Started | None) -> str:
        """Markdown of the link to a block's page; empty where its outputs need none, or none can be kept.

        `started`: how it began, if it ran now. Takes milliseconds.
        """
        says = words(ended.result, goes_on=ended.running is not None)
        if not says:
            return ""
        place = Place(self.conversation, self.message, ended.ordinal)
        try:
            name = self.stored.put(Link(self.owner, place))
        except RecordsUnavailable as failure:
            log.warning("%s", failure)
            return ""
        if started is not None:
            self.blocks.hold(name, place, started.cell, started.panel, ended)
        return f"[{says}]({self.address}{LIVE}{name})"


class LateLinks:
    """Links to the pages of blocks that end after their deadline, for the reply that has their result.

    May be used from any thread.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[Result, int, LiveLinks]] = OrderedDict()
        """Results, each with the ordinal of its block and the links of the reply that this began in."""

    def expect(self, ended: Ended, links: LiveLinks) -> None:
        """Take a block at its end, if it runs on: its result comes later."""
        if ended.running is not None:
            ended.running.settled.add_done_callback(
                lambda done: self._note(done.result(), ended.ordinal, links)
            )

    def of(self, result: Result) -> str:
        """Markdown of the link to a late result's page, once; empty where none is. Takes milliseconds."""
        known, ordinal, links = self._known.pop(id(result), (None, 0, None))
        return links.of(Ended(result, ordinal), None) if links is not None and known is result else ""

    def _note(self, result: Result, ordinal: int, links: LiveLinks) -> None:
        self._known[id(result)] = result, ordinal, links
        if len(self._known) > MOST_LATE:
            self._known.popitem(last=False)


@dataclass(slots=True)
class PageLink:
    """The link of the block that ended last, and the pictures of its charts."""

    draw: Callable[[Result], Awaitable[Result]]
    """Gives a result with pictures of its charts."""
    result: Result | None = None
    markdown: str = ""
    drawn: Result | None = None

    async def receive(self, result: Result) -> Result:
        """Take the result of a block; gives it with pictures of its charts."""
        self.result, self.markdown, self.drawn = result, "", None
        self.drawn = await self.draw(result)
        return self.drawn

    def of(self, result: Result) -> str:
        """The link to the page of a result; empty where it is another block's, or needs none."""
        return self.markdown if result is self.result else ""

    def pictured(self, result: Result) -> Result:
        """A result with the pictures of its charts; as it is where it is another block's."""
        return self.drawn if result is self.result and self.drawn is not None else result


def below(pictures: Sequence[str], link: str) -> Sequence[str]:
    """The Markdown of a result's images, with a link below the last one; a picture each, as before."""
    return [*pictures[:-1], "\n\n".join([*pictures[-1:], link])] if link else pictures
