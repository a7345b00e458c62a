#!/usr/bin/env bash
# xeus-python 0.19.0: the `ename` of an error is the text of a type object, "<class 'ZeroDivisionError'>", where the
# messaging protocol and ipykernel have the bare name. And each write to sys.stdout is a stream message of its own:
# print("got", 1) makes four. A client that compares `ename` with names, or that draws once a message, is surprised.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet xeus-python==0.19.0 xeus-python-shell==0.8.1 jupyter_client==8.10.0
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import queue, sys
from jupyter_client.manager import KernelManager

def run(kernel, codes, **options):
    """Run each code; give the content of its iopub messages and of its reply."""
    manager = KernelManager(kernel_name=kernel)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        for code in codes:
            sent, seen, reply, idle = client.execute(code, **options), [], None, False
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

(printed, _), (failed, reply) = run("xpython", ['print("got", 1)', "1/0"])
expect("stream", [c["text"] for kind, c in printed if kind == "stream"], ["got", " ", "1", "\n"])
expect("error on iopub", [c["ename"] for kind, c in failed if kind == "error"], ["<class 'ZeroDivisionError'>"])
expect("error in the reply", reply["ename"], "<class 'ZeroDivisionError'>")
PY
