#!/usr/bin/env bash
# jupyverse 0.14.18 with its auth plugin in token mode: a token is taken from the address alone. With the right token in
# an Authorization header ("token …" or "Bearer …"), as Jupyter Server takes it, GET /api/kernels is a redirect to
# /login, exactly as with a wrong one or none; `?token=` answers 200. Kernels are started by POST /api/sessions alone:
# POST /api/kernels answers 405.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "jupyverse[auth,jupyterlab]==0.14.18" ipykernel==7.4.0
cd "$work"
PATH="$work/venv/bin:$PATH" timeout 300 python - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import http.client, json, os, signal, socket, subprocess, sys, time

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = subprocess.Popen(
    ["jupyverse", "--port", str(port), "--timeout", "90", "--set", "auth.mode=token", "--set", "auth.token=letmein"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
)

def ask(method, path, authorization=None, body=None):
    """The status of the answer, and where it sends the client."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, (answer.getheader("Location") or "").partition("?")[0]

try:
    for _ in range(600):
        try:
            ask("GET", "/api")
            break
        except OSError:
            time.sleep(0.1)
    session = {"kernel": {"name": "python3"}, "name": "a.ipynb", "path": "a.ipynb", "type": "notebook"}
    seen = [
        ask("GET", "/api/kernels"),
        ask("GET", "/api/kernels", "token letmein"),
        ask("GET", "/api/kernels", "Bearer letmein"),
        ask("GET", "/api/kernels?token=letmein"),
        ask("POST", "/api/kernels?token=letmein", None, {"name": "python3"}),
        ask("POST", "/api/sessions?token=letmein", None, session),
    ]
    print(*seen, sep="\n")
    refused = (307, "/login")
    sys.exit(seen != [refused, refused, refused, (200, ""), (405, ""), (201, "")])
finally:
    os.killpg(server.pid, signal.SIGKILL)  # its kernel as well, which would go on without it
    server.wait()
PY
