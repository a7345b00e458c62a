#!/usr/bin/env bash
# Output of a thread that was started in one cell and prints while another runs: ipykernel 6.29.5 gives it to the cell that
# started the thread, 7.4.0 to the cell that runs when it is printed. Both are told by the parent header alone.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/cells.py" <<'PY'
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

first = """
import threading
go = threading.Event()
threading.Thread(target=lambda: (go.wait(), print("from the thread", flush=True))).start()
"""
second = "import time; go.set(); time.sleep(1)"
manager = KernelManager()
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=60)
sent, cells = {client.execute(first): "first", client.execute(second): "second"}, 0
printed_in = None
while cells < 2:
    message = client.get_iopub_msg(timeout=60)
    cell = sent.get(message["parent_header"].get("msg_id"))
    if message["msg_type"] == "stream" and "from the thread" in message["content"]["text"]:
        printed_in = cell
    cells += cell is not None and message["content"].get("execution_state") == "idle"
while printed_in is None:
    message = client.get_iopub_msg(timeout=10)
    if message["msg_type"] == "stream":
        printed_in = sent.get(message["parent_header"].get("msg_id"))
client.stop_channels()
manager.shutdown_kernel(now=True)
expect("the thread's output belongs to the cell that came", printed_in, sys.argv[1])
PY
for pair in 6.29.5:first 7.4.0:second; do
  python3 -m venv "$work/${pair%:*}"
  "$work/${pair%:*}/bin/pip" install --quiet "ipykernel==${pair%:*}" jupyter_client==8.10.0
  echo "ipykernel ${pair%:*}"
  timeout 120 "$work/${pair%:*}/bin/python" "$work/cells.py" "${pair#*:}" 2>"$work/stderr" || { tail -n 5 "$work/stderr" >&2; exit 1; }
done
