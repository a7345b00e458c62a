#!/usr/bin/env bash
# jupyter_kernel_gateway 3.0.1 as it comes: a token that may start a kernel may not list kernels. POST /api/kernels answers
# 201, the kernel's own address 200, GET /api/kernels and GET /api/sessions 403 with the right token, until
# JupyterWebsocketPersonality.list_kernels is set. A row of POST /api/sessions has its path below "notebook" alone, where
# Jupyter Server has a top-level "path" as well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet jupyter_kernel_gateway==3.0.1 ipykernel==7.4.0
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import json, pathlib, socket, subprocess, sys, time, urllib.error, urllib.request

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
program = pathlib.Path(sys.executable).parent / "jupyter-kernelgateway"
gateway = subprocess.Popen(
    [program, f"--port={port}", "--ip=127.0.0.1", "--KernelGatewayApp.auth_token=letmein"], stderr=subprocess.DEVNULL
)

def ask(path, body=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": "token letmein", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, None

try:
    for _ in range(200):
        try:
            ask("/api")
            break
        except OSError:
            time.sleep(0.1)
    status, kernel = ask("/api/kernels", {"name": "python3"})
    session_status, session = ask("/api/sessions", {"name": "a", "path": "a.ipynb", "type": "notebook", "kernel": {"name": "python3"}})
    seen = {
        "start": status,
        "its own address": ask(f"/api/kernels/{kernel['id']}")[0],
        "list kernels": ask("/api/kernels")[0],
        "list sessions": ask("/api/sessions")[0],
        "start a session": session_status,
        "path in its row": (session.get("path"), session["notebook"].get("path")),
    }
    print(seen)
    wanted = {"start": 201, "its own address": 200, "list kernels": 403, "list sessions": 403, "start a session": 201, "path in its row": (None, "a.ipynb")}
    sys.exit(seen != wanted)
finally:
    gateway.terminate()
    gateway.wait()
PY
