#!/usr/bin/env bash
# bash_kernel 0.10.0: output that does not end its line gets a newline that the command never wrote, so the output of
# `printf hi` is "hi\n". A command that fails is an error whose name is the empty text and whose value is the exit code.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet bash_kernel==0.10.0 jupyter_client==8.10.0 ipykernel==7.4.0
"$work/venv/bin/python" -m bash_kernel.install --sys-prefix >/dev/null
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

(printed, _), (failed, reply) = run("bash", ["printf hi", "false"])
expect("stream", [c["text"] for kind, c in printed if kind == "stream"], ["hi\n"])
expect("error", [(c["ename"], c["evalue"]) for kind, c in failed if kind == "error"], [("", "1")])
expect("reply", (reply["status"], reply["ename"], reply["evalue"]), ("error", "", "1"))
PY
