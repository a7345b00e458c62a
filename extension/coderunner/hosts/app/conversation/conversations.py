"""All conversations of the app."""

import asyncio
import logging
from collections.abc import Callable

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.choices.choices import Approve
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import (
    PATIENCE,
    SAVE_INTERVAL,
    Activity,
    Conversation,
)
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_request import Answer
from coderunner.hosts.app.conversation.rerun import Again, never
from coderunner.hosts.app.conversation.transcript import save_nothing
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret import Secret

log = logging.getLogger(__name__)

IN_HAND = 64
"""Conversations at hand; beyond them those at rest are let go of, and read again when somebody asks."""


class Conversations:
    """The conversations of this app, by id: those in hand, and those that the archive has."""

    def __init__(
        self,
        answer: Answer,
        approve: Callable[[], Approve],
        *,
        patience: float = PATIENCE,
        save_interval: float = SAVE_INTERVAL,
        subscriptions: Subscriptions | None = None,
        again: Again = never,
        archive: Archive | None = None,
    ) -> None:
        """Without an `archive` they end with the app."""
        self._answer = answer
        self._approve = approve
        self._patience = patience
        self._save_interval = save_interval
        self._subscriptions = subscriptions or Subscriptions()
        self._again = again
        self._archive = archive
        self._all: dict[str, Conversation] = {}
        self._deleted: set[str] = set()
        """While one is being deleted a page that shows it may ask for it again."""

    def new(self, known: tuple[str, tuple[Message, ...]] | None = None) -> Conversation:
        """Begin a conversation; or take one in hand of which id and messages are known."""
        save = self._archive.keep if self._archive else save_nothing
        conversation = Conversation(
            self._answer,
            self._approve,
            patience=self._patience,
            save_interval=self._save_interval,
            subscriptions=self._subscriptions,
            again=self._again,
            save=save,
            known=known,
        )
        self._all[conversation.id] = conversation
        self._let_go()
        return conversation

    async def find(self, identity: object) -> Conversation | None:
        """The conversation of that id."""
        if not isinstance(identity, str) or not identity or identity in self._deleted:
            return None
        if identity not in self._all and self._archive:
            try:
                messages = await self._archive.find(identity)
            except RecordsUnavailable as failure:
                log.warning("%s", failure)
                return None
            if messages is None or identity in self._deleted:
                return None
            # Another page may have been quicker.
            return self._all.get(identity) or self.new((identity, messages))
        if known := self._all.pop(identity, None):
            self._all[identity] = known  # the last one that was asked for
        return known

    async def get(self, identity: object) -> Conversation:
        """The conversation of that id; a new one where there is none, so that a stale page works on."""
        return await self.find(identity) or self.new()

    async def delete(self, identity: str) -> None:
        """End what goes on in a conversation, bounded, and delete all that is known of it.

        Raises RecordsUnavailable.
        """
        self._deleted.add(identity)
        if conversation := self._all.pop(identity, None):
            await conversation.close()
            self._subscriptions.forget({block.id for block in message_parts.blocks(conversation.messages)})
        try:
            if self._archive:
                await self._archive.delete(identity)
        except RecordsUnavailable:
            self._deleted.discard(identity)
            raise

    def deleted(self, identity: str) -> bool:
        """Whether the conversation of that id was deleted here."""
        return identity in self._deleted

    def activities(self) -> dict[str, Activity]:
        """What goes on in the conversations in hand, by id, where something does."""
        return {each.id: each.activity for each in self._all.values() if each.activity}

    def act(self, ticket: str, verb: str) -> bool:
        """Pass on what a button of a block says, to the conversation that knows its ticket."""
        return any(conversation.act(ticket, verb) for conversation in tuple(self._all.values()))

    def answer(self, ticket: str, text: Secret) -> bool:
        """Pass on what a person answers, to the conversation whose program asks."""
        return any(conversation.answer(ticket, text) for conversation in tuple(self._all.values()))

    def said(self, reply: str) -> str | None:
        """The text of a reply of that name, in the conversations in hand."""
        messages = (message for each in self._all.values() for message in each.messages)
        return next((message.text for message in messages if reply and message.reply == reply), None)

    def _let_go(self) -> None:
        """Keep no more at hand than `IN_HAND`, beside those in which something goes on."""
        if not self._archive:
            return
        for conversation in tuple(self._all.values())[:-IN_HAND]:
            if conversation.at_rest:
                del self._all[conversation.id]
                self._subscriptions.forget(
                    {block.id for block in message_parts.blocks(conversation.messages)}
                )

    async def close(self) -> None:
        """End all replies, bounded."""
        await asyncio.gather(*(conversation.close() for conversation in self._all.values()))
