"""The list of conversations and its search, as each page shows them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import gradio as gr

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.page import conversation_list
from coderunner.hosts.app.page.html_fragments import mark as mark_of
from coderunner.runner import ConversationList, ConversationSummary
from coderunner.text import surrogates

Summaries = Sequence[ConversationSummary]


def zone_of(name: str) -> tzinfo | None:
    """The time zone of a name; None, which is that of this machine, where nobody knows it."""
    try:
        return ZoneInfo(name[:LONGEST_ZONE])
    except (ValueError, OSError, LookupError):
        return None


LONGEST_ZONE = 64
"""Characters of the name of a time zone; the longest one has 32."""


class ListUpdates:
    """What is new in the list, for each page by its Gradio session."""

    def __init__(
        self, conversations: Conversations, archive: Archive, current: Callable[[str], str | None]
    ) -> None:
        """`current`: the conversation that a page was given last."""
        self._conversations = conversations
        self._archive = archive
        self._current = current
        self._shown: dict[str, str] = {}
        """The mark of the list that each page was sent last."""
        self._found: dict[str, tuple[str, ConversationList, Summaries]] = {}
        """What each page searched last, in which list, and what it found."""
        self._zones: dict[str, tzinfo | None] = {}
        """The time zone of each page; None: that of this machine."""

    async def update(self, identity: str, search: str | None, page: str, mark: str = "") -> Any:  # noqa: ANN401 - Gradio's value for no change has no type
        """The list, where it is another one than the page shows.

        `identity` is the page's conversation as the page knows it: it may have gone to another one meanwhile,
        and the list that arrives last decides on its address. `mark`: that of the list which the page shows,
        where it says so: of two lists that are on their way, the older one may arrive last.
        """
        listed = await self._listed(identity, search, page)
        fresh = mark_of(listed)
        if self._shown.get(page) == fresh and mark in ("", fresh):
            return gr.skip()
        self._shown[page] = fresh
        return f'{listed}<i hidden data-cr-mark="{fresh}"></i>'

    async def is_new(self, identity: str, search: str, page: str, mark: str) -> bool:
        """Whether the list is another one than that with this mark."""
        return mark_of(await self._listed(identity, search, page)) != mark

    async def _listed(self, identity: str, search: str | None, page: str) -> str:
        """The list as the page is to show it."""
        search = surrogates.whole(search or "").strip()
        try:
            known = await self._archive.listing(conversation_list.LONGEST, self._current(page) or identity)
            found = await self._search(search, known, page) if search else None
            activities = self._conversations.activities()
            now = datetime.now(self._zones.get(page)).astimezone(self._zones.get(page))
            return conversation_list.listing(known, activities, now, found=found)
        except RecordsUnavailable as failure:
            return conversation_list.trouble(f"Conversations cannot be shown right now: {failure}.")

    def show_anew(self, page: str, zone: str | None = None) -> None:
        """Give the page the list at the next update even where nothing is new in it.

        `zone`: the name of the time zone of its browser.
        """
        self._shown.pop(page, None)
        self._found.pop(page, None)
        if zone is not None:
            self._zones[page] = zone_of(zone)

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._shown.pop(page, None)
        self._found.pop(page, None)
        self._zones.pop(page, None)

    async def _search(self, search: str, known: ConversationList, page: str) -> Summaries:
        """Those that contain the words; all texts are read only when there may be something new to find."""
        known = replace(known, here=None)
        if (last := self._found.get(page)) and last[:2] == (search, known):
            return last[2]
        found = await self._archive.search(search, conversation_list.LONGEST + 1)
        self._found[page] = (search, known, found)
        return found
