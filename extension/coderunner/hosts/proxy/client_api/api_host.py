"""How a request of any API gets to its reply: what the proxy gives to each API, and what each tells it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.types import Send

from coderunner.errors import CodeRunnerError, UnreadableJSON
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, Clues, wants_code_run
from coderunner.hosts.proxy.client_api.response_stream import Delivery, refuse
from coderunner.hosts.proxy.files.file_ids import FileId
from coderunner.hosts.proxy.files.sent_ids import with_contents
from coderunner.text import json_reader

Body = Mapping[str, object]

Deliver = Callable[[str, str, Mapping[str, str]], Delivery]
"""Makes what sends a reply to its client: by the reply's name, its conversation's, and headers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as one of chat completions."""

    chat: ChatRequest
    clues: Clues
    deliver: Deliver


class Api(Protocol):
    """One API: how its requests are read, and its replies written."""

    def reads(self, body: Body) -> bool:
        """Whether it is read here; all else is passed on."""

    async def read(self, request: Request, body: Body, send: Send) -> Asked:
        """Read a request. Raises CodeRunnerError where it cannot be answered as it is."""


@dataclass(frozen=True, slots=True)
class ApiHost:
    """The proxy, as an API needs it."""

    reply: Callable[[Request, Asked, bytes, Send], Awaitable[None]]
    """Answers a request with a reply."""
    passed: Callable[[Request, bytes, Send], Awaitable[None]]
    """Passes on what is not to be run here."""
    failed: Callable[[Request, CodeRunnerError], None]
    """Is told of a request that is refused."""
    owner_of: Callable[[Request], str]
    content: Callable[[str, FileId, int], Awaitable[bytes]]
    """Gives the content of an owner's file, of at most so many bytes. Raises FileError."""
    used: Callable[[str, str], Awaitable[None]]
    """Is told of an owner's conversation in which code ran, so that its container is known."""
    model: str
    """For requests that name none."""
    every: bool
    """Code of all models runs, not only of those that are marked."""
    runs: bool
    """Code is run at all."""

    async def serve(self, api: Api, request: Request, body: bytes, send: Send) -> None:
        """Answer a request of an API."""
        asked = _json(body) if self.runs else None
        ours = isinstance(asked, dict) and wants_code_run(asked, request.headers, every=self.every)
        if not isinstance(asked, dict) or not ours or not api.reads(asked):
            await self.passed(request, body, send)
            return
        try:
            owner = self.owner_of(request)
            asked = await with_contents(asked, lambda which, most: self.content(owner, which, most))
            wanted = await api.read(request, asked, send)
        except CodeRunnerError as refused:
            self.failed(request, refused)
            await refuse(refused, {})(request.scope, request.receive, send)
            return
        await self.reply(request, wanted, body, send)


def _json(body: bytes) -> object:
    try:
        return json_reader.loads(body)
    except UnreadableJSON:
        return None
