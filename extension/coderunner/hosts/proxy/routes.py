"""The proxy's routes: replies whose code is run, the list of models, and all that is passed through."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Send

from coderunner.access.access_settings import key_unknown, key_wanted, names
from coderunner.access.api_keys import ApiKeys
from coderunner.access.authentication import CHALLENGE, Authentication
from coderunner.access.origins import LOOPBACK
from coderunner.errors import CodeRunnerError, RecordsUnavailable
from coderunner.files.chat_folder import ChatFolder
from coderunner.hosts.proxy.active_replies import BROKEN, GRACE, ActiveReplies
from coderunner.hosts.proxy.client_api import openai_format
from coderunner.hosts.proxy.client_api.api_host import Api, ApiHost, Asked
from coderunner.hosts.proxy.client_api.chat_api import ChatApi
from coderunner.hosts.proxy.client_api.chat_request import MODEL_SUFFIX, unmarked, unmarked_route
from coderunner.hosts.proxy.client_api.disconnection import until_disconnected
from coderunner.hosts.proxy.client_api.refusal import Refusal
from coderunner.hosts.proxy.client_api.request_reader import RequestReader
from coderunner.hosts.proxy.client_api.response_stream import (
    QUIET,
    limited,
    refuse,
)
from coderunner.hosts.proxy.client_retries import Attempt, identity_of, named, timed_out
from coderunner.hosts.proxy.containers.container_routes import ContainerRoutes
from coderunner.hosts.proxy.containers.file_routes import FileRoutes
from coderunner.hosts.proxy.containers.known_containers import KnownContainers
from coderunner.hosts.proxy.containers.stored_files import StoredFiles
from coderunner.hosts.proxy.conversations import SESSION, Conversations, label
from coderunner.hosts.proxy.files.album import Album
from coderunner.hosts.proxy.files.image_links import ImageApp, ImageStore, inline
from coderunner.hosts.proxy.files.made_links import LINKS, FileApp, MadeLinks
from coderunner.hosts.proxy.files.received_files import ReceivedFiles
from coderunner.hosts.proxy.live.live_app import LiveApp
from coderunner.hosts.proxy.live.live_blocks import LiveBlocks
from coderunner.hosts.proxy.live.live_links import LiveLinks, StoredLinks
from coderunner.hosts.proxy.messages.message_api import MessageApi
from coderunner.hosts.proxy.operation.draining import Draining
from coderunner.hosts.proxy.operation.request_facts import facts_of
from coderunner.hosts.proxy.operation.watch import Watch
from coderunner.hosts.proxy.passthrough import API, relay, route_of
from coderunner.hosts.proxy.reply_models import Upstreams
from coderunner.hosts.proxy.reply_writer import Keep, Order, ReplyWriter
from coderunner.hosts.proxy.responses.response_api import ResponseApi
from coderunner.hosts.proxy.responses.stored_responses import StoredResponses
from coderunner.hosts.proxy.team.accounts import Accounts
from coderunner.hosts.proxy.team.kernel_seats import KernelSeats
from coderunner.hosts.proxy.team.members import Member, Members
from coderunner.hosts.proxy.team.passed_usage import PassedUsage
from coderunner.hosts.proxy.team.reply_limits import reached_before
from coderunner.ids import new_id
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.models.endpoint.client import Client, Endpoint
from coderunner.models.endpoint.fast_transport import fast_transport
from coderunner.page.html.block_html import Setting
from coderunner.runner import (
    Capacity,
    KernelLocation,
    KernelSandbox,
    Local,
    Packaging,
    Sessions,
    Toolbox,
    location_of,
    open_records,
)
from coderunner.settings.settings import Settings

log = logging.getLogger(__name__)

SAVED = 10.0
"""Seconds between two times that the tokens of the day are saved."""

OWNER = "coderunner.owner"
"""The key of the owner in a request's scope."""

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

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
        grace: float = GRACE,
    ) -> None:
        """`members`: the users, where they have limits or servers; `accounts`: what they have used.

        `several`: there may be more than one user.

        `quiet`: seconds of silence after which a stream sends a keep-alive. With a `spare`, the local kernel
        of the next conversation is started in advance. `grace`: seconds for which a reply goes on after its
        client has timed out.
        """
        self.settings = settings
        self._members = members or Members()
        self.client = Client(endpoint, transport=fast_transport(endpoint))
        self.sessions = Sessions(
            settings.data_dir / "kernels",
            preload=settings.preloaded if spare else None,
            capacity=Capacity.of(settings),
            max_memory=settings.max_memory,
            max_disk=settings.max_disk,
            sandbox=KernelSandbox.of(settings, stranger=several),
            packaging=Packaging(settings.packages),
            toolbox=Toolbox.lending(settings),
            patience=settings.timeout,
        )
        self.records = open_records(
            settings.records_url.reveal(),
            settings.data_dir,
            keep_days=settings.keep_days,
            pool=settings.records_pool,
        )
        memory = StrategyCache(settings.data_dir / "endpoints.json")
        self._image_store = ImageStore(settings.data_dir / "pictures", settings.keep_days)
        self._file_links = Album(settings.data_dir / "file-links", settings.keep_days, LINKS)
        self._live_links = StoredLinks(self.records, settings.keep_days)
        setting = Setting(settings.timeout, scripts=settings.output_scripts, alone=True)
        self._live_blocks = LiveBlocks(
            self.records,
            lambda owner, label: self.sessions.get(label, self._where(owner), owner),
            setting,
        )
        self._accounts = accounts or Accounts(settings.data_dir / "tokens-today.json")
        self._seats = KernelSeats(self.sessions)
        self.watch = Watch(self._kernels)
        self.draining = Draining()
        self.upstreams = Upstreams.of(settings.upstream_api)
        writer = ReplyWriter(
            settings,
            self.client,
            self.sessions,
            memory,
            self.records,
            self._accounts,
            self._seats,
            self.watch,
            received := ReceivedFiles(self.records),
            self.upstreams,
        )
        uploads = settings.data_dir / "uploads"
        self._files = StoredFiles(label, self._folder, uploads, settings.keep_days, received)
        self._containers = KnownContainers(self.records)
        self._conversations = Conversations()
        self._replies = ActiveReplies(writer, self._conversations, grace=grace)
        self._quiet = quiet
        self._host = ApiHost(
            self._reply,
            self._pass,
            failed=lambda request, failure: self.watch.failed(facts_of(request.scope), failure),
            owner_of=lambda request: self._member(request).owner,
            content=self._files.content,
            used=self._note_container,
            model=settings.model,
            every=settings.run_for == "all",
            runs=self.runs,
        )
        self._messages = MessageApi(self._host, self.upstreams.messages)
        self._responses = ResponseApi(self._host, StoredResponses(self.records), self.upstreams.responses)

    def image_app(self, api_keys: ApiKeys) -> ImageApp:
        """The ASGI app that serves the images of these keys."""
        return ImageApp(self._image_store, api_keys)

    def file_app(self, api_keys: ApiKeys) -> FileApp:
        """The ASGI app that serves the files that code has made, to these keys' owners and whom they let."""
        return FileApp(self._file_links, api_keys, self._folder)

    def live_app(self, api_keys: ApiKeys) -> LiveApp:
        """The ASGI app that shows outputs live, to whoever has the link of one of these keys."""
        hosts = LOOPBACK | {name.casefold() for name in names(self.settings)}
        public = self.settings.public_url
        return LiveApp(self._live_links, api_keys, self._live_blocks, hosts, public_url=public)

    def asgi(self, api_keys: ApiKeys) -> Authentication:
        """The ASGI app for all other routes, for these keys; its lifespan closes the proxy's parts."""
        routes = [
            Route("/v1/chat/completions", self._api(ChatApi(self._host), "chat"), methods=["POST"]),
            Route("/v1/messages", self._api(self._messages, "messages"), methods=["POST"]),
            Route("/v1/responses", self._api(self._responses, "responses"), methods=["POST"]),
            Route("/v1/responses/{rest:path}", RequestReader(self._response), methods=METHODS),
            *ContainerRoutes(self._host, self._containers, self._files, self._end_container).routes(),
            *FileRoutes(self._host, self._files).routes(),
            Route("/v1/models", RequestReader(self._list), methods=["GET"]),
            Route("/{path:path}", RequestReader(self._pass), methods=METHODS),
        ]
        return Authentication(
            Starlette(routes=routes, lifespan=self._life, exception_handlers=REFUSALS),
            api_keys,
            refuse=Refusal(key_wanted(self.settings, "proxy"), 401, CHALLENGE, code="invalid_api_key"),
            unknown=Refusal(key_unknown(self.settings, "proxy"), 401, CHALLENGE, code="invalid_api_key"),
            known=lambda owner: {OWNER: owner},
        )

    @contextlib.asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        saving = asyncio.ensure_future(self._save_accounts())
        try:
            if self.runs and self._members.some_here:
                self.sessions.prepare(location_of(self.settings))
            for kept in (self._image_store.album, self._file_links, self._files):
                await asyncio.to_thread(kept.sweep)
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

    def _api(self, api: Api, route: str) -> RequestReader:
        """The route of an API's replies; `route` is its name in metrics."""

        async def answer(request: Request, body: bytes, send: Send) -> None:
            facts_of(request.scope).route = route
            await self._host.serve(api, request, body, send)

        return RequestReader(answer)

    async def _response(self, request: Request, body: bytes, send: Send) -> None:
        facts_of(request.scope).route = "responses"
        await self._responses.kept(request, body, send)

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
        route, body = unmarked_route(route), unmarked(body)
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

    async def _reply(self, request: Request, wanted: Asked, body: bytes, send: Send) -> None:
        """Send one reply, a new one or a resumed one."""
        asked, clues = wanted.chat, wanted.clues
        headers, member = request.headers, self._member(request)
        owner, facts = member.owner, facts_of(request.scope)
        identity = identity_of(owner, headers, body)
        name = self._conversations.find(owner, headers, clues.metadata, asked.history, clues.name)
        name = name or await self._replies.recognise(owner, asked.history) or new_id(12)
        attempt = self._replies.answered(owner, asked.answers)
        attempt = attempt or await self._replies.find(identity, headers, name, member)
        facts.resumed = attempt is not None
        attempt = attempt or Attempt(name, label(owner, name), named(identity))
        facts.conversation, facts.model = attempt.label, asked.model
        if not attempt.begun:
            # A reply that has begun is followed whatever the limits say: none of its blocks runs again.
            if reached := reached_before(member, attempt.label, self._accounts, self._seats):
                self.watch.limited(facts, reached)
                await limited(reached)(request.scope, request.receive, send)
                return
            address = self.settings.public_url or str(request.base_url).rstrip("/")
            folder = self._folder(owner, attempt.label)
            links = MadeLinks(self._file_links, owner, attempt.label, address, folder)
            live = LiveLinks(
                self._live_links, self._live_blocks, owner, attempt.label, attempt.message, address
            )
            keep = self._keep(owner, address)
            order = Order(asked, member, attempt.label, attempt.message, keep, links, live, facts)
            self._replies.begin(identity, attempt, order)
        delivery = wanted.deliver(attempt.response or attempt.message, attempt.name, {SESSION: attempt.name})
        since = time.monotonic()
        follow = attempt.journal.follow(delivery)
        try:
            await until_disconnected(request.receive, follow, delivery.live(self._quiet))
        finally:
            waits = not asked.streams and timed_out(headers, time.monotonic() - since)
            await self._replies.leave(attempt, wait=waits)

    async def _note_container(self, owner: str, conversation: str) -> None:
        try:
            await self._containers.note(owner, conversation)
        except RecordsUnavailable as failure:
            # The reply is there, and so are its files; its container is not listed.
            log.warning("%s", failure)

    async def _end_container(self, owner: str, conversation: str) -> bool:
        """End the kernel of a conversation; gives whether its folder is its own."""
        where = self._members.of(owner).server or location_of(self.settings)
        if not isinstance(where, Local) and where.attach:  # it is a person's own
            return False
        await self.sessions.close(label(owner, conversation), where)
        return where.own_folder

    def _member(self, request: Request) -> Member:
        member = self._members.of(request.scope[OWNER])
        facts_of(request.scope).user = member.name
        return member

    def _keep(self, owner: str, address: str) -> Keep:
        """How the images of a reply are saved."""
        if self.settings.pictures == "inline":
            return inline
        return lambda result: self._image_store.keep(result, owner, address)

    def _folder(self, owner: str, conversation: str) -> ChatFolder:
        """The files of an owner's conversation."""
        return self.sessions.files(conversation, self._where(owner))

    def _where(self, owner: str) -> KernelLocation:
        return self._members.of(owner).server or location_of(self.settings)


async def _refuse(_request: Request, refusal: Exception) -> Response:
    """The error of a route that is not served."""
    assert isinstance(refusal, HTTPException)  # noqa: S101 - it is registered for nothing else
    said = NOT_HERE if refusal.status_code == 404 else refusal.detail
    return Refusal(said, refusal.status_code, refusal.headers)


async def _break(_request: Request, failure: Exception) -> Response:
    if not isinstance(failure, CodeRunnerError):  # an aborted answer of the endpoint was passed on as that
        log.error("A request failed", exc_info=failure)
    return Refusal(BROKEN, 500)


REFUSALS = {HTTPException: _refuse, Exception: _break}
