"""Starts the proxy: its keys, its address, and the endpoint behind it."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Sequence

from coderunner.access import access_settings, listening
from coderunner.access.api_keys import ApiKeys
from coderunner.access.origins import App, OriginCheck, Receive, Scope, Send
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.image_links import ROUTE
from coderunner.hosts.proxy.routes import Proxy
from coderunner.models.continuation.detection import PORTS, SCAN_SECONDS, scan
from coderunner.models.demo.server import DemoServer
from coderunner.models.endpoint.client import Endpoint
from coderunner.settings.settings import DEFAULT, Settings

PORT = 7862
"""The default, next to the app's."""

WHAT = "proxy"


def run(settings: Settings) -> None:
    """Run the proxy until Ctrl-C or SIGTERM; kernels on this machine end with it.

    Raises SettingsError if the settings do not allow it.
    """
    allow(settings)
    api_keys = access_settings.load_api_keys(settings, WHAT, _say)
    port = PORT if settings.source("port") == DEFAULT else settings.port
    listener = listening.listen(settings.host, port)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(settings, api_keys, listener))


def allow(settings: Settings) -> None:
    """Refuse settings that let unauthorised people run code; raises SettingsError."""
    if settings.approve == "ask":
        message = (
            f"{settings.source('approve')} is ask, but the proxy cannot ask anybody; set it to auto, "
            "or to off to run nothing"
        )
        raise SettingsError(message)
    access_settings.allow(settings, WHAT)


def guarded(proxy: Proxy, api_keys: ApiKeys) -> App:
    """The proxy behind the origin check; its images are served without it, and without a key."""
    settings = proxy.settings
    origin_check = OriginCheck(
        proxy.asgi(api_keys),
        access_settings.names(settings),
        headers=access_settings.HEADERS,
        origins=access_settings.origins(settings),
    )
    image_app = proxy.image_app(api_keys)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        seen = scope["type"] == "http" and scope["path"].startswith(ROUTE)
        await (image_app if seen else origin_check)(scope, receive, send)

    return answer


async def _serve(settings: Settings, api_keys: ApiKeys, listener: socket.socket) -> None:
    demo = DemoServer()
    endpoint = Endpoint(await demo.start()) if settings.demo else await endpoint_of(settings)

    async def tell() -> None:
        _say(f"Endpoint: {endpoint.url}")
        _say(f"CodeRunner is at {listening.address(settings.host, listener)}/v1 (press Ctrl-C to stop)")

    try:
        await listening.serve(guarded(Proxy(settings, endpoint), api_keys), listener, tell)
    finally:
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
