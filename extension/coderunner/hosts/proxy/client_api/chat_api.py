"""Chat completions, the API that all others are translated to."""

import asyncio
import secrets
import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Send

from coderunner.hosts.proxy.client_api.api_host import ApiHost, Asked, Body
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, Clues, read, reads, with_files
from coderunner.hosts.proxy.client_api.client_functions import with_functions
from coderunner.hosts.proxy.client_api.openai_format import ReplyFormat
from coderunner.hosts.proxy.client_api.response_stream import StreamedResponse, WholeChat


@dataclass(frozen=True, slots=True)
class ChatApi:
    """The API before one proxy."""

    host: ApiHost

    def reads(self, body: Body) -> bool:
        """Whether it asks for one reply of a conversation."""
        return reads(body)

    async def read(self, request: Request, body: Body, send: Send) -> Asked:
        """Read a request. Raises UnusableFile."""
        # In a thread: files are decoded, and there may be some dozens of megabytes of them.
        chat = await asyncio.to_thread(_read, body, self.host.model)
        identity = f"chatcmpl-{secrets.token_hex(12)}"
        its = ReplyFormat(identity, int(time.time()), chat.named, counts=chat.counts)
        shape = StreamedResponse if chat.streams else WholeChat
        return Asked(
            chat,
            Clues(body.get("metadata")),
            lambda _message, _name, headers: shape(request.scope, send, its, headers),
        )


def _read(body: Body, default: str) -> ChatRequest:
    return with_functions(with_files(read(body, default)))
