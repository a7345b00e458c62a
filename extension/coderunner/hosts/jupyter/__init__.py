"""The chat app inside a person's own Jupyter server: jupyter-server-proxy starts it and lets the person in.

`server_process` is what jupyter-server-proxy asks for. It runs in the Jupyter server, which imports nothing
here that takes long.
"""

import secrets
import socket
import sys
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from coderunner.hosts.jupyter.names import HEADER, VARIABLE

START = 120.0
"""Seconds for the app to answer. It does so at once, with a page that says that it starts."""


def server_process() -> dict[str, Any]:
    """How jupyter-server-proxy starts the app, and lets it know who asks.

    Called once in each Jupyter server. Raises ModuleNotFoundError without the packages of the app, OSError
    without Unix sockets: then the launcher has no tile for it, and the server's log says why.
    """
    if not hasattr(socket, "AF_UNIX"):
        message = "CodeRunner has no tile on this system, whose Python has no Unix sockets"
        raise OSError(message)
    missing = [name for name in ("gradio", "httpx") if find_spec(name) is None]
    if missing:
        message = f"{missing[0]} is not installed; run: {sys.executable} -m pip install 'coderunner[jupyter]'"
        raise ModuleNotFoundError(message)
    from coderunner.hosts.jupyter.public_routes import add_public_routes

    # Here and not in an extension of its own: these routes have to come before those of jupyter-server-proxy.
    add_public_routes()
    # Nobody but this Jupyter server and the app knows it: a request that has it comes from a person whom the
    # server has let in.
    way_in = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "coderunner.hosts.jupyter.start", "{unix_socket}", "{base_url}"]
    return {
        "command": command,
        "environment": {VARIABLE: way_in},
        "request_headers_override": {HEADER: way_in},
        # In a folder that is the person's alone: no port that others of the machine could take or use.
        "unix_socket": True,
        "absolute_url": True,
        "timeout": START,
        # An open page asks for news all the time. What counts as activity are the kernels that run code.
        "update_last_activity": False,
        "launcher_entry": {
            "title": "CodeRunner",
            "icon_path": str(files("coderunner.hosts.jupyter").joinpath("icon.svg")),
            "category": "Notebook",
        },
    }
