#!/usr/bin/env bash
# jupyter_client 8.10.0: restart_kernel(newports=True) keeps every port. The manager caches its ports by default over TCP,
# and the flag does not clear that cache.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ipykernel==7.4.0 jupyter_client==8.10.0
timeout 180 "$work/venv/bin/python" - 2>"$work/stderr" <<'PY' || { tail -n 5 "$work/stderr" >&2; exit 1; }
import sys
from jupyter_client.manager import KernelManager

manager = KernelManager()
manager.start_kernel()
before = manager.ports
manager.restart_kernel(newports=True, now=True)
after = manager.ports
manager.shutdown_kernel(now=True)
print("the same ports:", before == after)
sys.exit(before != after)
PY
