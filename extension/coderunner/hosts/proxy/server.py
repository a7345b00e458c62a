"""Starts the proxy: its keys, its address, and the endpoint behind it."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Sequence

from coderunner.access import access_settings, api_keys, listening
from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import App, OriginCheck, Receive, Scope, Send
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.client_api.refusal import Refusal
from coderunner.hosts.proxy.files.album_routes import FILES, PICTURES
from coderunner.hosts.proxy.live.live_app import PATHS
from coderunner.hosts.proxy.operation import event_log
from coderunner.hosts.proxy.operation.draining import DrainGate
from coderunner.hosts.proxy.operation.health import HEALTH, READY, Health
from coderunner.hosts.proxy.operation.metrics import MetricsApp
from coderunner.hosts.proxy.operation.request_facts import facts_of
from coderunner.hosts.proxy.operation.watch import Watched
from coderunner.hosts.proxy.routes import Proxy
from coderunner.hosts.proxy.team.team import WHAT, Team
from coderunner.models.continuation.detection import PORTS, SCAN_SECONDS, scan
from coderunner.models.demo.server import DemoServer
from coderunner.models.endpoint.client import Endpoint
from coderunner.page.server.routes import SOCKET
from coderunner.runner import in_this_loop
from coderunner.settings.settings import DEFAULT, Settings

PORT = 7862
"""The default, next to the app's."""

METRICS = "/metrics"

STOPPING = Refusal(
    "The proxy is shutting down; try again.",
    503,
    {"retry-after": "1", "connection": "close"},
    kind="server_error",
    code="shutting_down",
)


def run(settings: Settings) -> None:
    """Run the proxy until Ctrl-C or SIGTERM; kernels on this machine end with it.

    Raises SettingsError if the settings do not allow it.
    """
    allow(settings)
    event_log.configure(settings.log_format)
    team = Team(settings, _say)
    port = PORT if settings.source("port") == DEFAULT else settings.port
    listener = listening.listen(settings.host, port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, team, listener))


def allow(settings: Settings) -> None:
    """Refuse settings that let unauthorised people run code; raises SettingsError."""
    if settings.approve == "ask":
        message = (
            f"{settings.source('approve')} is ask, but the proxy cannot ask anybody; set it to auto, "
            "or to off to run nothing"
        )
        raise SettingsError(message)
    if settings.team_file is None:
        access_settings.allow(settings, WHAT)
    if settings.metrics_key:
        (key, *others) = api_keys.named(settings.metrics_key)
        if others:
            raise SettingsError(f"{settings.source('metrics_key')} has several keys; keep one")
        if key in api_keys.named(settings.api_key):
            raise SettingsError("metrics_key is also a key of a user; make another one: coderunner key")


def guarded(proxy: Proxy, keys: ApiKeys) -> App:
    """The proxy behind the origin check; what it has links to is served apart, and without a key."""
    settings = proxy.settings
    origin_check = OriginCheck(
        _with_operation(proxy, DrainGate(proxy.asgi(keys), proxy.draining, refuse=STOPPING)),
        access_settings.names(settings),
        headers=access_settings.HEADERS,
        origins=access_settings.origins(settings),
    )
    linked: dict[str, tuple[str, App]] = {
        PICTURES: ("image", proxy.image_app(keys)),
        FILES: ("file", proxy.file_app(keys)),
        **dict.fromkeys(PATHS, ("live", proxy.live_app(keys))),
    }
    """By how their paths begin; only pages that show outputs live have a socket."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        kind, path = scope["type"], scope.get("path", "")
        for beginning, (route, app) in linked.items():
            if path.startswith(beginning) and (kind == "http" or (kind, beginning) == ("websocket", SOCKET)):
                facts_of(scope).route = route
                await app(scope, receive, send)
                return
        await origin_check(scope, receive, send)

    return Watched(answer, proxy.watch)


def _with_operation(proxy: Proxy, app: App) -> App:
    """The app with the routes for whoever runs the proxy, which are answered to the end."""
    health = Health(proxy.client, proxy.records, lambda: proxy.draining.begun)
    routes: dict[str, App] = {HEALTH: health, READY: health}
    if proxy.settings.metrics_key:
        routes[METRICS] = MetricsApp(proxy.watch.metrics, proxy.settings.metrics_key)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        found = routes.get(scope["path"]) if scope["type"] == "http" else None
        if found is not None:
            facts_of(scope).route = scope["path"].strip("/")
        await (found or app)(scope, receive, send)

    return answer


async def _serve(settings: Settings, team: Team, listener: socket.socket) -> None:
    async with in_this_loop():
        await _serve_here(settings, team, listener)


async def _serve_here(settings: Settings, team: Team, listener: socket.socket) -> None:
    demo = DemoServer()
    endpoint = Endpoint(await demo.start()) if settings.demo else await endpoint_of(settings)

    async def tell() -> None:
        _say(f"Endpoint: {endpoint.url}")
        _say(f"CodeRunner is at {listening.address(settings.host, listener)}/v1 (press Ctrl-C to stop)")

    proxy = Proxy(settings, endpoint, team.members, several=team.several)
    following = asyncio.ensure_future(team.follow())
    if hasattr(signal, "SIGHUP"):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, team.reload)
    try:
        await listening.serve(guarded(proxy, team.api_keys), listener, tell, drain=proxy.drain)
    finally:
        following.cancel()
        await demo.stop()


async def endpoint_of(
    settings: Settings, ports: Sequence[int] = PORTS, *, patience: float = SCAN_SECONDS
) -> Endpoint:
    """The configured endpoint, or the only one on this machine; raises SettingsError.

    `patience`: seconds for the search on this machine.
    """
    if settings.model_url:
        return Endpoint(settings.model_url, settings.model_key)
    found = await scan(ports, patience=patience)
    if len(found) == 1:
        return Endpoint(found[0].url)
    there = f"; found on this machine: {', '.join(each.url for each in found)}" if found else ""
    message = f"set the endpoint for the proxy with --upstream ADDRESS{there}"
    raise SettingsError(message)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()
