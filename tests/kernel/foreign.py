"""Kernels that are not ipykernel, installed for one test: what real ones of other makers do."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ONLY_TCP = """\
import json, sys
from ipykernel.kernelapp import launch_new_instance

said = json.load(open(sys.argv[-1]))
if said["transport"] != "tcp":
    raise SystemExit(f"cannot listen at {said['transport']}")
launch_new_instance()
"""
"""What deno, akernel and xeus-python do where they are offered files."""
ELSEWHERE = """\
import json, sys, threading, zmq
from ipykernel.kernelapp import launch_new_instance

said = json.load(open(sys.argv[-1]))
if said["transport"] != "tcp":
    socket = zmq.Context.instance().socket(zmq.ROUTER)
    socket.bind(f"{said['transport']}://{said['ip']}:{said['shell_port']}")
    threading.Event().wait()
launch_new_instance()
"""
"""What libraries do that join address and number by a colon, whatever the transport: it is never heard of."""


@contextmanager
def kernel_spec(name: str, program: str, *, language: str = "python") -> Iterator[Path]:
    """Install a kernel whose program is a Python script; other tests say which kernels there are."""
    folder = Path(os.environ["XDG_DATA_HOME"]) / "jupyter" / "kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.py").write_text(program, encoding="utf-8")
    spec = {
        "argv": ["python", "{resource_dir}/kernel.py", "-f", "{connection_file}"],
        "display_name": name,
        "language": language,
    }
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
