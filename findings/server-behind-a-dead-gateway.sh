#!/usr/bin/env bash
# jupyter_server 2.21.1 in `gateway_url` mode, with nothing at the gateway's address: GET /api/kernels and /api/kernelspecs
# answer 503, with a reason whose placeholder nobody has filled ("Gateway server url '%s'"). GET /api answers 200, and
# so does GET /api/sessions, with an empty list: to a client that asks for sessions, the server is well and idle.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet jupyter_server==2.21.1 ipykernel==7.4.0
timeout 180 "$work/venv/bin/python" - "$work" 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import os, pathlib, socket, subprocess, sys, time, urllib.error, urllib.request

def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

port, gateway = free(), free()
server = subprocess.Popen(
    [pathlib.Path(sys.executable).parent / "jupyter-server", "--allow-root", "--no-browser", f"--port={port}",
     "--ServerApp.port_retries=0", "--IdentityProvider.token=letmein", f"--ServerApp.root_dir={sys.argv[1]}",
     f"--GatewayClient.url=http://127.0.0.1:{gateway}"],
    env={**os.environ, "JUPYTER_CONFIG_DIR": f"{sys.argv[1]}/config"}, stderr=subprocess.DEVNULL,
)

def ask(path):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": "token letmein"})
    try:
        with urllib.request.urlopen(request, timeout=100) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()

try:
    for _ in range(200):
        try:
            ask("/api")
            break
        except OSError:
            time.sleep(0.1)
    seen = {}
    for path in ("/api", "/api/kernelspecs", "/api/kernels", "/api/sessions"):
        status, text = ask(path)
        seen[path] = (status, "url '%s'" in text, text == "[]")
        print(path, status, text)
    unfilled, empty = (503, True, False), (200, False, True)
    sys.exit(list(seen.values()) != [(200, False, False), unfilled, unfilled, empty])
finally:
    server.terminate()
    server.wait()
PY
