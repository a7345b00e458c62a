"""A reply that somebody wants, and who writes it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from coderunner.hosts.app.transcript import Message
from coderunner.runner import Event, Question, Run
from coderunner.secret import Secret


@dataclass(slots=True)
class Request:
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
    message: str = field(default_factory=lambda: secrets.token_hex(16))
    """Names the reply; one that is written anew is another."""
    reply: str = ""
    """The reply's text so far, as the model gets it in later turns."""


Answer = Callable[[Request], AsyncGenerator[Event]]
"""Writes a reply; raises CodeRunnerError with a sentence for a person."""
