#!/usr/bin/env bash
# ipykernel 7.4.0 with IPython 9.18.1: where one format of a cell's last value raises and another is shown (pygal 3.1.3
# without cairosvg: its PNG raises, its SVG does not), the reply is an error of the type 'NoneType' with the text 'None', between
# an `error` message that names the real exception and an `execute_result` that is whole. The same object by `display()`
# sends the same `error` message, and its reply is 'ok'. So neither reply nor message says whether the cell failed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 ipython==9.18.1 jupyter_client==8.10.0 pygal==3.1.3
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import queue, sys
from jupyter_client.manager import KernelManager

def run(kernel, codes):
    """Run each code; give the content of its iopub messages and of its reply."""
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        for code in codes:
            sent, seen, reply, idle = client.execute(code), [], None, False
            while not (idle and reply):
                try:
                    message = client.get_iopub_msg(timeout=0.2)
                    if message["parent_header"].get("msg_id") == sent:
                        seen.append((message["msg_type"], message["content"]))
                        idle = idle or message["content"].get("execution_state") == "idle"
                except queue.Empty:
                    pass
                try:
                    message = client.get_shell_msg(timeout=0.05)
                    reply = message["content"] if message["parent_header"].get("msg_id") == sent else reply
                except queue.Empty:
                    pass
            yield seen, reply
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

def expect(what, seen, wanted):
    print(f"{what}: {seen!r}")
    if seen != wanted:
        sys.exit(f"changed: {wanted!r} was seen before")

chart = "import pygal\nchart = pygal.Bar()\nchart.add('n', [3, 5])\n"
last, shown = run("python3", [f"{chart}chart", f"{chart}display(chart)"])
for seen, kind in ((last[0], "execute_result"), (shown[0], "display_data")):
    expect("error", [c["ename"] for name, c in seen if name == "error"], ["ModuleNotFoundError"])
    expect(kind, [sorted(c["data"]) for name, c in seen if name == kind], [["image/svg+xml", "text/plain"]])
expect("reply to a last value", [last[1].get(key) for key in ("status", "ename", "evalue")], ["error", "NoneType", "None"])
expect("reply to display()", shown[1]["status"], "ok")
PY
