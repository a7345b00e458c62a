#!/usr/bin/env bash
# ipykernel 7.4.0: ids of messages end in a running number, over all channels, and look as if a number that never comes
# were a message that was lost. Some numbers are taken and never sent: a cell whose last expression has
# `_ipython_display_` (every Plotly figure) leaves a hole, as does one whose value has a `__repr__` that raises. The
# same object given to display(), or an ordinary value, leaves none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 ipython==9.18.1 jupyter_client==8.10.0
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import queue
from jupyter_client.manager import KernelManager

SHOWN = "class A:\n    _ipython_display_ = lambda self: print('shown')\n"
CELLS = {
    "1 + 1": 0,
    f"{SHOWN}display(A())": 0,
    f"{SHOWN}A()": 1,
    "class B:\n    def __repr__(self): raise ValueError('no')\nB()": 1,
}
manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.client()
client.start_channels()
try:
    client.wait_for_ready(timeout=60)
    client.execute_interactive("pass", timeout=60)
    for code, expected in CELLS.items():
        sent, numbers, ends = client.execute(code), [], set()
        while len(ends) < 2:
            for channel, get in (("iopub", client.get_iopub_msg), ("shell", client.get_shell_msg)):
                try:
                    message = get(timeout=0.1)
                except queue.Empty:
                    continue
                if message["parent_header"].get("msg_id") == sent:
                    numbers.append(int(message["header"]["msg_id"].rpartition("_")[2]))
                    if channel == "shell" or message["content"].get("execution_state") == "idle":
                        ends.add(channel)
        holes = set(range(min(numbers), max(numbers) + 1)) - set(numbers)
        print(f"{len(holes)} holes: {code!r}")
        assert len(holes) == expected, (code, sorted(numbers))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
PY
