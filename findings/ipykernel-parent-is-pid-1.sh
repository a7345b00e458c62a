#!/usr/bin/env bash
# ipykernel 7.4.0 and 6.29.5: a kernel that process 1 has started, as a container's first program is, ends within seconds with
# exit code 1, though its parent lives, if JPY_PARENT_PID names another process. jupyter_client sets that variable to itself;
# a program that passes its environment on, for a client outside of the container, passes this on too. With 1, with 0 or
# without the variable the kernel lives.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/first.py" <<'PY'
"""Is the process 1; starts a kernel and says how it ends, or that it lives after eight seconds."""
import os, subprocess, sys, tempfile
assert os.getpid() == 1
folder = tempfile.mkdtemp()
variables = {name: value for name, value in os.environ.items() if name != "JPY_PARENT_PID"}
if sys.argv[1] != "unset":
    variables["JPY_PARENT_PID"] = sys.argv[1]
kernel = subprocess.Popen(
    [sys.executable, "-m", "ipykernel_launcher", "-f", f"{folder}/kernel.json"],
    env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    print(f"exit {kernel.wait(8)}")
except subprocess.TimeoutExpired:
    print("lives")
    kernel.kill()
PY
failed=0
seen() {
  local said
  said=$(timeout 60 unshare --user --map-root-user --pid --fork --kill-child "$work/$1/bin/python" "$work/first.py" "$2")
  echo "ipykernel $1, JPY_PARENT_PID $2: $said"
  [ "$said" = "$3" ] || { echo "changed: it was '$3'" >&2; failed=1; }
}
for version in 6.29.5 7.4.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet "ipykernel==$version" jupyter_client==8.10.0
done
for version in 6.29.5 7.4.0; do
  seen $version unset lives
  seen $version 0 lives
  seen $version 1 lives
  seen $version 4242 "exit 1"
done
exit $failed
