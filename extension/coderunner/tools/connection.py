"""The connection to one MCP server: made when it is first needed, and anew when it was lost. In one loop."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TextIO

import anyio
import mcp

from coderunner.errors import ToolsUnavailable
from coderunner.tools.answer import LARGEST, Answer
from coderunner.tools.sdk.session import Json, SdkError, SdkSession, first_of
from coderunner.tools.tool import Tool, described
from coderunner.tools.tool_result import answer_of
from coderunner.tools.tool_servers import ToolServer

if hasattr(mcp, "Client"):
    from coderunner.tools.sdk import second as sdk
else:
    from coderunner.tools.sdk import first as sdk  # type: ignore[no-redef]

http = sdk.http
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
BAD = 400
"""The least status of an answer by HTTP that says no."""
LOST = "ended or lost the connection during the call, which may have done something"
GONE = ("Session terminated", "Session not found")
"""What the SDK and servers say where a server has forgotten us."""


class Connection:
    """One server. Calls may be made side by side; none is ever made twice."""

    def __init__(self, server: ToolServer) -> None:
        self._server = server
        self._held: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[SdkSession] | None = None
        self._leave = asyncio.Event()
        self._status = 0
        """Of the latest answer by HTTP: one generation of the SDK tells it in its errors, the other not."""

    async def tools(self) -> list[Tool]:
        """Its tools, by its own names; raises ToolsUnavailable."""
        found: list[Json] = []
        cursor = None
        try:
            async with asyncio.timeout(CONNECTING):
                client = await self._client()
                for _ in range(PAGES):
                    page = await client.list_tools(cursor)
                    found += page["tools"]
                    if not (cursor := page.get("nextCursor")):
                        break
        except TimeoutError:
            self._leave.set()
            raise ToolsUnavailable(self._said(f"does not answer within {CONNECTING:g} s")) from None
        except (SdkError, ValueError, RuntimeError) as error:
            raise ToolsUnavailable(self._said(f"does not list its tools ({_words(error)})")) from None
        return [_tool(each, self._server.name) for each in found[:MOST]]

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """Call a tool. Raises ToolsUnavailable where it was not called at all."""
        client = await self._client()
        try:
            return answer_of(await client.call_tool(tool.key, arguments), tool)
        except SdkError as error:
            if not error.closed and error.message not in GONE:
                return Answer(error=error.message or f"{tool.name} failed")
        except (RuntimeError, ValueError) as error:
            # What it gave is not what its own schema says.
            return Answer(error=f"{tool.name} gave what cannot be read ({_words(error)})")
        except (OSError, anyio.ClosedResourceError, anyio.BrokenResourceError, http.HTTPError):
            pass
        self._leave.set()
        return Answer(error=f"the MCP server {self._server.name} {LOST}; the next call starts anew")

    async def close(self) -> None:
        """End the connection, and with it a program that we started."""
        self._leave.set()
        if self._held is not None:
            await asyncio.wait([self._held], timeout=CLOSING)

    async def _client(self) -> SdkSession:
        """The client that is connected; raises ToolsUnavailable."""
        if self._held is not None and self._leave.is_set():
            await asyncio.wait([self._held], timeout=CLOSING)
        if self._ready is None or self._held is None or self._held.done():
            self._leave = asyncio.Event()
            self._ready = asyncio.get_running_loop().create_future()
            self._held = asyncio.create_task(self._hold(self._ready, self._leave))
        return await asyncio.shield(self._ready)

    async def _hold(self, ready: "asyncio.Future[SdkSession]", leave: asyncio.Event) -> None:
        """Keep the connection: the SDK wants it to begin and end in one task."""
        leaving = asyncio.ensure_future(leave.wait())
        try:
            async with AsyncExitStack() as stack:
                ready.set_result(await self._open(stack))
                await leaving
        except Exception as error:  # of any library below: a group of them, as a rule
            if not ready.done():
                ready.set_exception(ToolsUnavailable(self._said(_why(error, self._server, self._status))))
        finally:
            leaving.cancel()
            if not ready.done():
                ready.cancel()

    async def _open(self, stack: AsyncExitStack) -> SdkSession:
        server = self._server
        if server.command:
            nowhere = stack.enter_context(_nowhere())
            program = mcp.StdioServerParameters(
                command=server.command[0],
                args=list(server.command[1:]),
                env={name: value.reveal() for name, value in server.environment},
            )
            return await sdk.start(program, nowhere, stack)
        times = http.Timeout(CONNECTING, read=READING)
        hooks = {"response": [self._note]}
        client = http.AsyncClient(headers=server.headers, timeout=times, event_hooks=hooks)
        return await sdk.reach(server.url, await stack.enter_async_context(client), 2 * LARGEST, stack)

    async def _note(self, response: http.Response) -> None:
        self._status = response.status_code

    def _said(self, what: str) -> str:
        return f"the MCP server {self._server.name} {what}; check the setting tools"


def _tool(told: Json, server: str) -> Tool:
    summary = described(told.get("description"))
    return Tool("", told["name"], server, *summary, told["inputSchema"], told.get("outputSchema"))


def _nowhere() -> TextIO:
    """Where a program's stderr goes: it may be of any size, and hold secrets."""
    return Path(os.devnull).open("w", encoding="utf-8")


def _why(error: BaseException, server: ToolServer, status: int) -> str:
    """Why a server cannot be reached, in words without a secret. `status`: of its latest answer by HTTP."""
    if status >= BAD:
        return _status(status)
    match error := first_of(error):
        case FileNotFoundError() if server.command:
            return f"cannot be started: there is no program {server.command[0]}"
        case OSError() if server.command:
            return f"cannot be started: {error.strerror or type(error).__name__}"
        case http.HTTPError() | OSError():
            return f"cannot be reached at {server.url.partition('?')[0]}"
        case SdkError(closed=True) | anyio.BrokenResourceError() if server.command:
            return f"ended at once; run {server.command[0]} in a terminal to see why"
    return f"does not speak MCP ({_words(error)})"


def _status(status: int) -> str:
    refused = status in (401, 403)
    return f"does not accept the secret (HTTP {status})" if refused else f"answers with HTTP {status}"


def _words(error: BaseException) -> str:
    said = error.message if isinstance(error, SdkError) else type(error).__name__
    return " ".join(said[:200].split())
