"""A reply that somebody wants, and who writes it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from coderunner.endings import how_a_reply_ended
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.runner import Event, Question, Run
from coderunner.secret import Secret


@dataclass(slots=True)
class ReplyRequest:
    """A reply that somebody wants: what it is made of, and the ways in which it reports."""

    conversation: str
    history: Sequence[Message]
    """All messages before the reply; the last one is the user's."""
    consent: Callable[[Run], Future[bool]]
    ask: Callable[[Question], Future[Secret]]
    think: Callable[[str], None]
    count: Callable[[int], None]
    """Takes the number of tokens so far."""
    remember: Callable[[str], None] = lambda _late: None
    """Takes results that came late: the model reads them before the user's message, now and later."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    """Why it is stopped, where it is; as `endings.REPLIES` has it."""
    message: str = field(default_factory=lambda: secrets.token_hex(16))
    """Names the reply; one that is written anew is another."""
    reply: Callable[[], str] = str
    """Gives the reply's text so far, as the model gets it in later turns; put together when it is wanted."""
    answered: Callable[[], bool] = bool
    """Whether it says anything yet that a person could read and that is no thought."""
    finish_reason: str = ""
    """Why its model wrote no more, as the endpoint says it; "" where it does not, or was not let finish."""
    finished: Literal["end", "stop", "limit", ""] = ""
    """How the reply came to its end; "" while it has not."""

    def end(self, why: str) -> None:
        """Have it end early; the first reason counts."""
        self.why = self.why or why
        self.stop.set()

    def last_word(self) -> str:
        """What is said below the reply; a limit that it came to has said so in it."""
        if self.finished == "limit":
            return ""
        stopped = self.finished != "end" and self.stop.is_set()
        return how_a_reply_ended(self.why if stopped else self.finish_reason, empty=not self.answered())


Answer = Callable[[ReplyRequest], AsyncGenerator[Event]]
"""Writes a reply; raises CodeRunnerError with a sentence for a person."""
