"""The request for a reply, from a conversation to the writer."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from coderunner.ending_sentences import how_a_reply_ended
from coderunner.hosts.app.attachments.attachment import Attachment
from coderunner.hosts.app.conversation.message_parts import Message
from coderunner.runner import Event, Question, Run
from coderunner.secret_value import Secret


@dataclass(slots=True)
class ReplyRequest:
    """A reply to write: its history, and the callbacks of its writer."""

    conversation: str
    history: Sequence[Message]
    """All messages before the reply; the last one is the user's."""
    consent: Callable[[Run], Future[bool]]
    off: Callable[[], bool]
    """Whether running code is turned off."""
    ask: Callable[[Question], Future[Secret]]
    think: Callable[[str], None]
    count: Callable[[int], None]
    """Called with the number of tokens so far."""
    edited: Callable[[Run], str] = lambda _run: ""
    """Gives the code that the person put in place of a cell's before it ran; empty if unchanged."""
    remember: Callable[[str], None] = lambda _late: None
    """Called with late results: the model reads them before the user's message, now and in later turns."""
    note_files: Callable[[tuple[Attachment, ...]], None] = lambda _files: None
    """Called with the files of the user's message once somebody has looked into them."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    """Why it is stopped, if it is; a key of `ending_sentences.REPLIES`."""
    message: str = field(default_factory=lambda: secrets.token_hex(16))
    """The id of the reply; a retry has another one."""
    reply: Callable[[], str] = str
    """Gives the text so far, as the model gets it in later turns."""
    answered: Callable[[], bool] = bool
    """Whether it contains visible text yet, thoughts aside."""
    finish_reason: str = ""
    """The endpoint's finish reason; "" if it gives none, or if the model was stopped."""
    finished: Literal["end", "stop", "limit", ""] = ""
    """How the reply ended; "" until then."""

    def end(self, why: str) -> None:
        """Stop it early; the first reason counts."""
        self.why = self.why or why
        self.stop.set()

    def last_word(self) -> str:
        """The sentence below the reply; a limit that was reached is already mentioned in it."""
        if self.finished == "limit":
            return ""
        stopped = self.finished != "end" and self.stop.is_set()
        return how_a_reply_ended(self.why if stopped else self.finish_reason, empty=not self.answered())


Answer = Callable[[ReplyRequest], AsyncGenerator[Event]]
"""Writes a reply; raises CodeRunnerError with a sentence for a person."""
