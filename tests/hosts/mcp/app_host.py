"""A host of MCP Apps in a real browser: a page of its own around ours, and the SDK's client behind it."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from mcp.types import CallToolResult, TextResourceContents
from playwright.async_api import Browser, FrameLocator, Page, Route, async_playwright

from coderunner.hosts.mcp.apps.app_page import PAGE
from tests.hosts.app.browsing import BOUND, BROWSERS
from tests.hosts.mcp.clients import call

DECLARED = advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})
"""What a client says of itself that shows pages."""

STRICT = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; connect-src 'none'; frame-src 'none'; object-src 'none'"
)
"""The policy that the extension asks of hosts for a page that names no domains."""

HOST, SANDBOX = "https://host.test/", "https://sandbox.test/"


@dataclass
class AppHost:
    """The host, its page, and all that anything in it asked the network for."""

    client: Client
    page: Page
    html: str
    policy: str = STRICT
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)
    """Calls that have no answer yet."""

    async def show(self, result: CallToolResult, theme: str = "light") -> FrameLocator:
        """Show the page of a call; gives the inside of it."""
        await self.page.evaluate("([result, theme]) => show(result, theme)", [dumped(result), theme])
        return self.page.frame_locator("iframe")

    async def run(self, code: str, **arguments: Any) -> FrameLocator:
        """Have code run, and show it."""
        return await self.show(await call(self.client, "run_python", code=code, **arguments))

    async def said(self, method: str) -> list[Any]:
        """What the page asked the host for, by that method."""
        found = await self.page.evaluate("method => said.filter(([name]) => name === method)", method)
        return [params for _, params in found]

    async def answer(self, method: str, params: dict[str, Any]) -> Any:
        """What the host relays to the server."""
        task = asyncio.current_task()
        assert task is not None
        self.under_way.add(task)
        try:
            return await self._relayed(method, params)
        finally:
            self.under_way.discard(task)

    async def leave(self) -> None:
        """Take back what is under way: pages wait for news when they are closed."""
        for task in (under_way := list(self.under_way)):
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _relayed(self, method: str, params: dict[str, Any]) -> Any:
        if method == "tools/call":
            return dumped(await self.client.call_tool(params["name"], params.get("arguments") or {}))
        if method == "resources/read":
            return dumped(await self.client.read_resource(params["uri"]))
        raise ValueError(f"no such method: {method}")

    async def serve(self, route: Route) -> None:
        """The two pages of the host; all else is noted, and is nowhere."""
        url = route.request.url
        if url == HOST:
            await route.fulfill(path=Path(__file__).with_name("mcp_host.html"), content_type="text/html")
        elif url == SANDBOX:
            headers = {"Content-Security-Policy": self.policy} if self.policy else {}
            await route.fulfill(body=self.html, content_type="text/html; charset=utf-8", headers=headers)
        else:
            self.asked.append(url)
            await route.abort()


def dumped(result: Any) -> Any:
    """A result as it goes over the wire."""
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


@contextlib.asynccontextmanager
async def browser() -> AsyncGenerator[Browser]:
    """A real one."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    async with async_playwright() as playwright:
        args = ["--no-sandbox", "--site-per-process"]
        opened = await playwright.chromium.launch(executable_path=found, args=args)
        yield opened
        await opened.close()


@contextlib.asynccontextmanager
async def app_host(
    browser: Browser, client: Client, policy: str = STRICT, **how: Any
) -> AsyncGenerator[AppHost]:
    """The host of that client."""
    context = await browser.new_context(**how)
    page = await context.new_page()
    page.set_default_timeout(BOUND * 1000)
    (read,) = (await client.read_resource(PAGE)).contents
    assert isinstance(read, TextResourceContents)
    host = AppHost(client, page, read.text, policy)
    page.on("pageerror", lambda error: host.complaints.append(str(error)))
    page.on("console", lambda told: host.complaints.append(told.text) if told.type == "error" else None)
    await context.route("**/*", host.serve)
    await page.expose_function("ask", host.answer)
    await page.goto(HOST)
    try:
        yield host
    finally:
        await context.close()
        await host.leave()
