#!/usr/bin/env bash
# mcp 2.3.0 against mcp 1.27.0: what a tool of a server raises, the first generation of the SDK passes on to the model
# ("Error executing tool divide: nothing to divide by"). The second says "Error executing tool divide" and no more: the
# reason is in the server's log alone, and a model that could have mended its arguments is not told what is wrong.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.py" <<'PY'
import asyncio, logging
import mcp

logging.disable(logging.CRITICAL)
try:
    from mcp.server import MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import FastMCP as Server

server = Server("sums")

@server.tool()
def divide(by: int) -> int:
    if not by:
        raise ValueError("nothing to divide by")
    return 10 // by

async def ask():
    if hasattr(mcp, "Client"):
        async with mcp.Client(server) as client:
            return await client.call_tool("divide", {"by": 0})
    from mcp.shared.memory import create_connected_server_and_client_session as connected
    async with connected(server._mcp_server) as session:
        return await session.call_tool("divide", {"by": 0})

answer = asyncio.run(asyncio.wait_for(ask(), 60))
print(getattr(answer, "isError", None) or getattr(answer, "is_error", None), "/", answer.content[0].text)
PY
for version in 1.27.0 2.3.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet "mcp==$version"
  timeout 100 "$work/$version/bin/python" "$work/ask.py" 2>/dev/null | sed "s/^/mcp $version: /"
done | tee "$work/said"
diff "$work/said" - <<'SAID' || { echo "changed: this was otherwise before"; exit 1; }
mcp 1.27.0: True / Error executing tool divide: nothing to divide by
mcp 2.3.0: True / Error executing tool divide
SAID
