"""Stored conversations: how they are saved, and loaded after a restart of the app."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from coderunner.ending_sentences import REPLIES
from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.conversation.message_parts import Message, Notice, Part, Prose, Thought
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.page import block_transitions
from coderunner.page.block_state import Block, BlockPanel
from coderunner.runner import (
    ConversationSummary,
    Kind,
    MessagePart,
    Record,
    StoredConversation,
    StoredMessage,
    imported,
    panel_of,
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
        """Save a conversation as it is now; returns at once."""
        self._records.conversations.keep(identity, kernel_label(identity), tuple(map(_stored, messages)))

    def trouble(self, identity: str) -> str:
        """What of a conversation is not saved, as a sentence; empty if all is."""
        return self._records.trouble(kernel_label(identity))

    async def find(self, identity: str) -> tuple[Message, ...] | None:
        """The messages of a conversation with the results of its blocks; its kernel is found or replaced."""
        chat = await self.written(identity)
        if chat is None:
            return None
        session = self._writer.session(identity)
        if ran := [run for run in chat.records if run.started]:
            counts = [run.result.execution_count for run in ran if run.result and run.result.execution_count]
            session.resume((counts or [0])[-1])
        panel = partial(panel_of, session=session, records=self._records)
        return tuple(_message(chat, said, panel) for said in chat.sayings)

    async def written(self, identity: str) -> StoredConversation | None:
        """A conversation as stored; None if there is none."""
        await self.settle()
        return await asyncio.to_thread(self._records.conversations.find, identity)

    async def cards(self, search: str = "") -> list[ConversationSummary]:
        """The conversations for a list, the newest first."""
        return await asyncio.to_thread(self._records.conversations.cards, search)

    async def readable(self) -> bool:
        """Whether conversations can be read at the moment."""
        try:
            await self.cards()
        except RecordsUnavailable:
            return False
        return True

    async def settle(self) -> None:
        """Wait until everything is saved; bounded."""
        await asyncio.to_thread(self._records.settle)

    async def rename(self, identity: str, title: str) -> bool:
        """Rename a conversation; False if it does not exist."""
        return await asyncio.to_thread(self._records.conversations.rename, identity, whole(title))

    async def delete(self, identity: str) -> bool:
        """Delete a conversation with its kernel, runs and outputs; only while no reply is written."""
        await self._writer.end(identity)
        await self.settle()
        return await asyncio.to_thread(self._records.conversations.delete, identity)


def _stored(message: Message) -> StoredMessage:
    pieces = tuple(map(_piece, message.parts))
    who = message.role, message.text, pieces, message.reply, message.finished
    return StoredMessage(*who, message.late, message.tokens)


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
    parts: tuple[Part, ...] = tuple(_part(chat, said, piece, panel) for piece in said.pieces)
    if not said.finished:
        parts = (*parts, Notice(REPLIES["ended"]))
    return Message(said.role, said.text, parts, late=said.late, tokens=said.tokens, reply=said.reply)


def _part(chat: StoredConversation, said: StoredMessage, piece: MessagePart, panel: PanelOf) -> Part:
    match piece.kind:
        case Kind.PROSE:
            return Prose(piece.text)
        case Kind.THOUGHT:
            return Thought(piece.text)
        case Kind.NOTICE:
            return Notice(piece.text)
        case Kind.BLOCK:
            return _block(chat, said, piece, panel)


def _block(chat: StoredConversation, said: StoredMessage, piece: MessagePart, panel: PanelOf) -> Block:
    """A block as its stored run says; the run may have ended after the reply was saved."""
    name = secrets.token_urlsafe(18)
    block = Block(piece.text, ticket=name, read=piece.read, ordinal=piece.ordinal, id=name)
    if piece.ordinal is None:
        return block_transitions.never_ran(block)
    runs = chat.runs(said, piece)
    if as_run := block_transitions.recalled(block, runs, panel):
        return replace(as_run, imported=imported(runs[0]))
    return block_transitions.ended(block, piece.end) if piece.end else block_transitions.never_ran(block)
