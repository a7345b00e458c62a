"""Stored conversations: how they are saved, and loaded after a restart of the app."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from coderunner.ending_sentences import REPLIES
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.conversation.message_parts import Message, Notice, Part, Prose, Thought
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, BlockPanel
from coderunner.runner import (
    ConversationList,
    ConversationSummary,
    Kind,
    MessagePart,
    Record,
    StoredConversation,
    StoredMessage,
    imported,
    panel_of,
    was_edited,
)
from coderunner.text.surrogates import whole

PanelOf = Callable[[Record], BlockPanel | None]
"""Gives the widgets of a run."""


class Archive:
    """The conversations in the database; methods that read it raise RecordsUnavailable."""

    def __init__(self, writer: ReplyWriter) -> None:
        self._writer = writer
        self._records = writer.records

    def keep(self, identity: str, messages: Sequence[Message]) -> None:
        """Save a conversation as it is now, its hidden versions included; returns at once."""
        self._records.conversations.keep(identity, kernel_label(identity), tuple(map(_stored, messages)))

    def trouble(self, identity: str) -> str:
        """What of a conversation is not saved, as a sentence; empty if all is."""
        return self._records.trouble(kernel_label(identity))

    async def find(self, identity: str) -> tuple[Message, ...] | None:
        """All messages of a conversation with the results of its blocks, its hidden versions included.

        Its kernel is found or replaced.
        """
        chat = await self.written(identity)
        if chat is None:
            return None
        session = self._writer.session(identity)
        if ran := [run for run in chat.records if run.started]:
            counts = [run.result.execution_count for run in ran if run.result and run.result.execution_count]
            session.resume((counts or [0])[-1])
        panel = partial(panel_of, session=session, records=self._records)
        return tuple(_message(chat, said, panel) for said in chat.versions)

    async def written(self, identity: str) -> StoredConversation | None:
        """A conversation as stored; None if there is none."""
        await self.settle()
        return await asyncio.to_thread(self._records.conversations.find, identity)

    async def search(self, words: str, most: int) -> list[ConversationSummary]:
        """The conversations with all these words, the newest first, `most` of them at most."""
        return await asyncio.to_thread(self._records.conversations.cards, words, most)

    async def listing(self, most: int, here: str = "") -> ConversationList:
        """The first `most` conversations, how many there are, and the one whose id is `here`."""
        return await asyncio.to_thread(self._records.conversations.listing, most, here)

    async def readable(self) -> bool:
        """Whether conversations can be read at the moment."""
        try:
            await self.listing(1)
        except RecordsUnavailable:
            return False
        return True

    async def settle(self) -> None:
        """Wait until everything is saved; bounded."""
        await asyncio.to_thread(self._records.settle)

    async def rename(self, identity: str, title: str) -> bool:
        """Rename a conversation; False if it does not exist."""
        return await asyncio.to_thread(self._records.conversations.rename, identity, whole(title))

    async def pin(self, identity: str, *, pinned: bool) -> bool:
        """Have a conversation stay at the top of the list, or no more; False if it does not exist."""
        return await asyncio.to_thread(self._records.conversations.pin, identity, pinned=pinned)

    async def untitled(self, identity: str) -> bool:
        """Whether a conversation still bears its first words as its title."""
        await self.settle()
        return await asyncio.to_thread(self._records.conversations.untitled, identity)

    async def entitle(self, identity: str, title: str) -> bool:
        """Give a conversation the model's title; False if it has one by now, or does not exist."""
        return await asyncio.to_thread(self._records.conversations.entitle, identity, whole(title))

    async def delete(self, identity: str) -> bool:
        """Delete a conversation with its kernel, runs and outputs; only while no reply is written."""
        await self._writer.end(identity)
        await self.settle()
        return await asyncio.to_thread(self._records.conversations.delete, identity)


def _stored(message: Message) -> StoredMessage:
    files = (MessagePart(Kind.FILE, file.path, size=file.size, facts=file.facts) for file in message.files)
    pieces = (*map(_piece, message.parts), *files)
    who = message.role, message.text, pieces, message.reply, message.finished
    return StoredMessage(*who, message.late, message.tokens, message.previous, message.shown)


def _piece(part: Part) -> MessagePart:
    match part:
        case Prose(text):
            return MessagePart(Kind.PROSE, text)
        case Thought(text):
            return MessagePart(Kind.THOUGHT, text)
        case Notice(text):
            return MessagePart(Kind.NOTICE, text)
        case Block(written, read=read, ordinal=ordinal, result=result):
            # Its outputs are stored with its run.
            return MessagePart(
                Kind.BLOCK, str(written), read, ordinal, result and replace(result, outputs=())
            )


def _message(chat: StoredConversation, said: StoredMessage, panel: PanelOf) -> Message:
    pieces = [piece for piece in said.pieces if piece.kind is not Kind.FILE]
    files = tuple(
        Attachment(piece.text, piece.size, piece.facts) for piece in said.pieces if piece.kind is Kind.FILE
    )
    parts: tuple[Part, ...] = tuple(_part(chat, said, piece, panel) for piece in pieces)
    if not said.finished:
        parts = (*parts, Notice(REPLIES["ended"]))
    return Message(
        said.role,
        said.text,
        parts,
        late=said.late,
        tokens=said.tokens,
        reply=said.reply,
        previous=said.previous,
        shown=said.shown,
        files=files,
    )


def _part(chat: StoredConversation, said: StoredMessage, piece: MessagePart, panel: PanelOf) -> Part:
    match piece.kind:
        case Kind.PROSE:
            return Prose(piece.text)
        case Kind.THOUGHT:
            return Thought(piece.text)
        case Kind.NOTICE:
            return Notice(piece.text)
        case _:
            return _block(chat, said, piece, panel)


def _block(chat: StoredConversation, said: StoredMessage, piece: MessagePart, panel: PanelOf) -> Block:
    """A block as its stored run says; the run may have ended after the reply was saved."""
    name = secrets.token_urlsafe(18)
    block = Block(piece.text, ticket=name, read=piece.read, ordinal=piece.ordinal, id=name)
    if piece.ordinal is None:
        return block_transitions.never_ran(block)
    runs = chat.runs(said, piece)
    if runs and was_edited(piece.read, block.code, runs[0].code):
        block = replace(block, first=f"{block.code}\n")
    if as_run := block_transitions.recalled(block, runs, panel):
        return replace(as_run, imported=imported(runs[0]))
    return block_transitions.ended(block, piece.end) if piece.end else block_transitions.never_ran(block)
