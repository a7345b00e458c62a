"""The messages of one conversation: how they change, who is told, and when they are stored."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.message_parts import Message, Parts
from coderunner.page.block_state import Block
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import message_tree

Save = Callable[[str, Sequence[Message]], None]
"""Stores all messages of the conversation with an id, by their numbers, soon; returns at once."""


def save_nothing(_identity: str, _messages: Sequence[Message]) -> None:
    """Store nothing."""


def parted(every: Sequence[Message]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Those of all messages that are shown, and the others."""
    shown = message_tree.path(every)
    hidden = frozenset(range(len(every))).difference(shown)
    return tuple(every[number] for number in shown), tuple(every[number] for number in sorted(hidden))


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
        """`messages`: all of them by their numbers, the hidden versions included."""
        self.id = identity
        numbered = [replace(message, number=number) for number, message in enumerate(messages)]
        self.messages, self._hidden = parted(numbered)
        self.version = 0
        self.changed = asyncio.Event()
        """Set at the next change; each change has an event of its own."""
        self.reply_text: Callable[[], str] | None = None
        """Gives the text of the reply so far, while one is being written."""
        self._subscriptions = subscriptions
        self._save = save
        self._saved_at = 0.0
        subscriptions.show(message_parts.blocks(self.messages), chat=identity)

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

    @property
    def versions(self) -> Mapping[int, Sequence[int]]:
        """The versions of each message by its number; empty where each has only one."""
        return message_tree.versions_of(self._every(self.messages)) if self._hidden else {}

    def begin(self, messages: tuple[Message, ...]) -> None:
        """Show these messages; those without a number are new.

        What stood in the place of the new ones is hidden, as a version of them.
        """
        kept = tuple(message for message in messages if message.number is not None)
        if after := self.messages[len(kept) :]:
            self._hidden = (*self._hidden, replace(after[0], shown=False), *after[1:])
        number, last = len(kept) + len(self._hidden), kept[-1].number if kept else message_tree.ROOT
        new = []
        for message in messages[len(kept) :]:
            new.append(replace(message, number=number, previous=last))
            number, last = number + 1, number
        self._show_instead((*kept, *new))

    def switch(self, number: int) -> bool:
        """Show the message of a number and what follows it, in place of its other versions.

        False where there is none of that number, or where it is shown.
        """
        every = self._every(self.messages)
        if not 0 <= number < len(every) or any(message.number == number for message in self.messages):
            return False
        for each, shown in message_tree.changes(every, number).items():
            every[each] = replace(every[each], shown=shown)
        messages, self._hidden = parted(every)
        self._show_instead(messages)
        return True

    def _every(self, messages: tuple[Message, ...]) -> list[Message]:
        """All messages by their numbers: these, and the hidden ones."""
        every = [*messages, *self._hidden]
        return sorted(every, key=lambda message: message.number or 0) if self._hidden else every

    def _show_instead(self, messages: tuple[Message, ...]) -> None:
        before = self.messages
        self.show(messages)
        self.forget_blocks_gone_since(before)

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
        """Change the block of a ticket, wherever it stands; no page is told of a hidden one."""
        self.show(message_parts.with_block(self.messages, ticket, change))
        self._hidden = message_parts.with_block(self._hidden, ticket, change)

    def count_tokens(self, tokens: int) -> None:
        """Note what the endpoint has counted for the last message so far."""
        *before, last = self.messages
        self.messages = (*before, replace(last, tokens=tokens))

    def add_late_results(self, late: str) -> None:
        """Have the model read `late` before the message that is being answered, now and in later turns."""
        *before, message, reply = self.messages
        self.show((*before, replace(message, late=message.late + late), reply))
        self.save()

    def note_files(self, files: tuple[Attachment, ...]) -> None:
        """Note what a look into the files of the message that is being answered has found."""
        *before, message, reply = self.messages
        self.messages = (*before, replace(message, files=files), reply)
        self.save()

    def save(self) -> None:
        """Have the messages stored as they are now, with the text of the reply so far."""
        self._saved_at = asyncio.get_running_loop().time()
        *before, last = self.messages
        text = self.reply_text() if self.reply_text else last.text
        self._save(self.id, self._every((*before, replace(last, text=text))))
