"""All conversations of the app."""

import asyncio
from collections.abc import Callable

from coderunner.hosts.app.conversation import PATIENCE, Answer, Approve, Conversation
from coderunner.hosts.app.repeat import Again, never
from coderunner.page.board import Board
from coderunner.secret import Secret


class Conversations:
    """The conversations of this app, by id. In memory: they end with the app."""

    def __init__(
        self,
        answer: Answer,
        approve: Callable[[], Approve],
        *,
        patience: float = PATIENCE,
        board: Board | None = None,
        again: Again = never,
    ) -> None:
        self._answer = answer
        self._approve = approve
        self._patience = patience
        self._board = board or Board()
        self._again = again
        self._all: dict[str, Conversation] = {}

    def new(self) -> Conversation:
        """Begin a conversation."""
        conversation = Conversation(
            self._answer,
            self._approve,
            patience=self._patience,
            board=self._board,
            again=self._again,
        )
        self._all[conversation.id] = conversation
        return conversation

    def find(self, identity: object) -> Conversation | None:
        """The conversation of that id."""
        return self._all.get(identity) if isinstance(identity, str) else None

    def get(self, identity: object) -> Conversation:
        """The conversation of that id; a new one where there is none, so that a stale page works on."""
        return self.find(identity) or self.new()

    def act(self, ticket: str, verb: str) -> bool:
        """Pass on what a button of a block says, to the conversation that knows its ticket."""
        return any(conversation.act(ticket, verb) for conversation in tuple(self._all.values()))

    def answer(self, ticket: str, text: Secret) -> bool:
        """Pass on what a person answers, to the conversation whose program asks."""
        return any(conversation.answer(ticket, text) for conversation in tuple(self._all.values()))

    async def close(self) -> None:
        """End all replies, bounded."""
        await asyncio.gather(*(conversation.close() for conversation in self._all.values()))
