"""The messages of one conversation: how they change, who is told, and when they are stored."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.message_parts import Message, Parts
from coderunner.page.block_state import Block
from coderunner.page.server.subscriptions import Subscriptions

Save = Callable[[str, Sequence[Message]], None]
"""Stores the messages of the conversation with an id, soon; returns at once."""


def save_nothing(_identity: str, _messages: Sequence[Message]) -> None:
    """Store nothing."""


class Transcript:
    """The messages of one conversation; used in its event loop only.

    Each change that a page can show raises `version`, sets `changed` and is sent to the pages that show the
    changed block.
    """

    def __init__(
        self,
        identity: str,
        messages: tuple[Message, ...],
        subscriptions: Subscriptions,
        save: Save = save_nothing,
    ) -> None:
        self.id = identity
        self.messages = messages
        self.version = 0
        self.changed = asyncio.Event()
        """Set at the next change; each change has an event of its own."""
        self.reply_text: Callable[[], str] | None = None
        """Gives the text of the reply so far, while one is being written."""
        self._subscriptions = subscriptions
        self._save = save
        self._saved_at = 0.0
        subscriptions.show(message_parts.blocks(messages), chat=identity)

    @property
    def parts(self) -> Parts:
        """The parts of the last message."""
        return self.messages[-1].parts if self.messages else ()

    @property
    def block_ticket(self) -> str:
        """The ticket of the block that the last message ends with, or ""."""
        return message_parts.ticket_of(self.parts)

    @property
    def watched(self) -> bool:
        """A page shows one of the blocks."""
        return self._subscriptions.watched(block.id for block in message_parts.blocks(self.messages))

    @property
    def unsaved_for(self) -> float:
        """Seconds since the messages were last stored."""
        return asyncio.get_running_loop().time() - self._saved_at

    def show(self, messages: tuple[Message, ...]) -> None:
        """Put these messages in place of the ones before."""
        before, self.messages = self.messages, messages
        self._subscriptions.show(message_parts.blocks(message_parts.changed(before, messages)), chat=self.id)
        self.version += 1
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def forget_blocks_gone_since(self, before: tuple[Message, ...]) -> None:
        """Show those blocks nowhere any more that were in the messages `before` and are not now."""
        self._subscriptions.forget(message_parts.gone(before, self.messages))

    def grow(self, parts: Parts, *, visible: bool = True) -> None:
        """Give the last message these parts; where the change is not `visible`, no page is told."""
        *before, last = self.messages
        messages = (*before, replace(last, parts=parts))
        if visible:
            self.show(messages)
        else:
            self._subscriptions.show(message_parts.blocks(messages[-1:]), chat=self.id, quietly=True)
            self.messages = messages

    def grow_block(self, grow: Callable[[Block], Block], *, visible: bool = True) -> None:
        """Change the block that the last message ends with."""
        self.grow(message_parts.grown(self.parts, grow), visible=visible)

    def change_block(self, ticket: str, change: Callable[[Block], Block]) -> None:
        """Change the block of a ticket, wherever it stands."""
        self.show(message_parts.with_block(self.messages, ticket, change))

    def count_tokens(self, tokens: int) -> None:
        """Note what the endpoint has counted for the last message so far."""
        *before, last = self.messages
        self.messages = (*before, replace(last, tokens=tokens))

    def add_late_results(self, late: str) -> None:
        """Have the model read `late` before the message that is being answered, now and in later turns."""
        *before, message, reply = self.messages
        self.show((*before, replace(message, late=message.late + late), reply))
        self.save()

    def runs(self, ticket: str) -> bool:
        """Whether the last message ends with a block of that ticket that can be stopped."""
        match self.parts:
            case (*_, Block() as block) if block.stoppable:
                return secrets.compare_digest(block.ticket, ticket)
            case _:
                return False

    def save(self) -> None:
        """Have the messages stored as they are now, with the text of the reply so far."""
        self._saved_at = asyncio.get_running_loop().time()
        *before, last = self.messages
        text = self.reply_text() if self.reply_text else last.text
        self._save(self.id, (*before, replace(last, text=text)))
