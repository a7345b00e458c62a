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


ODD = r"""\
import json, sys, time, uuid, zmq
from jupyter_client.session import Session

said = json.load(open(sys.argv[-1]))
separator = "-" if said["transport"] == "ipc" else ":"
session = Session(key=said["key"].encode())


def bound(kind, name):
    socket = zmq.Context.instance().socket(kind)
    socket.bind(f"{said['transport']}://{said['ip']}{separator}{said[name + '_port']}")
    return socket


shell, control = bound(zmq.ROUTER, "shell"), bound(zmq.ROUTER, "control")
stdin, iopub, beat = bound(zmq.ROUTER, "stdin"), bound(zmq.PUB, "iopub"), bound(zmq.REP, "hb")
ran, flushed = [], 0


def send(socket, kind, content, parent, idents=()):
    # Like most of other languages: the ids of messages are not numbered.
    header = {**session.msg_header(kind), "msg_id": uuid.uuid4().hex}
    message = session.msg(kind, content, parent=parent, header=header)
    session.send(socket, message, ident=list(idents))


def show(kind, parent, **content):
    send(iopub, kind, content, parent)


def execute(parent, idents):
    global flushed
    code, reply = parent["content"]["code"], {"status": "ok", "execution_count": len(ran) + 1}
    if code == "flushed" and flushed < 2:
        flushed += 1
        send(shell, "execute_reply", {"status": "abort"}, parent, idents)
        return show("status", parent, execution_state="idle")
    ran.append(code)
    show("execute_input", parent, code=code, execution_count=len(ran))
    if code == "late":
        send(shell, "execute_reply", reply, parent, idents)
        show("status", parent, execution_state="idle")
        time.sleep(0.02)
        return show("execute_result", parent, data={"text/plain": "\x1b[33m42\x1b[39m"}, metadata={})
    if code == "sleeps":
        show("stream", parent, name="stdout", text="asleep" + chr(10))
        time.sleep(600)  # an interrupt ends it, as nobody here catches one
    if code == "interrupted":
        reply = {"status": "abort"}
    if code == "runs":
        show("stream", parent, name="stdout", text=json.dumps(ran))
    if code.startswith("say "):
        show("stream", parent, name="stdout", text=code.removeprefix("say ").strip() + chr(10))
    send(shell, "execute_reply", reply, parent, idents)
    show("status", parent, execution_state="idle")


poller = zmq.Poller()
for socket in (shell, control):
    poller.register(socket, zmq.POLLIN)
while True:
    for socket, _ in poller.poll():
        idents, parts = session.feed_identities(socket.recv_multipart())
        parent = session.deserialize(parts)
        kind = parent["header"]["msg_type"]
        show("status", parent, execution_state="busy")
        if kind == "execute_request":
            execute(parent, idents)
            continue
        if kind == "kernel_info_request":
            language = {"name": "Oddish", "version": "1", "file_extension": ".odd"}
            info = {"protocol_version": "5.3", "implementation": "odd", "language_info": language}
            send(socket, "kernel_info_reply", info, parent, idents)
        if kind == "shutdown_request":
            send(socket, "shutdown_reply", {"status": "ok"}, parent, idents)
            sys.exit()
        show("status", parent, execution_state="idle")
"""
"""A light kernel of another language, which does what those of other makers do.

It shows a value after its end (`late`), flushes what it has not begun (`flushed`), calls what it ran aborted
(`interrupted`), ends where it is interrupted (`sleeps`), says something (`say hello`), and tells what it ran
(`runs`).
"""
