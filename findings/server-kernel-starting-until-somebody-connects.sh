#!/usr/bin/env bash
# jupyter_server 2.21.1: `execution_state` of a kernel that has been started is "starting" until somebody opens its
# WebSocket, however long ago it became ready: who waits for "idle" by GET /api/kernels/ID waits in vain. And the
# WebSocket's handshake is no sign of a connection alone: its 101 is sent only when the kernel has answered a request of
# the server's. A kernel that takes 5 s to start lets the client wait 5 s for the handshake, though POST /api/kernels
# answered 201 at once; a client with a shorter limit for connecting takes the server for one that is down.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet jupyter_server==2.21.1 ipykernel==7.4.0
timeout 180 "$work/venv/bin/python" - "$work" 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import asyncio, json, os, pathlib, socket, subprocess, sys, time, urllib.request
from tornado.websocket import websocket_connect

work = pathlib.Path(sys.argv[1])
spec = work / "data" / "kernels" / "slow"
spec.mkdir(parents=True)
command = ["sh", "-c", 'sleep 5; exec "$0" -m ipykernel_launcher -f "$1"', sys.executable, "{connection_file}"]
(spec / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "slow", "language": "python"}))
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = subprocess.Popen(
    [pathlib.Path(sys.executable).parent / "jupyter-server", "--allow-root", "--no-browser", f"--port={port}",
     "--ServerApp.port_retries=0", "--IdentityProvider.token=letmein", f"--ServerApp.root_dir={work}"],
    env={**os.environ, "JUPYTER_PATH": str(work / "data"), "JUPYTER_CONFIG_DIR": str(work / "config")},
    stderr=subprocess.DEVNULL,
)

def ask(path, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "token letmein", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())

def state(kernel):
    return ask(f"/api/kernels/{kernel}")["execution_state"]

def start(name):
    began = time.monotonic()
    return ask("/api/kernels", {"name": name})["id"], time.monotonic() - began

async def connect(kernel):
    began = time.monotonic()
    address = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?token=letmein"
    connection = await websocket_connect(address, connect_timeout=60)
    took = time.monotonic() - began
    for _ in range(100):
        if state(kernel) == "idle":
            break
        await asyncio.sleep(0.1)
    connection.close()
    return took

try:
    for _ in range(200):
        try:
            ask("/api")
            break
        except OSError:
            time.sleep(0.1)
    plain, _ = start("python3")
    time.sleep(15)
    before = state(plain)
    asyncio.run(connect(plain))
    print(f"15 s after its start: {before}; after a client has connected: {state(plain)}")
    slow, answered = start("slow")
    took = asyncio.run(connect(slow))
    print(f"a kernel of 5 s: started in under 4 s: {answered < 4}; its handshake took over 4 s: {took > 4}")
    sys.exit((before, state(plain), answered < 4, took > 4) != ("starting", "idle", True, True))
finally:
    server.terminate()
    server.wait()
PY
