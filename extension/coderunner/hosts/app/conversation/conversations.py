"""All conversations of the app."""

import asyncio
import logging
from collections.abc import Callable

from coderunner.errors import RecordsUnavailable
from coderunner.hosts.app.choices.choices import Approve
from coderunner.hosts.app.conversation import message_parts
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import PATIENCE, SAVE_INTERVAL, Activity, Conversation
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.hosts.app.conversation.reply_request import Answer
from coderunner.hosts.app.conversation.rerun import Again, never
from coderunner.hosts.app.conversation.transcript import save_nothing
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)

MOST_IN_MEMORY = 64
"""The most conversations in memory; beyond that, idle ones are dropped and loaded again on demand."""


class Conversations:
    """The conversations of the app, by id: those in memory, and those in the archive."""

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
        told: Callable[[Conversation], None] = lambda _: None,
    ) -> None:
        """Without an `archive` they are lost when the app stops.

        `told` is called when a reply has begun, and when it has ended.
        """
        self._told = told
        self._answer = answer
        self._approve = approve
        self._patience = patience
        self._save_interval = save_interval
        self._subscriptions = subscriptions or Subscriptions()
        self._again = again
        self._archive = archive
        self._all: dict[str, Conversation] = {}
        self._deleted: set[str] = set()
        """Deleted ids: a page that still shows one may ask for it again."""

    def new(self, known: tuple[str, tuple[Message, ...]] | None = None) -> Conversation:
        """Begin a conversation, or load one whose id and messages are known."""
        save = self._archive.keep if self._archive else save_nothing
        conversation = Conversation(
            self._answer,
            self._approve,
            patience=self._patience,
            save_interval=self._save_interval,
            subscriptions=self._subscriptions,
            again=self._again,
            told=self._told,
            save=save,
            known=known,
        )
        self._all[conversation.id] = conversation
        self._drop_idle()
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
            # Another page may have loaded it meanwhile.
            return self._all.get(identity) or self.new((identity, messages))
        if known := self._all.pop(identity, None):
            self._all[identity] = known  # moved to the end: the last one used
        return known

    async def get(self, identity: object) -> Conversation:
        """The conversation of that id, or a new one, so that an outdated page keeps working."""
        return await self.find(identity) or self.new()

    async def delete(self, identity: str) -> None:
        """Stop everything in a conversation, bounded, and delete it.

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
        """Whether the conversation of that id was deleted."""
        return identity in self._deleted

    def activities(self) -> dict[str, Activity]:
        """The activity of the conversations in memory, by id, where there is any."""
        return {each.id: each.activity for each in self._all.values() if each.activity}

    def act(self, ticket: str, verb: str) -> bool:
        """Pass a block's button to the conversation that has its ticket."""
        return any(conversation.act(ticket, verb) for conversation in tuple(self._all.values()))

    def run_edited(self, ticket: str, verb: str, source: str) -> bool:
        """Pass edited code to the conversation that has its block."""
        return any(each.run_edited(ticket, verb, source) for each in tuple(self._all.values()))

    def answer(self, ticket: str, text: Secret) -> bool:
        """Pass a person's answer to the conversation whose program asks."""
        return any(conversation.answer(ticket, text) for conversation in tuple(self._all.values()))

    def of_ticket(self, ticket: str) -> Conversation | None:
        """The conversation in memory that has the block of that ticket."""
        return next((each for each in self._all.values() if each.has(ticket)), None)

    def said(self, reply: str) -> str | None:
        """The text of a reply by its id, in the conversations in memory."""
        messages = (message for each in self._all.values() for message in each.messages)
        return next((message.text for message in messages if reply and message.reply == reply), None)

    def _drop_idle(self) -> None:
        """Drop idle conversations beyond `MOST_IN_MEMORY`."""
        if not self._archive:
            return
        for conversation in tuple(self._all.values())[:-MOST_IN_MEMORY]:
            if conversation.at_rest:
                del self._all[conversation.id]
                self._subscriptions.forget(
                    {block.id for block in message_parts.blocks(conversation.messages)}
                )

    async def close(self) -> None:
        """Stop all replies, bounded."""
        await asyncio.gather(*(conversation.close() for conversation in self._all.values()))
