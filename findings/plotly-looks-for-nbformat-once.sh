#!/usr/bin/env bash
# plotly 7.1.0 looks for nbformat when it is imported. Where nbformat is installed after that, into the environment of
# the running process, show() goes on saying that it is not installed until the process is started anew, though
# importing nbformat there succeeds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet plotly==7.1.0 ipython==9.18.1
cat >"$work/show.py" <<'PY'
import contextlib, importlib, io, subprocess, sys
import plotly.graph_objects as go

def shown():
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            go.Figure().show(renderer="plotly_mimetype")
    except ValueError as error:
        return str(error)
    return "shown"

def expect(what, seen, wanted):
    print(f"{what}: {seen!r}")
    if seen != wanted:
        sys.exit(f"changed: {wanted!r} was seen before")

LACKING = "Mime type rendering requires nbformat>=4.2.0 but it is not installed"
if sys.argv[1:] == ["first"]:
    expect("without nbformat", shown(), LACKING)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "nbformat==5.11.1"], check=True)
    importlib.invalidate_caches()
    import nbformat
    expect("nbformat can be imported", nbformat.__version__, "5.11.1")
    expect("after it was installed", shown(), LACKING)
else:
    expect("in a new process", shown(), "shown")
PY
timeout 300 "$work/venv/bin/python" "$work/show.py" first
timeout 120 "$work/venv/bin/python" "$work/show.py" again
