#!/usr/bin/env bash
# calysto_scheme 2.1.9 on metakernel 1.0.7: an error in a cell sends no `error` message on iopub. There is coloured text on
# stderr, and the name and value stand in execute_reply alone. A client that takes errors from iopub sees a cell that printed
# something and ended well.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet calysto_scheme==2.1.9 metakernel==1.0.7 jupyter_client==8.10.0 ipykernel==7.4.0
"$work/venv/bin/python" -m calysto_scheme install --sys-prefix >/dev/null 2>&1
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

((failed, reply),) = run("calysto_scheme", ["(car 5)"])
expect("iopub", [kind for kind, c in failed], ["status", "execute_input", "stream", "status"])
expect("stream", [c["name"] for kind, c in failed if kind == "stream"], ["stderr"])
expect("reply", (reply["status"], reply["ename"]), ("error", "RunTimeError"))
PY
