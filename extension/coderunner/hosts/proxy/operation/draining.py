"""The end of a proxy: nothing new begins, what goes on may end, and then it is told that it is cut short."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

FAREWELL = 8.0
"""Seconds that an interrupted block has to end; one that does not is left to the records."""
DELIVERED = 1.0


class Replies(Protocol):
    """The replies that are being written, also those that no request follows at the moment."""

    async def ended(self) -> None:
        """Wait until none is being written."""

    async def cut_short(self, patience: float) -> None:
        """Stop all of them, within so many seconds."""


class Draining:
    """Knows what goes on, and whether anything new may begin. Belongs to one event loop."""

    def __init__(self) -> None:
        self.begun = False
        """Nothing new begins."""
        self._going_on = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def request(self) -> Generator[None]:
        """A request goes on."""
        self._going_on += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._going_on -= 1
            if not self._going_on:
                self._quiet.set()

    async def drain(self, patience: float, replies: Replies) -> None:
        """Let nothing new begin, and wait for what goes on; after `patience` seconds, cut replies short."""
        self.begun = True
        try:
            async with asyncio.timeout(patience):
                await replies.ended()
                await self._quiet.wait()
        except TimeoutError:
            await replies.cut_short(FAREWELL)
            # The last words have to reach their clients.
            with suppress(TimeoutError):
                async with asyncio.timeout(DELIVERED):
                    await self._quiet.wait()


class DrainGate:
    """ASGI middleware: refuses what is new once the proxy is about to end."""

    def __init__(self, app: ASGIApp, draining: Draining, *, refuse: ASGIApp) -> None:
        """`refuse` answers what is new."""
        self._app = app
        self._draining = draining
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._draining.begun:
            await self._refuse(scope, receive, send)
        else:
            with self._draining.request():
                await self._app(scope, receive, send)
