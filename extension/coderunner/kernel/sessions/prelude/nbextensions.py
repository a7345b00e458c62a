"""Sends the JavaScript of the widgets in this environment, on request over the control channel.

A request is answered also while a cell runs.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from jupyter_core.paths import jupyter_path

LARGEST = 12 * 1024 * 1024
"""Bytes of a widget's JavaScript file."""


def serve_nbextensions(shell: Any) -> None:
    """Answer requests for the JavaScript of widgets, as notebook extensions install it."""
    kernel = shell.kernel

    def give(stream: Any, ident: Any, parent: Any) -> None:
        name = str(parent["content"]["name"])
        found: list[bytes] = []
        # npm counts a scope to the name; the folder is named without it.
        for each in (name, name.rpartition("/")[2]):
            paths = [Path(folder, each, "index.js") for folder in jupyter_path("nbextensions")]
            with suppress(OSError):
                found += [path.read_bytes() for path in paths if is_program(path)][:1]
        kernel.session.send(
            stream, "coderunner_module_reply", {"found": bool(found)}, parent, ident, buffers=found[:1]
        )

    kernel.control_handlers["coderunner_module_request"] = give


def is_program(path: Path) -> bool:
    """Whether it is a file, and not too large to be sent."""
    return os.path.isfile(path) and path.stat().st_size <= LARGEST


shell = get_ipython()
if shell is not None:
    serve_nbextensions(shell)
