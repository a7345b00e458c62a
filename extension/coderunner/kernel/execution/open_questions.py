"""Questions that a kernel was asked and has not answered yet.

They have nothing to do with the cell that runs meanwhile: they travel on the control channel. Everything here
is in the I/O thread's loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from coderunner.errors import NotAnswered
from coderunner.kernel.protocol import lookups
from coderunner.kernel.protocol.messages import Message
from coderunner.kernel.protocol.questions import REPLY

IN_VAIN = 2.0
"""Seconds for an answer from when the kernel is done with the question: it comes by another way."""
UNHEARD = "the kernel does not answer questions: it has not been prepared for them, or another client got it"


REPLIES = frozenset({REPLY, "execute_reply", *lookups.REPLIES})


class Unheard(NotAnswered):
    """The kernel was asked and is done, and nothing came."""


class OpenQuestions:
    """Those of one kernel."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Future[Message]] = {}
        """By the id of the request: what is not answered yet."""

    @contextmanager
    def expecting(self, request: str) -> Iterator[asyncio.Future[Message]]:
        """The reply to a request, which is sent now; NotAnswered where it is known that none will come."""
        reply = self.open[request] = asyncio.get_running_loop().create_future()
        try:
            yield reply
        finally:
            self.open.pop(request)
            reply.cancel()

    def receive(self, message: Message) -> None:
        """Take a message of the kernel, whoever it is for."""
        reply = self.open.get(message.parent)
        if reply is None:
            return
        if message.type in REPLIES:
            if not reply.done():
                reply.set_result(message)
        elif message.channel == "iopub" and message.content.get("execution_state") == "idle":
            asyncio.get_running_loop().call_later(IN_VAIN, _fail, reply, Unheard(UNHEARD))

    def end(self, reason: str) -> None:
        """Nothing comes of them any more."""
        for reply in self.open.values():
            _fail(reply, NotAnswered(reason))


def _fail(reply: "asyncio.Future[Message]", error: NotAnswered) -> None:
    if not reply.done():
        reply.set_exception(error)
