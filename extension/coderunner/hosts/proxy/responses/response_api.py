"""The Responses API before the proxy: new responses, and those that are kept."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Send

from coderunner.errors import CodeRunnerError, RecordsUnavailable
from coderunner.hosts.proxy.client_api.api_host import ApiHost, Asked, Body
from coderunner.hosts.proxy.client_api.chat_request import ChatRequest, Clues, UnusableRequest, with_files
from coderunner.hosts.proxy.client_api.client_functions import with_functions
from coderunner.hosts.proxy.client_api.refusal import Refusal
from coderunner.hosts.proxy.client_api.response_stream import (
    Delivery,
    StreamedEvents,
    WholeEvents,
    refuse,
)
from coderunner.hosts.proxy.files.file_ids import container_id, conversation_of
from coderunner.hosts.proxy.files.sent_files import UnusableFile
from coderunner.hosts.proxy.responses.input_items import Item, container_of
from coderunner.hosts.proxy.responses.native_input import native, readable, readable_items
from coderunner.hosts.proxy.responses.output_items import OutputItems
from coderunner.hosts.proxy.responses.response_format import ResponseFormat
from coderunner.hosts.proxy.responses.response_request import ResponseRequest, chat_of, read, reads
from coderunner.hosts.proxy.responses.stored_responses import (
    NOT_KEPT,
    StoredResponse,
    StoredResponses,
)
from coderunner.models.responses.responses_upstream import ResponsesUpstream

log = logging.getLogger(__name__)

PREFIX = "resp_"
OURS = re.compile(rf"{PREFIX}[0-9a-f]{{32}}")
"""The id of a response of ours; others are the endpoint's."""
NOT_RUNNING = "This response has ended: only a response in the background can be cancelled."


@dataclass(frozen=True, slots=True)
class ResponseApi:
    """The API before one proxy."""

    host: ApiHost
    stored: StoredResponses
    upstream: ResponsesUpstream

    def reads(self, body: Body) -> bool:
        """Whether it is read here."""
        return reads(body)

    async def read(self, request: Request, body: Body, send: Send) -> Asked:
        """Read a request. Raises UnusableRequest, UnusableFile and RecordsUnavailable."""
        owner, response = self.host.owner_of(request), read(body)
        earlier, name = await self.stored.before(owner, response.previous)
        # A container that is named counts more than one that the history tells of.
        name = conversation_of(response.container) or name or conversation_of(container_of(response.items))
        # In a thread: files are decoded, and there may be some dozens of megabytes of them.
        chat = await asyncio.to_thread(self._chat, response, earlier)

        def deliver(message: str, conversation: str, headers: Mapping[str, str]) -> Delivery:
            items = OutputItems(message, container_id(conversation), conversation)
            its = ResponseFormat(f"{PREFIX}{message}", int(time.time()), chat.named, response.repeated, items)

            async def keep(whole: Mapping[str, object]) -> None:
                if any(item.get("type") == "code_interpreter_call" for item in items.items):
                    await self.host.used(owner, conversation)
                if not response.stores:
                    return
                said = StoredResponse(whole, list(response.items), conversation)
                try:
                    await self.stored.keep(owner, said)
                except RecordsUnavailable as failure:
                    # The reply is there; who refers to it is told that it is not kept.
                    log.warning("A response cannot be referred to later: %s", failure)

            shape = StreamedEvents if response.streams else WholeEvents
            return shape(request.scope, send, its, headers, keep)

        return Asked(chat, Clues(body.get("metadata"), name), deliver)

    def _chat(self, asked: ResponseRequest, earlier: Sequence[Item]) -> ChatRequest:
        """The request as one of chat completions and, where the endpoint may have this API, as it is."""
        untold: CodeRunnerError | None = None
        try:
            chat = _taken(chat_of(asked, earlier, self.host.model))
        except (UnusableRequest, UnusableFile) as failure:
            if not self.upstream.usable:
                raise
            untold = failure
            chat = _taken(chat_of(readable(asked), readable_items(earlier), self.host.model))
        if not self.upstream.usable:
            return chat
        return replace(chat, native=native(asked.body, [*earlier, *asked.items]), untold=untold)

    async def kept(self, request: Request, body: bytes, send: Send) -> None:
        """A response that is kept, its items, or its end; those of the endpoint are the endpoint's."""
        identity, _, what = str(request.path_params["rest"]).partition("/")
        owner = self.host.owner_of(request)
        if not self.host.runs or not OURS.fullmatch(identity):
            await self.host.passed(request, body, send)
            return
        try:
            stored = await self.stored.find(owner, identity)
            answer = (
                Refusal(NOT_KEPT.format(which=repr(identity)), 404)
                if stored is None
                else await self._answer(owner, stored, f"{request.method} {what}".strip())
            )
        except RecordsUnavailable as failure:
            self.host.failed(request, failure)
            answer = refuse(failure, {})
        await answer(request.scope, request.receive, send)

    async def _answer(self, owner: str, stored: StoredResponse, wanted: str) -> JSONResponse:
        identity = str(stored.response["id"])
        match wanted:
            case "GET":
                return JSONResponse(stored.response)
            case "GET input_items":
                return JSONResponse(_listed(stored))
            case "DELETE":
                await self.stored.delete(owner, identity)
                return JSONResponse({"id": identity, "object": "response", "deleted": True})
            case "POST cancel":
                return Refusal(NOT_RUNNING, 400)
            case _:
                return Refusal(f"There is no {wanted} of a response here.", 404)


def _listed(stored: StoredResponse) -> dict[str, object]:
    """The new items of a response's request, as the API lists them."""
    identity = str(stored.response["id"]).removeprefix(PREFIX)
    items = [{"id": f"in_{identity}_{at}", **_listed_item(item)} for at, item in enumerate(stored.items)]
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {}
    return {"object": "list", "data": items, "has_more": False, "first_id": None, "last_id": None, **ends}


def _listed_item(item: Mapping[str, object]) -> dict[str, object]:
    content = item.get("content")
    said = {"content": [{"type": "input_text", "text": content}]} if isinstance(content, str) else {}
    return {"type": "message", "status": "completed", **item, **said}


def _taken(chat: ChatRequest) -> ChatRequest:
    """A request with its files, and its functions for blocks, taken out of it."""
    return with_functions(with_files(chat))
