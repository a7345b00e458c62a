#!/usr/bin/env bash
# mcp 2.3.0 against mcp 1.27.0: where a server at an address answers the first request of a client with HTTP 401, the
# first generation of the SDK raises an error of its HTTP client, which has the status. The second raises MCPError with
# the words "Server returned an error response" and a code of JSON-RPC: whether a secret was refused, the address is
# wrong or the server is broken can only be learnt by watching the HTTP client that one gives to it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.py" <<'PY'
import asyncio, logging, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import mcp
from mcp.client.streamable_http import streamable_http_client

logging.disable(logging.CRITICAL)

class Closed(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(int(sys.argv[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *told):
        pass

async def connect(address):
    if hasattr(mcp, "Client"):
        async with mcp.Client(streamable_http_client(address)):
            pass
    else:
        async with streamable_http_client(address) as (reads, writes, _):
            async with mcp.ClientSession(reads, writes) as session:
                await session.initialize()

server = HTTPServer(("127.0.0.1", 0), Closed)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    asyncio.run(asyncio.wait_for(connect(f"http://127.0.0.1:{server.server_port}/mcp"), 30))
except BaseException as error:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    status = getattr(getattr(error, "response", None), "status_code", None)
    print(type(error).__name__, status, "" if status else error)
server.shutdown()
PY
for version in 1.27.0 2.3.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet "mcp==$version"
  for status in 401 500; do
    timeout 100 "$work/$version/bin/python" "$work/ask.py" "$status" | sed "s/^/mcp $version, HTTP $status: /"
  done
done | tee "$work/said"
diff "$work/said" - <<'SAID' || { echo "changed: this was otherwise before"; exit 1; }
mcp 1.27.0, HTTP 401: HTTPStatusError 401 
mcp 1.27.0, HTTP 500: HTTPStatusError 500 
mcp 2.3.0, HTTP 401: MCPError None Server returned an error response
mcp 2.3.0, HTTP 500: MCPError None Server returned an error response
SAID
