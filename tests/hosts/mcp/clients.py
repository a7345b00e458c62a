"""The SDK's own client, over both transports and in both families of the protocol."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, TextContent

REPOSITORY = Path(__file__).parent.parent.parent.parent
ALICE, BOB = "alice-7f3a9c51e2d4", "bob-51e2d47f3a9c00"
"""Two people's keys."""
MODES = ("auto", "legacy")
"""The newest protocol, of requests that stand alone, and those before it, which begin with a handshake."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(REPOSITORY / "extension"),
        "CODERUNNER_DATA_DIR": str(folder),
        "CODERUNNER_API_KEY": f"{ALICE} {BOB}",
        **more,
    }


@contextlib.contextmanager
def http_server(folder: Path, *flags: str, **variables: str) -> Iterator[str]:
    """Run a server at an address until the block ends; gives the address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "coderunner", "mcp", "--http", "--port", "0", "--allow-local-kernel", *flags],
        env=environment(folder, **variables),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.asynccontextmanager
async def over_http(url: str, key: str = ALICE, mode: str = "auto", **more: Any) -> AsyncGenerator[Client]:
    """Connect as whoever has `key`."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode, **more) as client,
    ):
        yield client
        for each in stands(await call(client, "list_sessions"), "result"):
            await call(client, "reset", session=each["session"])


@contextlib.asynccontextmanager
async def over_stdio(
    folder: Path, *flags: str, mode: str = "auto", variables: Mapping[str, str] | None = None, **more: Any
) -> AsyncGenerator[Client]:
    """Start a server of one's own and connect to it."""
    arguments = ["-m", "coderunner", "mcp", *flags]
    command = StdioServerParameters(
        command=sys.executable, args=arguments, env=environment(folder, **(variables or {}))
    )
    async with Client(command, mode=mode, **more) as client:
        yield client


async def call(client: Client, tool: str, **arguments: Any) -> CallToolResult:
    """Call a tool."""
    return await client.call_tool(tool, arguments)


def texts(result: CallToolResult) -> list[str]:
    """What a model reads, and the types of what it sees."""
    return [
        block.text
        if isinstance(block, TextContent)
        else block.mime_type
        if isinstance(block, ImageContent)
        else block.type
        for block in result.content
    ]


def stands(result: CallToolResult, name: str) -> Any:
    """A part of what is told as data."""
    assert result.structured_content is not None
    return result.structured_content[name]
