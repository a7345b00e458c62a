"""What a forked process prints reaches the cell also where no program may listen on a port.

ipykernel has such a process send it to a port of its own. Where a sandbox refuses that, it warns nobody who
reads it, and the text is lost: here it gets a Unix socket instead.
"""

import os
import tempfile
from typing import Any

import zmq
from IPython.core.getipython import get_ipython
from zmq.eventloop.zmqstream import ZMQStream


def let_forks_print(thread: Any) -> None:
    """Do for ipykernel's thread of outputs what it could not do when it was made."""
    if thread is None or getattr(thread, "_pipe_flag", True) or not hasattr(thread, "_pipe_uuid"):
        return
    address = f"ipc://{tempfile.gettempdir()}/forks-{os.getpid()}"

    def listen() -> None:
        pipe = thread.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(address)
        thread._pipe_in = ZMQStream(pipe, thread.io_loop)
        thread._pipe_in.on_recv(thread._handle_pipe_msg)
        thread._pipe_flag = True

    def send() -> Any:
        context = zmq.Context()  # one of the parent's does not survive a fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000  # milliseconds, as ipykernel has it
        pipe.connect(address)
        return context, pipe

    thread._setup_pipe_out = send
    thread.io_loop.add_callback(listen)


let_forks_print(getattr(getattr(get_ipython(), "kernel", None), "iopub_thread", None))
