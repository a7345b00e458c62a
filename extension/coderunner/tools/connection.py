"""The connection to one MCP server: made when it is first needed, and anew when it was lost. In one loop."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

import anyio
import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED

from coderunner.errors import ToolsUnavailable
from coderunner.tools.answer import LARGEST, Answer
from coderunner.tools.tool import Tool, described
from coderunner.tools.tool_result import answer_of
from coderunner.tools.tool_servers import ToolServer

CONNECTING = 20.0
"""Seconds until a server has said which tools it has: a program may be installed first."""
MOST = 200
"""Tools of one server."""
PAGES = 20
"""Answers in which it may list them."""
CLOSING = 5.0
"""Seconds for a server to end: those of programs take up to four."""
READING = 3_600.0
"""Seconds of silence in a call's stream: how long a call takes is limited elsewhere."""
LOST = "ended or lost the connection during the call, which may have done something"
GONE = ("Session terminated", "Session not found")
"""What the SDK and servers say where a server has forgotten us."""


class Connection:
    """One server. Calls may be made side by side; none is ever made twice."""

    def __init__(self, server: ToolServer) -> None:
        self._server = server
        self._held: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Client] | None = None
        self._leave = asyncio.Event()

    async def tools(self) -> list[Tool]:
        """Its tools, by its own names; raises ToolsUnavailable."""
        found, cursor = [], None
        try:
            async with asyncio.timeout(CONNECTING):
                client = await self._client()
                for _ in range(PAGES):
                    page = await client.list_tools(cursor=cursor)
                    found += page.tools
                    if not (cursor := page.next_cursor):
                        break
        except TimeoutError:
            self._leave.set()
            raise ToolsUnavailable(self._said(f"does not answer within {CONNECTING:g} s")) from None
        except (MCPError, ValueError, RuntimeError) as error:
            raise ToolsUnavailable(self._said(f"does not list its tools ({_words(error)})")) from None
        server = self._server.name
        return [
            Tool("", tool.name, server, *described(tool.description), tool.input_schema, tool.output_schema)
            for tool in found[:MOST]
        ]

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """Call a tool. Raises ToolsUnavailable where it was not called at all."""
        client = await self._client()
        try:
            return answer_of(await client.call_tool(tool.key, dict(arguments)), tool)
        except MCPError as error:
            if error.code != CONNECTION_CLOSED and error.message not in GONE:
                return Answer(error=error.message or f"{tool.name} failed")
        except (RuntimeError, ValueError) as error:
            # What it gave is not what its own schema says.
            return Answer(error=f"{tool.name} gave what cannot be read ({_words(error)})")
        except (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, httpx2.HTTPError):
            pass
        self._leave.set()
        return Answer(error=f"the MCP server {self._server.name} {LOST}; the next call starts anew")

    async def close(self) -> None:
        """End the connection, and with it a program that we started."""
        self._leave.set()
        if self._held is not None:
            await asyncio.wait([self._held], timeout=CLOSING)

    async def _client(self) -> Client:
        """The client that is connected; raises ToolsUnavailable."""
        if self._held is not None and self._leave.is_set():
            await asyncio.wait([self._held], timeout=CLOSING)
        if self._ready is None or self._held is None or self._held.done():
            self._leave = asyncio.Event()
            self._ready = asyncio.get_running_loop().create_future()
            self._held = asyncio.create_task(self._hold(self._ready, self._leave))
        return await asyncio.shield(self._ready)

    async def _hold(self, ready: "asyncio.Future[Client]", leave: asyncio.Event) -> None:
        """Keep the connection: the SDK wants it to begin and end in one task."""
        leaving = asyncio.ensure_future(leave.wait())
        try:
            async with AsyncExitStack() as stack:
                ready.set_result(await self._open(stack))
                await leaving
        except Exception as error:  # of any library below: a group of them, as a rule
            if not ready.done():
                ready.set_exception(ToolsUnavailable(self._said(_why(error, self._server))))
        finally:
            leaving.cancel()
            if not ready.done():
                ready.cancel()

    async def _open(self, stack: AsyncExitStack) -> Client:
        server = self._server
        if server.command:
            nowhere = stack.enter_context(_nowhere())
            program = StdioServerParameters(
                command=server.command[0],
                args=list(server.command[1:]),
                env={name: value.reveal() for name, value in server.environment},
            )
            return await stack.enter_async_context(Client(stdio_client(program, errlog=nowhere)))
        times = httpx2.Timeout(CONNECTING, read=READING)
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=server.headers, timeout=times))
        transport = streamable_http_client(server.url, http_client=http, max_sse_event_size=2 * LARGEST)
        return await stack.enter_async_context(Client(transport))

    def _said(self, what: str) -> str:
        return f"the MCP server {self._server.name} {what}; check the setting tools"


def _nowhere() -> TextIO:
    """Where a program's stderr goes: it may be of any size, and hold secrets."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _why(error: BaseException, server: ToolServer) -> str:
    """Why a server cannot be reached, in words without a secret."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case FileNotFoundError() if server.command:
            return f"cannot be started: there is no program {server.command[0]}"
        case OSError() if server.command:
            return f"cannot be started: {error.strerror or type(error).__name__}"
        case httpx2.HTTPStatusError():
            return _status(error.response.status_code)
        case httpx2.HTTPError() | OSError():
            return f"cannot be reached at {server.url.partition('?')[0]}"
        case MCPError() if server.command and error.code == CONNECTION_CLOSED:
            return f"ended at once; run {server.command[0]} in a terminal to see why"
    return f"does not speak MCP ({_words(error)})"


def _status(status: int) -> str:
    refused = status in (401, 403)
    return f"does not accept the secret (HTTP {status})" if refused else f"answers with HTTP {status}"


def _words(error: BaseException) -> str:
    said = error.message if isinstance(error, MCPError) else type(error).__name__
    return " ".join(said[:200].split())
