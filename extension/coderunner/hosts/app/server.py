"""The app as a server: with checks of each request, on loopback by default, with a clean shutdown."""

import asyncio
import contextlib
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote

import gradio as gr
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from coderunner.access import api_keys, listening
from coderunner.access.base_path import BasePath
from coderunner.access.login_cookies import LoginCookies
from coderunner.access.login_links import LoginLinks
from coderunner.access.origins import LOOPBACK, OriginCheck, Receive, Scope, Send
from coderunner.errors import RecordsUnavailable, SettingsError
from coderunner.files.chat_folder import ChatFolder
from coderunner.hosts.app.choices.available_models import AvailableModels
from coderunner.hosts.app.choices.choices import Choices
from coderunner.hosts.app.conversation.archive import Archive
from coderunner.hosts.app.conversation.conversation import PATIENCE
from coderunner.hosts.app.conversation.conversations import Conversations
from coderunner.hosts.app.conversation.reply_writer import ReplyWriter, kernel_label
from coderunner.hosts.app.conversation_titles import ConversationTitles
from coderunner.hosts.app.event_streams import ROUTE, EventStreams
from coderunner.hosts.app.first_script import FirstScript
from coderunner.hosts.app.own_code.own_routes import OwnCodeRoutes
from coderunner.hosts.app.own_code.own_runs import OwnRuns
from coderunner.hosts.app.page import event_handlers, html_fragments
from coderunner.hosts.app.page_security import MANIFEST, guarded
from coderunner.hosts.app.printed_links import PrintedLinks
from coderunner.hosts.app.variable_routes import VariableRoutes
from coderunner.models.continuation.strategy_cache import StrategyCache
from coderunner.page.server.files.file_routes import FileRoutes
from coderunner.page.server.files.made_file_routes import MadeFileRoutes
from coderunner.page.server.routes import HEADER, Rights, Routes
from coderunner.page.server.subscriptions import Subscriptions
from coderunner.runner import (
    Capacity,
    Packaging,
    Session,
    Sessions,
    Toolbox,
    first_rows,
    look_up,
    open_records,
    to_notebook,
)
from coderunner.secret_value import Secret
from coderunner.settings.settings import DEFAULT, Settings

FURTHER_PORTS = 20
"""How many more ports are tried if the default one is taken."""


class App:
    """All parts of the running app."""

    def __init__(
        self,
        settings: Settings,
        *,
        patience: float = PATIENCE,
        operators: Path | None = None,
        hosts: Iterable[str] = (),
    ) -> None:
        """`patience`: seconds that a reply goes on after the last page has left.

        `operators`: the data of whoever runs this app for one of several people. `hosts`: the names that it
        answers to besides its own and the loopback ones.
        """
        self.settings = settings
        self.hosts = frozenset({settings.host.casefold(), *hosts})
        self.choices = Choices.of(settings, operators)
        self.sessions = Sessions(
            settings.data_dir / "kernels",
            preload=settings.preloaded,
            capacity=Capacity.of(settings),
            max_memory=settings.max_memory,
            max_disk=settings.max_disk,
            sandbox=self.choices.sandbox,
            packaging=Packaging(settings.packages, buttons=True),
            toolbox=Toolbox.of(settings, people=True),
        )
        self.records = open_records(
            settings.records_url.reveal(),
            settings.data_dir,
            keep_days=settings.keep_days,
            pool=settings.records_pool,
        )
        self.writer = ReplyWriter(
            self.choices, self.sessions, StrategyCache(settings.data_dir / "endpoints.json"), self.records
        )
        self.subscriptions = Subscriptions(
            lambda: self.choices.setting,
            granted=lambda chat, refusal: self.sessions.granted(kernel_label(chat), refusal),
            card=lambda chat, refusal: self.sessions.packages.card(
                kernel_label(chat), self.writer.where(chat), refusal
            ),
        )
        self.sessions.follow_grants(
            lambda label: self.subscriptions.grants_changed(lambda chat: kernel_label(chat) == label)
        )
        self.archive = Archive(self.writer)
        self.titles = ConversationTitles(self.choices, self.archive, on=settings.titles == "on")
        self.conversations = Conversations(
            self.writer.write,
            lambda: self.choices.approval,
            patience=patience,
            subscriptions=self.subscriptions,
            again=self.writer.again,
            archive=self.archive,
            told=self.titles.receive,
        )
        self.own_runs = OwnRuns(
            self.conversations, self.subscriptions, self.writer, lambda: self.choices.approval
        )
        self.links, self.cookies = LoginLinks(), LoginCookies(_signing_key(settings))
        self.rights = Rights(
            LOOPBACK | self.hosts,
            lambda scope: "" if not settings.login or self.cookies.age(scope) is not None else None,
            # The same after a restart: a page that was open then connects again.
            self.cookies.derived("the page's token"),
        )
        self.model_choices = AvailableModels(settings)

    def asgi(self) -> OriginCheck | BasePath:
        """The ASGI app. Its lifespan starts and stops all parts.

        To be called in a running loop: elsewhere Gradio makes loops of its own and never closes them.
        """
        app = FastAPI(
            routes=[
                *Routes(self.subscriptions, self.rights, self.own_runs, self._look_up).all(),
                *OwnCodeRoutes(self.rights, self.own_runs).all(),
                Route("/coderunner/notebook", self._notebook),
                Route("/coderunner/requirements", self._requirements),
                Route("/coderunner/reply", self._reply),
                *FileRoutes(self.rights, self._folder).all(),
                *VariableRoutes(self.rights, self._session).all(),
                *MadeFileRoutes(self.rights, self.subscriptions, self._folder, self._first_rows).all(),
                Route(MANIFEST, _manifest),
            ],
            lifespan=self._life,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
        )
        page, handlers = event_handlers.build(
            self.conversations, self.archive, self.writer, self.model_choices
        )
        streams = EventStreams(app, self.rights, handlers.leave)
        app.router.routes += [WebSocketRoute(ROUTE, streams.socket), handlers.news.route(self.rights)]
        gr.mount_gradio_app(
            app,
            page,
            path="/",
            root_path=unquote(self.settings.base_path) or None,
            server_name=self.settings.host,
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            show_error=False,
            pwa=False,
            max_file_size=1,  # nothing is ever uploaded
            app_kwargs={
                "docs_url": None,
                "redoc_url": None,
                "openapi_url": None,
                "middleware": [Middleware(FirstScript, html_fragments.first_script())],
            },
            theme=html_fragments.theme(),
            head=html_fragments.head(self.rights.token, root=self.settings.base_path),
        )
        login = (self.links, self.cookies) if self.settings.login else None
        return guarded(app, self.hosts, login=login, base_path=self.settings.base_path)

    @contextlib.asynccontextmanager
    async def _life(self, _app: FastAPI) -> AsyncIterator[None]:
        try:
            self.sessions.prepare(self.choices.where)
            self.choices.choice = await self.model_choices.start()
            yield
        finally:
            self.sessions.leave()
            await self.own_runs.close()
            await self.conversations.close()
            self.titles.cancel()
            await self.sessions.close_all()
            await asyncio.to_thread(self.records.close)
            await self.model_choices.stop()

    async def _reply(self, request: Request) -> Response:
        """A reply as the model wrote it, for our own page: `?c=…&r=…`, the ids of conversation and reply."""
        if self.rights.admit(request.scope, request.headers.get(HEADER, "")) is None:
            return PlainTextResponse("Only CodeRunner's own page may do this.", 403)
        name, identity = request.query_params.get("r", ""), request.query_params.get("c", "")
        text = self.conversations.said(name)
        if text is None and await self.conversations.find(identity):
            text = self.conversations.said(name)
        return (
            PlainTextResponse("This reply does not exist.", 404) if text is None else PlainTextResponse(text)
        )

    async def _notebook(self, request: Request) -> Response:
        """A conversation as a notebook, for whoever knows its id: `?c=…`."""
        try:
            chat = await self.archive.written(request.query_params.get("c", ""))
        except RecordsUnavailable as failure:
            return PlainTextResponse(str(failure), 503)
        if chat is None:
            return PlainTextResponse("This conversation no longer exists.", 404)
        name = re.sub(r"[^\w .-]+", " ", chat.title).strip(" .") or "conversation"
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.ipynb"}
        lock = await asyncio.to_thread(self.sessions.packages.lock, kernel_label(chat.id))
        return Response(to_notebook(chat, lock), headers=headers, media_type="application/x-ipynb+json")

    async def _requirements(self, request: Request) -> Response:
        """What was installed for a conversation, as a file for pip, for whoever knows its id: `?c=…`."""
        chat = request.query_params.get("c", "")
        lock = await asyncio.to_thread(self.sessions.packages.lock, kernel_label(chat))
        if not lock:
            return PlainTextResponse("Nothing was installed for this conversation.", 404)
        headers = {"Content-Disposition": 'attachment; filename="requirements.txt"'}
        return PlainTextResponse(lock.text, headers=headers)

    async def _session(self, chat: str) -> Session | None:
        """The session of the conversation of that id; its kernel is not started."""
        return None if await self.conversations.find(chat) is None else self.writer.session(chat)

    async def _look_up(
        self, ticket: str, kind: Literal["complete", "inspect"], code: str, at: int
    ) -> Mapping[str, object]:
        """What the kernel of a block's conversation, or of the one of that id, knows of some code."""
        chat = self.conversations.of_ticket(ticket) or await self.conversations.find(ticket)
        return await look_up(self.writer.session(chat.id), kind, code, at) if chat is not None else {}

    async def _first_rows(self, chat: str, path: str) -> Mapping[str, object] | None:
        """The first rows of a table in the folder of the conversation of that id."""
        session = await self._session(chat)
        return await first_rows(session, path) if session is not None else None

    async def _folder(self, chat: str) -> ChatFolder | None:
        """The files of the conversation of that id."""
        if await self.conversations.find(chat) is None:
            return None
        return self.writer.files(chat)


async def _manifest(_request: Request) -> Response:
    """What browsers read of a page that can be installed, which ours is not: no pictures to fetch."""
    return JSONResponse({"name": "CodeRunner"}, media_type="application/manifest+json")


def run(settings: Settings) -> None:
    """Run the app until Ctrl-C or SIGTERM; its kernels shut down with it.

    Raises SettingsError if it cannot listen on the address that is set.
    """
    listener = listen(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    app = App(settings)
    address = listening.address(settings.host, listener) + settings.base_path
    printed = PrintedLinks(address, app.links if settings.login else None, settings)

    async def tell() -> None:
        printed.begin()
        await asyncio.to_thread(printed.open_browser)

    gate = app.asgi()

    async def ending(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await gate(scope, receive, send)
        finally:
            # Not after `serve`: a signal that ends the server ends the process there.
            if scope["type"] == "lifespan":
                printed.end()

    await listening.serve(ending, listener, tell)


def listen(settings: Settings) -> socket.socket:
    """Open the app's socket; if no port is set, it may be the next free one.

    Raises SettingsError if the address is taken or not one of this machine.
    """
    if settings.host.strip("[]") not in LOOPBACK:
        message = (
            f"host is {settings.host}, but the app is for one person and its traffic is not encrypted, so it "
            "listens only on this machine. "
            "To use it from another machine, open a tunnel there: ssh -L 7861:127.0.0.1:7861 THIS-MACHINE"
        )
        raise SettingsError(message)
    free = settings.source("port") == DEFAULT and settings.port
    return listening.listen(settings.host, settings.port, further=FURTHER_PORTS if free else 0)


def _signing_key(settings: Settings) -> Secret:
    """The key of the cookies; where none can be kept, browsers have to log in again after a restart."""
    try:
        return api_keys.own(settings.data_dir / "app-key")[0]
    except SettingsError:
        return Secret(secrets.token_urlsafe(24))
