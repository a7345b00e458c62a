#!/usr/bin/env bash
# akernel 0.4.2: the value of a cell's last line is a `stream` message on stdout, not an `execute_result`, so that a
# client cannot tell it from what the cell printed. The reply to a cell that fails has the status "error" and neither
# `ename`, `evalue` nor `traceback`, which the protocol promises there; they are in the `error` message on iopub alone.
# (Without cyclopts and zmq-anyio, which `pip install akernel` leaves out, it does not start.)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet akernel==0.4.2 cyclopts==5.5.2 zmq-anyio==0.4.1 jupyter_client==8.10.0
PATH="$work/venv/bin:$PATH" timeout 180 python - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import queue, sys
from jupyter_client.manager import KernelManager

def run(kernel, codes):
    """Run each code; give the types and contents of its iopub messages, and the content of its reply."""
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

(value, _), (failed, reply) = run("akernel", ["1 + 1", "1 / 0"])
shown = [(kind, c.get("text")) for kind, c in value if kind in ("stream", "execute_result", "display_data")]
expect("what 1 + 1 shows", shown, [("stream", "2\n")])
expect("error on iopub", [c["ename"] for kind, c in failed if kind == "error"], ["ZeroDivisionError"])
expect("the reply", (reply["status"], [k for k in ("ename", "evalue", "traceback") if k in reply]), ("error", []))
PY
