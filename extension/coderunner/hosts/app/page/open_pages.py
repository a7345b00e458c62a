"""The open pages: which conversation each shows, and the updates of its reply."""

import contextlib
from collections.abc import AsyncGenerator
from time import monotonic
from typing import Any

import gradio as gr

from coderunner.hosts.app.conversation.conversation import KEEPALIVE, Conversation
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter
from coderunner.hosts.app.page.component_values import ComponentValues, earlier


class OpenPages:
    """What each page shows; a page is named by its Gradio session."""

    def __init__(self, conversations: Conversations, writer: ReplyWriter, values: ComponentValues) -> None:
        self._conversations = conversations
        self._writer = writer
        self._values = values
        self._current: dict[str, str] = {}
        """The conversation of each page, also before the page itself knows it."""
        self._versions: dict[str, tuple[str, int]] = {}
        """The conversation that each page shows, and the version of it."""
        self._earlier: dict[str, tuple[str, int]] = {}
        """The conversation that each page has opened, and how many of its messages are one piece there."""
        self._following: dict[tuple[str, str], bool] = {}
        """The pages that follow a reply, each with the conversation, whether they show it or not.

        True where that was asked for again meanwhile: by then the reply may be another one."""

    def current(self, page: str) -> str | None:
        """The id of the conversation that the page was given last."""
        return self._current.get(page)

    def give(self, page: str, conversation: Conversation) -> None:
        """The page belongs to this conversation from now on."""
        self._current[page] = conversation.id

    def show(self, page: str, conversation: Conversation) -> None:
        """The page opens the conversation as it is now."""
        self.give(page, conversation)
        self._earlier[page] = (conversation.id, earlier(conversation.messages))
        self._versions[page] = (conversation.id, conversation.version)
        if any(each == page for each, _ in self._following):
            # An update of the conversation before may be on its way: the next tick looks again.
            self._versions.pop(page)

    def values(self, page: str, conversation: Conversation) -> list[Any]:
        """For the page's chat, message box and id."""
        return self._values.conversation(conversation, self._whole(page, conversation))

    def _whole(self, page: str, conversation: Conversation) -> int:
        """How many messages are one piece on the page, since it has opened the conversation.

        It stays so while the conversation grows: what moves into another piece is drawn anew, frames too.
        """
        of, count = self._earlier.get(page, ("", 0))
        if of != conversation.id:
            return 0
        # What follows is written for the page: an edit may have taken some of the first ones away.
        least = min(count, max(0, len(conversation.messages) - 1))
        self._earlier[page] = (of, least)
        return least

    def outdated(self, page: str, conversation: Conversation) -> bool:
        """Whether the page has to be sent the conversation again; asked for once for each change."""
        behind = self.behind(page, conversation)
        self._versions[page] = (conversation.id, conversation.version)
        return behind

    def behind(self, page: str, conversation: Conversation) -> bool:
        """Whether the page shows an older version of the conversation, and follows no reply of it."""
        follows = (page, conversation.id) in self._following
        return not follows and self._versions.get(page) != (conversation.id, conversation.version)

    def leave(self, page: str) -> None:
        """The page is closed."""
        self._versions.pop(page, None)
        self._current.pop(page, None)
        self._earlier.pop(page, None)

    async def follow(self, page: str, conversation: Conversation) -> AsyncGenerator[list[Any]]:
        """Give the chat and the kernel's status while a reply is written; once for a page at a time.

        The reply goes on while the page shows another conversation.
        """
        key = (page, conversation.id)
        if key in self._following:
            self._following[key] = True
            return
        self._following[key] = True
        try:
            while self._following[key]:
                self._following[key] = False
                async with contextlib.aclosing(self._updates(page, conversation)) as updates:
                    async for update in updates:
                        yield update
        finally:
            del self._following[key]

    async def _updates(self, page: str, conversation: Conversation) -> AsyncGenerator[list[Any]]:
        """Give the messages and the kernel's status, whenever there is something new in them.

        The output of blocks reaches the page through a socket of its own. But Gradio notices that its page is
        gone only when it is given something, so now and then it is given what it has.
        """
        shown: object = None
        status: object = None
        since = 0.0
        async with contextlib.aclosing(conversation.follow()) as changes:
            async for _ in changes:
                # To ask for the status of a deleted one would begin a kernel session for it.
                gone = self._conversations.deleted(conversation.id)
                if gone or self._current.get(page) != conversation.id:
                    shown = status = None
                    yield [gr.skip(), gr.skip()]
                    continue
                self._versions[page] = (conversation.id, conversation.version)
                messages = self._values.message_parts(conversation, self._whole(page, conversation))
                now = self._writer.session(conversation.id).status
                if (messages, now) == (shown, status) and monotonic() - since < KEEPALIVE:
                    continue
                yield [
                    self._values.chat(messages),
                    gr.skip() if now == status else self._values.status(conversation),
                ]
                shown, status, since = messages, now, monotonic()
