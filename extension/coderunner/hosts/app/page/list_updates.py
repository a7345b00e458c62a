"""The list of conversations and its search, as each page shows them."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.page import conversation_list
from coderunner.runner import ConversationSummary
from coderunner.text import surrogates

Summaries = list[ConversationSummary]


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
        """The list that each page shows."""
        self._found: dict[str, tuple[str, Summaries, Summaries]] = {}
        """What each page searched last, among which conversations, and which it found."""

    async def update(self, identity: str, search: str | None, page: str) -> Any:  # noqa: ANN401 - Gradio's value for no change has no type
        """The list, where it is another one than the page shows.

        `identity` is the page's conversation as the page knows it: it may have gone to another one meanwhile,
        and the list that arrives last decides on its address.
        """
        search = surrogates.whole(search or "").strip()
        try:
            every = await self._archive.cards()
            found = await self._search(search, every, page) if search else every
            identity = self._current(page) or identity
            here = next((summary for summary in every if summary.id == identity), None)
            activities = self._conversations.activities()
            listed = conversation_list.listing(found, here, activities, searched=bool(search))
        except RecordsUnavailable as failure:
            listed = conversation_list.trouble(f"Conversations cannot be shown right now: {failure}.")
        if self._shown.get(page) == listed:
            return gr.skip()
        self._shown[page] = listed
        return listed

    def show_anew(self, page: str) -> None:
        """Give the page the list at the next update even where nothing is new in it."""
        self._shown.pop(page, None)

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._shown.pop(page, None)
        self._found.pop(page, None)

    async def _search(self, search: str, every: Summaries, page: str) -> Summaries:
        """Those that contain the words; all texts are read only when there may be something new to find."""
        if (last := self._found.get(page)) and last[:2] == (search, every):
            return last[2]
        found = await self._archive.cards(search)
        self._found[page] = (search, every, found)
        return found
