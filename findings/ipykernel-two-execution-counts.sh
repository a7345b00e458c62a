#!/usr/bin/env bash
# ipykernel 7.4.0: with `store_history: false` the messages of one cell disagree about its number: execute_input has the next
# number, execute_result and execute_reply have the one before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 jupyter_client==8.10.0
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

((seen, reply),) = run("python3", ["2"], store_history=False)
expect("execute_input", [c["execution_count"] for kind, c in seen if kind == "execute_input"], [1])
expect("execute_result", [c["execution_count"] for kind, c in seen if kind == "execute_result"], [0])
expect("execute_reply", reply["execution_count"], 0)
PY
