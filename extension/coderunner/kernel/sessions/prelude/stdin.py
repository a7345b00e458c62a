"""Each answer reaches the thread that asked for it.

Threads may ask for input while the cell that started them runs, one at a time; after that they get EOFError.
With ipykernel alone, such a thread takes the answer to the next cell's question.
"""

import sys
import threading
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import replace_callback

PATIENCE = 0.05
"""Seconds between two checks of a waiting thread whether its cell still runs."""
TOO_LATE = "the block that started this thread has ended, so nobody can answer"


def answer_threads(shell: Any) -> None:
    """Give each answer to the thread that asked for it."""
    kernel, main, output = shell.kernel, threading.main_thread(), sys.stdout
    bare: Any = getattr(kernel._input_request, "bare", kernel._input_request)
    turn, running = threading.Lock(), [""]

    def begin_asking() -> None:
        running[0] = kernel.get_parent("shell")["header"]["msg_id"]

    def end_asking() -> None:
        running[0] = ""

    def check() -> None:
        header: Any = getattr(output, "parent_header", {})
        if threading.current_thread() is not main and header.get("msg_id") != running[0]:
            raise EOFError(TOO_LATE)

    def ask(prompt: str, ident: Any, parent: Any, password: bool = False) -> str:  # noqa: FBT001, FBT002
        check()
        while not turn.acquire(timeout=PATIENCE):
            check()
        try:
            if threading.current_thread() is main:
                return str(bare(prompt, ident, parent, password=password))
            stdin = kernel.stdin_socket
            while stdin.poll(0):
                stdin.recv_multipart()
            content = {"prompt": prompt, "password": password}
            kernel.session.send(stdin, "input_request", content, parent, ident=ident)
            while not stdin.poll(1000 * PATIENCE):
                check()
            return str(kernel.session.recv(stdin)[1]["content"]["value"])
        finally:
            turn.release()

    ask.bare = bare  # type: ignore[attr-defined]
    kernel._input_request = ask
    replace_callback(shell, "pre_execute", begin_asking)
    replace_callback(shell, "post_execute", end_asking)


shell = get_ipython()
if shell is not None:
    answer_threads(shell)
