#!/usr/bin/env bash
# ipykernel 7.4.0: a kernel that is made in a process asks every module there for its file. A module whose loading was
# put off by importlib's LazyLoader is loaded by that question, whole, with whatever it does, though nobody has used
# it; if it fails, there is no kernel. 6.29.5 asked none.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/deferred.py" <<'PY'
import importlib.util, pathlib, sys

def deferred(name, source):
    """Put a module into the process that is loaded when one of its names is first used."""
    path = pathlib.Path(sys.argv[1], f"{name}.py")
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

def expect(what, seen, wanted):
    print(f"{what}: {seen!r}")
    if seen != wanted:
        sys.exit(f"changed: {wanted!r} was seen before")

from ipykernel.inprocess.manager import InProcessKernelManager

loaded = sys.loaded_here = []
deferred("unused", "import sys; sys.loaded_here.append(__name__)")
expect("loaded before there is a kernel", loaded, [])
InProcessKernelManager().start_kernel()
expect("loaded with it", loaded, sys.argv[2:])
if not sys.argv[2:]:
    sys.exit()
deferred("broken", "raise RuntimeError('nobody asked for this')")
try:
    InProcessKernelManager().start_kernel()
except RuntimeError as error:
    expect("where that fails, instead of a kernel", str(error), "nobody asked for this")
else:
    sys.exit("changed: the kernel was not made before")
PY
for version in 6.29.5 7.4.0; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install --quiet "ipykernel==$version" ipython==9.18.1 pyzmq==27.3.0 jupyter-client==8.10.0
  echo "ipykernel $version"
  asked=; [ "$version" = 6.29.5 ] || asked=unused
  (cd "$work" && PYDEVD_DISABLE_FILE_VALIDATION=1 timeout 120 "$work/$version/bin/python" deferred.py "$work" $asked)
done
