#!/usr/bin/env bash
# jupyter-server-proxy 4.6.0 with jupyter_server 2.21.1: a program that it has started and that ends is started again only if
# its exit code is not 0, then at once and without a request. After an end with 0, each further request gets 500 until the
# Jupyter server is restarted: the proxy takes the ended program for one that runs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet jupyter-server-proxy==4.6.0 jupyter_server==2.21.1
cat > "$work/program.py" <<'PY'
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.wfile.flush()
        if self.path.endswith("/end"):
            os._exit(int(sys.argv[2]))

    def log_message(self, *_):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PY
cat > "$work/config.py" <<PY
c = get_config()
c.ServerProxy.servers = {
    name: {"command": ["$work/venv/bin/python", "$work/program.py", "{port}", code], "timeout": 30}
    for name, code in (("ends-with-0", "0"), ("ends-with-1", "1"))
}
PY
mkdir "$work/home"
HOME="$work/home" timeout 180 "$work/venv/bin/python" - "$work" 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import re, subprocess, sys, threading, time, urllib.error, urllib.request

work = sys.argv[1]
server = subprocess.Popen(
    [f"{work}/venv/bin/python", "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
     "--ServerApp.port=0", "--IdentityProvider.token=valid", f"--config={work}/config.py", f"--ServerApp.root_dir={work}"],
    stderr=subprocess.PIPE, text=True)
try:
    url = next(found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:[1-9]\d+", line)))
    threading.Thread(target=server.stderr.read, daemon=True).start()

    def ask(path):
        request = urllib.request.Request(f"{url}/{path}", headers={"Authorization": "token valid"})
        try:
            return urllib.request.urlopen(request, timeout=60).status
        except urllib.error.HTTPError as error:
            return error.code

    seen = {}
    for name in ("ends-with-0", "ends-with-1"):
        first = ask(f"{name}/")
        ask(f"{name}/end")
        until = time.monotonic() + 8
        while (later := ask(f"{name}/")) != 200 and time.monotonic() < until:
            time.sleep(0.5)
        seen[name] = (first, later)
    print(seen)
    if seen != {"ends-with-0": (200, 500), "ends-with-1": (200, 200)}:
        sys.exit("changed")
finally:
    server.terminate()
    server.wait(30)
PY
