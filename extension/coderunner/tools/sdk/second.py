"""The second generation of the SDK (2.x)."""

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from typing import TextIO

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CONNECTION_CLOSED

from coderunner.tools.sdk.session import Json, SdkError, SdkSession, first_of

http = httpx2
"""What this generation speaks HTTP with."""


class _Session:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def list_tools(self, cursor: str | None) -> Json:
        with _translated():
            return (await self._client.list_tools(cursor=cursor)).model_dump(mode="json", by_alias=True)

    async def call_tool(self, name: str, arguments: Mapping[str, object]) -> Json:
        with _translated():
            given = await self._client.call_tool(name, dict(arguments))
            return given.model_dump(mode="json", by_alias=True)


async def start(program: StdioServerParameters, log: TextIO, stack: AsyncExitStack) -> SdkSession:
    """Start a program, and talk to it; its stderr goes to `log`."""
    with _translated():
        return _Session(await stack.enter_async_context(Client(stdio_client(program, errlog=log))))


async def reach(url: str, client: httpx2.AsyncClient, largest: int, stack: AsyncExitStack) -> SdkSession:
    """Talk to a server at an address; `largest`: bytes of one of its events."""
    transport = streamable_http_client(url, http_client=client, max_sse_event_size=largest)
    with _translated():
        return _Session(await stack.enter_async_context(Client(transport)))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (MCPError, ExceptionGroup) as error:
        if not isinstance(said := first_of(error), MCPError):
            raise
        raise SdkError(said.message, closed=said.code == CONNECTION_CLOSED) from None
