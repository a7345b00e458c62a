"""The Messages API before the proxy."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.types import Send

from coderunner.errors import CodeRunnerError
from coderunner.hosts.proxy.client_api.api_host import ApiHost, Asked, Body
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, Clues, UnusableRequest, with_files
from coderunner.hosts.proxy.client_api.client_functions import with_functions
from coderunner.hosts.proxy.client_api.response_stream import Delivery, StreamedEvents, WholeEvents
from coderunner.hosts.proxy.files.file_ids import MESSAGE_CONTAINER, digits_of
from coderunner.hosts.proxy.files.links_for_model import for_the_model
from coderunner.hosts.proxy.files.sent_files import UnusableFile
from coderunner.hosts.proxy.messages.message_format import MessageFormat
from coderunner.hosts.proxy.messages.message_request import chat_of, conversation_of
from coderunner.hosts.proxy.messages.native_request import native, readable
from coderunner.models.messages.messages_upstream import MessagesUpstream

LASTS = 30 * 86_400.0
"""Seconds after which a container is said to expire: a kernel may be gone sooner, and says so then."""


@dataclass(frozen=True, slots=True)
class MessageApi:
    """The API before one proxy."""

    host: ApiHost
    upstream: MessagesUpstream

    def reads(self, body: Body) -> bool:
        """Whether it is read here."""
        return True

    async def read(self, request: Request, body: Body, send: Send) -> Asked:
        """Read a request. Raises UnusableRequest and UnusableFile."""
        owner = self.host.owner_of(request)
        # In a thread: files are decoded, and there may be some dozens of megabytes of them.
        chat = await asyncio.to_thread(self._read, body, request.headers)

        def deliver(message: str, conversation: str, headers: Mapping[str, str]) -> Delivery:
            name = digits_of(conversation)
            until = datetime.fromtimestamp(time.time() + LASTS, UTC).isoformat(timespec="seconds")
            container = {"id": f"{MESSAGE_CONTAINER}{name}", "expires_at": until}
            its = MessageFormat(f"msg_{message}", chat.named, name, container)

            async def keep(whole: Mapping[str, object]) -> None:
                if its.ran:
                    await self.host.used(owner, conversation)

            shape = StreamedEvents if chat.streams else WholeEvents
            return shape(request.scope, send, its, headers, keep)

        return Asked(chat, Clues(body.get("metadata"), conversation_of(body)), deliver)

    def _read(self, body: Body, headers: Mapping[str, str]) -> ChatRequest:
        """The request as one of chat completions and, where the endpoint may have this API, as it is."""
        untold: CodeRunnerError | None = None
        try:
            chat = with_functions(with_files(chat_of(body, self.host.model)))
        except (UnusableRequest, UnusableFile) as failure:
            if not self.upstream.usable:
                raise
            untold = failure
            chat = with_functions(with_files(chat_of(readable(body), self.host.model)))
        if not self.upstream.usable:
            return chat
        return replace(chat, native=native(body, headers, for_the_model(chat.prior)), untold=untold)
