"""What jupyter-server-proxy runs: `python -m coderunner.hosts.jupyter.start SOCKET BASE_URL`."""

import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from coderunner.access.listening import listen_at
from coderunner.errors import CodeRunnerError
from coderunner.hosts.jupyter.names import VARIABLE
from coderunner.hosts.jupyter.waiting_page import WaitingPage
from coderunner.private_process import forget_variables, hide_memory
from coderunner.secret_value import Secret

log = logging.getLogger(__name__)

HUB_TOKEN = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - the name of a variable
"""With it the server of a person on a Hub is let in by itself."""
TOKENS = (VARIABLE, HUB_TOKEN, "JPY_API_TOKEN", "JUPYTER_TOKEN")
PARENT_INTERVAL = 1.0
"""Seconds between two looks at whether the Jupyter server runs."""
BUG = "It met an error of its own; the log of your Jupyter server has it."


def main(arguments: Sequence[str]) -> int:
    """Start the app at a socket, and end with the Jupyter server; gives the exit code."""
    path, base_url, *inherited = arguments
    parent, environment = os.getppid(), dict(os.environ)
    way_in, token = (Secret(environment.get(name, "")) for name in (VARIABLE, HUB_TOKEN))
    forget_variables(TOKENS)
    hide_memory()
    if not way_in:
        log.error("CodeRunner is started by jupyter-server-proxy here, which sets %s", VARIABLE)
        return 2
    # Ctrl-C in the terminal of the Jupyter server asks there first.
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    listener = socket.socket(fileno=int(inherited[0])) if inherited else listen_at(Path(path), mode=0o600)
    waiting, why = WaitingPage(listener, way_in), ""
    try:
        from coderunner.hosts.jupyter.own_settings import settings_of

        settings = settings_of(base_url, parent, token)
        forget_variables(settings.secret_variables)

        from coderunner.hosts.jupyter.app import run  # takes seconds

        run(settings, listener, way_in, waiting.leave)
    except CodeRunnerError as failure:
        why = str(failure)
    except Exception:
        log.exception("CodeRunner did not start")
        why = BUG
    if why and waiting.fail(why):
        _start_again(listener, path, base_url, environment)
    return 1


def _start_again(
    listener: socket.socket, path: str, base_url: str, environment: Mapping[str, str]
) -> NoReturn:
    """Begin anew, with all that this process was told; whoever connects meanwhile waits at the socket."""
    listener.set_inheritable(True)
    program = [sys.executable, "-m", "coderunner.hosts.jupyter.start", path, base_url, str(listener.fileno())]
    os.execve(program[0], program, environment)  # noqa: S606 - there is no shell to be without


def _end_with(parent: int) -> None:
    """End this process once its parent has ended."""
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(PARENT_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
