#!/usr/bin/env bash
# gradio 6.31.0: each import of it reads the source of each of its components, finds the class in it by parsing, draws
# a stub of it from a template, and compares that with a `.pyi` file beside the source, which it writes where there is
# none or where it differs. This is over a quarter of what the import computes; no setting or variable turns it off.
# With mcp 2.3.0 in the same environment, which gradio does not need, the import takes in all of the SDK besides (for
# a class that serves only `launch(mcp_server=True)`): the two make it twice as long.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet gradio==6.31.0 mcp==2.3.0
cat >"$work/import.py" <<'PY'
import inspect, json, sys, time

opened = []
sys.addaudithook(lambda event, told: event == "open" and str(told[0]).endswith(".pyi") and opened.append(told[0]))
for what in sys.argv[1:]:
    if what == "no-mcp":
        sys.modules["mcp"] = None
    if what == "no-sources":
        find = inspect.getfile
        def get_file(thing):
            if isinstance(thing, type) and thing.__module__.startswith("gradio."):
                raise OSError
            return find(thing)
        inspect.getfile = get_file
began = time.process_time()
import gradio
took = time.process_time() - began
print(json.dumps([len(set(opened)), "mcp.client" in sys.modules, took]))
PY
cat >"$work/compare.py" <<'PY'
import json, subprocess, sys

def expect(what, seen, holds):
    print(f"{what}: {seen!r}")
    if not holds:
        sys.exit("changed: this was otherwise before")

def imported(*how):
    said = [json.loads(subprocess.check_output([sys.executable, sys.argv[1], *how])) for _ in range(3)]
    return [*said[0][:2], min(each[2] for each in said)]

imported()  # compiled now
stubs, sdk, whole = imported()
expect("stubs that are opened by the second import", stubs, stubs > 30)
expect("the SDK is imported", sdk, sdk)
_, _, alone = imported("no-mcp")
stubs, _, least = imported("no-mcp", "no-sources")
expect("stubs opened where no class has a source", stubs, stubs == 0)
expect("seconds of a processor: whole, without the SDK, and without stubs",
       [round(each, 1) for each in (whole, alone, least)], whole > 1.5 * least and alone > 1.25 * least)
PY
PYTHONDONTWRITEBYTECODE= timeout 600 "$work/venv/bin/python" "$work/compare.py" "$work/import.py"
