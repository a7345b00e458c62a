"""What jupyter-server-proxy runs: `python -m coderunner.hosts.jupyter.start SOCKET BASE_URL`."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

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
    """Start the app at a socket, and end with the Jupyter server; gives the exit code.

    It is not 0: jupyter-server-proxy starts the app again only after a failure.
    """
    path, base_url = arguments
    parent = os.getppid()
    way_in, token = (Secret(os.environ.get(name, "")) for name in (VARIABLE, HUB_TOKEN))
    forget_variables(TOKENS)
    hide_memory()
    if not way_in:
        log.error("CodeRunner is started by jupyter-server-proxy here, which sets %s", VARIABLE)
        return 2
    # Ctrl-C in the terminal of the Jupyter server asks there first.
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    with listen_at(Path(path), mode=0o600) as listener:
        waiting = WaitingPage(listener, way_in)
        try:
            from coderunner.hosts.jupyter.own_settings import settings_of

            settings = settings_of(base_url, parent, token)
            forget_variables(settings.secret_variables)

            from coderunner.hosts.jupyter.app import run  # takes seconds

            run(settings, listener, way_in, waiting.leave)
        except CodeRunnerError as failure:
            waiting.fail(str(failure))
        except Exception:
            log.exception("CodeRunner did not start")
            waiting.fail(BUG)
    return 1


def _end_with(parent: int) -> None:
    """End this process once its parent has ended."""
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(PARENT_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
