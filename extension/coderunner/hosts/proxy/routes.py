"""The proxy's routes: replies whose code is run, the list of models, and all that is passed through."""

import asyncio
import contextlib
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from coderunner.access.access_settings import key_wanted
from coderunner.access.api_keys import ApiKeys
from coderunner.access.authentication import CHALLENGE, Authentication
from coderunner.errors import CodeRunnerError, UnreadableJSON
from coderunner.hosts.proxy import openai_format
from coderunner.hosts.proxy.active_replies import BROKEN, ActiveReplies
from coderunner.hosts.proxy.chat_request import MODEL_SUFFIX, ChatRequest, plain, read, reads
from coderunner.hosts.proxy.client_retries import Attempt, identity_of, named, timed_out
from coderunner.hosts.proxy.conversations import SESSION, Conversations, label
from coderunner.hosts.proxy.image_links import ImageApp, ImageStore, inline
from coderunner.hosts.proxy.openai_format import ReplyFormat
from coderunner.hosts.proxy.operation.draining import Draining
from coderunner.hosts.proxy.operation.request_facts import facts_of
from coderunner.hosts.proxy.operation.watch import Watch
from coderunner.hosts.proxy.passthrough import API, relay, route_of
from coderunner.hosts.proxy.reply_writer import Keep, Order, ReplyWriter
from coderunner.hosts.proxy.response_stream import (
    QUIET,
    Delivery,
    StreamedResponse,
    WholeResponse,
    limited,
    refuse,
    until_disconnected,
)
from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.kernel_seats import KernelSeats
from coderunner.hosts.proxy.team.members import Member, Members
from coderunner.hosts.proxy.team.passed_usage import PassedUsage
from coderunner.hosts.proxy.team.reply_limits import reached_before
from coderunner.ids import new_id
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.runner import KernelSandbox, Sessions, location_of, open_records
from coderunner.settings.settings import Settings
from coderunner.text import json_reader

log = logging.getLogger(__name__)

LARGEST = 100_000_000
"""Bytes of a request: some images, or an hour of speech."""

SAVED = 10.0
"""Seconds between two times that the tokens of the day are saved."""

OWNER = "coderunner.owner"
"""The key of the owner in a request's scope."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

TOO_LARGE = openai_format.error(
    f"The request is larger than the limit of {LARGEST:,} bytes.", kind="invalid_request_error"
)
NOT_HERE = f"Only the endpoint's API is served here; use a base URL that ends in {API}."


class Proxy:
    """The parts of one running proxy."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        members: Members | None = None,
        accounts: Accounts | None = None,
        *,
        several: bool = True,
        quiet: float = QUIET,
        spare: bool = True,
    ) -> None:
        """`members`: the users, where they have limits or servers; `accounts`: what they have used.

        `several`: there may be more than one user.

        `quiet`: seconds of silence after which a stream sends a keep-alive. With a `spare`, the local kernel
        of the next conversation is started in advance.
        """
        self.settings = settings
        self._members = members or Members()
        self.client = Client(endpoint)
        self.sessions = Sessions(
            settings.data_dir / "kernels",
            spare=spare,
            max_memory=settings.max_memory,
            sandbox=KernelSandbox.of(settings, stranger=several),
        )
        self.records = open_records(
            settings.records_url.reveal(),
            settings.data_dir,
            keep_days=settings.keep_days,
            pool=settings.records_pool,
        )
        memory = StrategyCache(settings.data_dir / "endpoints.json")
        self._image_store = ImageStore(settings.data_dir / "pictures", settings.keep_days)
        self._accounts = accounts or Accounts(settings.data_dir / "tokens-today.json")
        self._seats = KernelSeats(self.sessions)
        self.watch = Watch(self._kernels)
        self.draining = Draining()
        writer = ReplyWriter(
            settings,
            self.client,
            self.sessions,
            memory,
            self.records,
            self._accounts,
            self._seats,
            self.watch,
        )
        self._conversations = Conversations()
        self._replies = ActiveReplies(writer, self._conversations)
        self._quiet = quiet

    def image_app(self, api_keys: ApiKeys) -> ImageApp:
        """The ASGI app that serves the images of these keys."""
        return ImageApp(self._image_store, api_keys)

    def asgi(self, api_keys: ApiKeys) -> Authentication:
        """The ASGI app for all other routes, for these keys; its lifespan closes the proxy's parts."""
        routes = [
            Route("/v1/chat/completions", _RequestReader(self._complete), methods=["POST"]),
            Route("/v1/models", _RequestReader(self._list), methods=["GET"]),
            Route("/{path:path}", _RequestReader(self._pass), methods=METHODS),
        ]
        no_key = openai_format.error(
            key_wanted(self.settings, "proxy"), kind="invalid_request_error", code="invalid_api_key"
        )
        return Authentication(
            Starlette(routes=routes, lifespan=self._life, exception_handlers=REFUSALS),
            api_keys,
            refuse=JSONResponse(no_key, 401, CHALLENGE),
            known=lambda owner: {OWNER: owner},
        )

    @contextlib.asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        saving = asyncio.ensure_future(self._save_accounts())
        try:
            if self.runs and self._members.some_here:
                self.sessions.prepare(location_of(self.settings))
            await asyncio.to_thread(self._image_store.sweep)
            yield
        finally:
            saving.cancel()
            await self._replies.close()
            await self.sessions.close_all()
            await asyncio.to_thread(self._accounts.save)
            await asyncio.to_thread(self.records.close)
            await self.client.aclose()

    async def _save_accounts(self) -> None:
        while True:
            await asyncio.sleep(SAVED)
            await asyncio.to_thread(self._accounts.save)

    async def drain(self) -> None:
        """Let nothing new begin; gives replies the time that the settings allow, then cuts them short."""
        await self.draining.drain(self.settings.drain_timeout, self._replies)

    def _kernels(self) -> dict[str, int]:
        return {self._members.of(owner).name: kernels for owner, kernels in self._seats.counts().items()}

    @property
    def runs(self) -> bool:
        """Whether code is run at all."""
        return self.settings.approve != "off"

    # --- the routes ---------------------------------------------------------------------------------------

    async def _complete(self, request: Request, body: bytes, send: Send) -> None:
        asked = _json(body)
        facts_of(request.scope).route = "chat"
        every = self.settings.run_for == "all"
        if isinstance(asked, dict) and self.runs and reads(asked, request.headers, every=every):
            wanted = read(asked, self.settings.model)
            await self._reply(request, wanted, body, asked.get("metadata"), send)
            return
        if isinstance(asked, dict) and str(asked.get("model")).endswith(MODEL_SUFFIX):
            body = json.dumps({**asked, "model": plain(str(asked["model"]))}).encode()
        await self._pass(request, body, send)

    async def _list(self, request: Request, _body: bytes, send: Send) -> None:
        """The endpoint's models, and each once more with the suffix if only those run code."""
        facts_of(request.scope).route = "models"
        self._member(request)
        try:
            listed = await self.client.ask("models")
        except CodeRunnerError as failure:
            self.watch.failed(facts_of(request.scope), failure)
            await refuse(failure, {})(request.scope, request.receive, send)
            return
        marked = self.runs and self.settings.run_for == "marked"
        shown = openai_format.with_marked(listed, MODEL_SUFFIX) if marked else listed
        await JSONResponse(shown)(request.scope, request.receive, send)

    async def _pass(self, request: Request, body: bytes, send: Send) -> None:
        route = route_of(request.scope)
        if route is None:
            raise HTTPException(404, NOT_HERE)
        facts, member = facts_of(request.scope), self._member(request)
        facts.route = "passed"
        costs = request.method == "POST"
        if costs and (reached := self._accounts.tokens_reached(member)):
            self.watch.limited(facts, reached)
            await limited(reached)(request.scope, request.receive, send)
            return
        meter = PassedUsage(body, counts=costs and member.limits.tokens_per_day > 0)
        try:
            relayed = relay(
                self.client,
                request,
                route,
                body,
                send,
                meter=meter,
                failed=lambda failure: self.watch.failed(facts, failure),
            )
            await until_disconnected(request.receive, relayed)
        finally:
            tokens, estimated = meter.close()
            self._accounts.note_tokens(member, tokens.prompt + tokens.completion)
            self.watch.tokens(facts, tokens.prompt, tokens.completion, estimated=estimated)

    async def _reply(
        self, request: Request, asked: ChatRequest, body: bytes, metadata: object, send: Send
    ) -> None:
        """Send one reply, a new one or a resumed one."""
        headers, member = request.headers, self._member(request)
        owner, facts = member.owner, facts_of(request.scope)
        identity = identity_of(owner, headers, body)
        name = self._conversations.find(owner, headers, metadata, asked.messages)
        name = name or await self._replies.recognise(owner, asked.messages) or new_id(12)
        attempt = await self._replies.find(identity, headers, name, member)
        facts.resumed = attempt is not None
        attempt = attempt or Attempt(name, label(owner, name), named(identity))
        facts.conversation, facts.model = attempt.label, asked.model
        if not attempt.begun:
            # A reply that has begun is followed whatever the limits say: none of its blocks runs again.
            if reached := reached_before(member, attempt.label, self._accounts, self._seats):
                self.watch.limited(facts, reached)
                await limited(reached)(request.scope, request.receive, send)
                return
            keep = self._keep(owner, request)
            order = Order(asked, member, attempt.label, attempt.message, keep, facts)
            self._replies.begin(identity, attempt, order)
        reply_format = ReplyFormat(f"chatcmpl-{secrets.token_hex(12)}", int(time.time()), asked.named)
        answered = {SESSION: attempt.name}
        delivery: Delivery = (
            StreamedResponse(request.scope, send, reply_format, answered, counts=asked.counts)
            if asked.streams
            else WholeResponse(request.scope, send, reply_format, answered)
        )
        since = time.monotonic()
        follow = attempt.journal.follow(delivery)
        try:
            await until_disconnected(request.receive, follow, delivery.live(self._quiet))
        finally:
            waits = not asked.streams and timed_out(headers, time.monotonic() - since)
            await self._replies.leave(attempt, wait=waits)

    def _member(self, request: Request) -> Member:
        member = self._members.of(request.scope[OWNER])
        facts_of(request.scope).user = member.name
        return member

    def _keep(self, owner: str, request: Request) -> Keep:
        """How the images of a reply are saved."""
        if self.settings.pictures == "inline":
            return inline
        address = self.settings.public_url or str(request.base_url).rstrip("/")
        return lambda result: self._image_store.keep(result, owner, address)


Answer = Callable[[Request, bytes, Send], Awaitable[None]]


class _RequestReader:
    """A route as an ASGI app: reads the request, then answers it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        body = bytearray()
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST:
                    await JSONResponse(TOO_LARGE, 413)(scope, receive, send)
                    return
        except ClientDisconnect:
            return
        await self._answer(request, bytes(body), send)


async def _refuse(_request: Request, refusal: Exception) -> Response:
    """The error of a route that is not served, in OpenAI's format."""
    assert isinstance(refusal, HTTPException)  # noqa: S101 - it is registered for nothing else
    said = NOT_HERE if refusal.status_code == 404 else refusal.detail
    return JSONResponse(
        openai_format.error(said, kind="invalid_request_error"), refusal.status_code, refusal.headers
    )


async def _break(_request: Request, failure: Exception) -> Response:
    if not isinstance(failure, CodeRunnerError):  # an aborted answer of the endpoint was passed on as that
        log.error("A request failed", exc_info=failure)
    return JSONResponse(openai_format.error(BROKEN), 500)


REFUSALS = {HTTPException: _refuse, Exception: _break}


def _json(body: bytes) -> object:
    try:
        return json_reader.loads(body)
    except UnreadableJSON:
        return None
