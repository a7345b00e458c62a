"""A real MCP server for the tests, over stdin and stdout or HTTP: `python mcp_server.py [PORT]`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

from mcp.server.mcpserver import Context, Image, MCPServer
from pydantic import BaseModel

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fccfc0f01f0005050201"
    "5f0c48ca0000000049454e44ae426082"
)

OTHER_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001"
    "ff89993d1d0000000049454e44ae426082"
)

server = MCPServer("shop")


class Page(BaseModel):
    """What a search finds."""

    title: str
    score: float


@server.tool()
def search(query: str, limit: int = 2, order: Literal["up", "down"] = "up") -> list[Page]:
    """Finds pages. The best come first."""
    return [Page(title=f"{query} {number} {order}", score=number / 2) for number in range(limit)]


@server.tool()
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool()
def chart(title: str) -> Image:
    """Draws a chart."""
    return Image(data=PNG, format="png")


@server.tool(structured_output=False)
def album(title: str) -> list[object]:
    """Draws several charts."""
    first, second = (Image(data=data, format="png") for data in (PNG, OTHER_PNG))
    return [f"The album of {title}", first, "and", second]


@server.tool()
def fail(why: str) -> str:
    """Fails."""
    from mcp.server.mcpserver.exceptions import ToolError

    raise ToolError(f"the shop is closed: {why}")


@server.tool()
async def slow(seconds: float, log: str) -> str:
    """Takes its time, and writes down that it began and how it ended."""
    note(log, "began")
    try:
        await asyncio.sleep(seconds)
    except BaseException:
        note(log, "cancelled")
        raise
    note(log, "ended")
    return "done"


def note(log: str, word: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{word}\n")


@server.tool(name="list-files")
def list_files(in_folder: str = ".") -> str:
    """Lists files."""
    return f"files of {in_folder}"


@server.tool()
def secret_length() -> int:
    """The length of the secret that this server was given."""
    return len(os.environ.get("SHOP_KEY", ""))


@server.tool()
def authorization(context: Context) -> str:
    """The secret that came with the request: its kind and length."""
    kind, _, secret = (context.headers or {}).get("authorization", "").partition(" ")
    return f"{kind} {len(secret)}"


@server.tool()
def large(size: int) -> str:
    """Gives much."""
    return "x" * size


@server.tool()
def leave() -> str:
    """Ends the server."""
    os._exit(3)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run()
