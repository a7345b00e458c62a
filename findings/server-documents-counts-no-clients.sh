#!/usr/bin/env bash
# jupyter-server-documents 0.3.3 on jupyter_server 2.21.1: a kernel with clients has 0 `connections` in GET /api/kernels, so that
# nobody sees whether somebody works in it, where jupyter_server alone counts them. And a kernel whose process ends
# is not told: no `restarting` comes on the WebSocket, where jupyter_server alone sends one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ask.py" <<'PY'
import asyncio, json, os, pathlib, socket, subprocess, sys, time, urllib.request, uuid
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from tornado.websocket import websocket_connect

work = sys.argv[1]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = subprocess.Popen(
    [pathlib.Path(sys.executable).parent / "jupyter-server", "--allow-root", "--no-browser", f"--port={port}",
     "--ServerApp.port_retries=0", "--IdentityProvider.token=letmein", f"--ServerApp.root_dir={work}"],
    env={**os.environ, "JUPYTER_CONFIG_DIR": f"{work}/config"}, stderr=subprocess.DEVNULL,
)

def ask(path, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "token letmein", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())

async def look(kernel):
    address = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?token=letmein&session_id={uuid.uuid4().hex}"
    connection = await websocket_connect(address, connect_timeout=60, subprotocols=["v1.kernel.websocket.jupyter.org"])
    seen = []

    async def run(code):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "a", "session": uuid.uuid4().hex,
                  "date": "2026-01-01T00:00:00Z", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        await connection.write_message(serialize_msg_to_ws_v1(parts, "shell"), binary=True)

    async def listen(seconds, until):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not until():
            try:
                frame = await asyncio.wait_for(connection.read_message(), left)
            except TimeoutError:
                return
            channel, (header, parent, metadata, content, *_) = deserialize_msg_from_ws_v1(frame)
            seen.append((json.loads(header)["msg_type"], json.loads(content).get("execution_state")))

    await run("1")
    await listen(60, lambda: any(kind == "execute_reply" for kind, _ in seen))
    connections = [row["connections"] for row in ask("/api/kernels")]
    await run("import os; os._exit(1)")
    await listen(20, lambda: ("status", "restarting") in seen)
    connection.close()
    return connections, ("status", "restarting") in seen

try:
    for _ in range(300):
        try:
            ask("/api")
            break
        except OSError:
            time.sleep(0.1)
    connections, told = asyncio.run(look(ask("/api/kernels", {"name": "python3"})["id"]))
    print(f"connections of a kernel with a client: {connections}; its end is told: {told}")
finally:
    server.kill()
PY
for extension in "" jupyter-server-documents==0.3.3; do
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet jupyter_server==2.21.1 ipykernel==7.4.0 $extension
  timeout 180 "$work/venv/bin/python" "$work/ask.py" "$work" 2>"$work/stderr" | sed "s/^/${extension:-jupyter_server alone}: /" || { tail -n 5 "$work/stderr" >&2; exit 1; }
  rm -rf "$work/venv"
done | tee "$work/said"
diff "$work/said" - <<'SAID' || { echo "changed: this was otherwise before"; exit 1; }
jupyter_server alone: connections of a kernel with a client: [1]; its end is told: True
jupyter-server-documents==0.3.3: connections of a kernel with a client: [0]; its end is told: False
SAID
