"""The first generation of the SDK (1.x), for hosts that pin it."""

# mypy: ignore-errors
# It is not the one that is installed where types are checked.

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import TextIO

import httpx
from mcp import ClientSession, McpError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED, PaginatedRequestParams

from coderunner.tools.sdk.session import Json, SdkError, SdkSession, first_of

http = httpx
"""What this generation speaks HTTP with."""


class _Session:
    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def list_tools(self, cursor: str | None) -> Json:
        with _translated():
            return (await self._session.list_tools(params=PaginatedRequestParams(cursor=cursor))).model_dump(
                mode="json", by_alias=True
            )

    async def call_tool(self, name: str, arguments: Mapping[str, object]) -> Json:
        with _translated():
            given = await self._session.call_tool(name, dict(arguments))
            return given.model_dump(mode="json", by_alias=True)


async def start(program: StdioServerParameters, log: TextIO, stack: AsyncExitStack) -> SdkSession:
    """Start a program, and talk to it; its stderr goes to `log`."""
    reads, writes = await stack.enter_async_context(stdio_client(program, errlog=log))
    return await _greeted(await stack.enter_async_context(ClientSession(reads, writes)))


async def reach(url: str, client: httpx.AsyncClient, _largest: int, stack: AsyncExitStack) -> SdkSession:
    """Talk to a server at an address. This generation does not limit its events."""
    reads, writes, _ = await stack.enter_async_context(streamable_http_client(url, http_client=client))
    return await _greeted(await stack.enter_async_context(ClientSession(reads, writes)))


async def _greeted(session: ClientSession) -> SdkSession:
    with _translated():
        await session.initialize()
    return _Session(session)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (McpError, ExceptionGroup) as error:
        if not isinstance(said := first_of(error), McpError):
            raise
        raise SdkError(said.error.message, closed=said.error.code == CONNECTION_CLOSED) from None
