#!/usr/bin/env bash
# ipykernel 7.4.0 with IPython 9.18.1: how many `error` messages a cell sends on iopub depends on the exception. An
# ExceptionGroup sends none (its text goes to stderr, and the traceback of the reply is empty); an exception whose __str__
# raises sends two, both about what __str__ raised.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 ipython==9.18.1 jupyter_client==8.10.0
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

codes = [
    "raise ExceptionGroup('several', [ValueError(1)])",
    "class Odd(Exception):\n    def __str__(self): raise RuntimeError('no')\nraise Odd()",
]
(group, reply), (odd, _) = run("python3", codes)
expect("errors of a group", [c["ename"] for kind, c in group if kind == "error"], [])
expect("its text", any(kind == "stream" and c["name"] == "stderr" for kind, c in group), True)
expect("reply", (reply["status"], reply["ename"], reply["traceback"]), ("error", "ExceptionGroup", []))
expect("errors of __str__", [(c["ename"], c["evalue"]) for kind, c in odd if kind == "error"], [("RuntimeError", "no")] * 2)
PY
