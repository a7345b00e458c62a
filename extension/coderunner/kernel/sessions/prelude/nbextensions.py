"""Sends the JavaScript of the widgets in this environment, on request over the control channel.

A request is answered also while a cell runs.
"""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from jupyter_core.paths import jupyter_path

LARGEST = 12 * 1024 * 1024
"""Bytes of one file."""
FOLDERS = ("nbextensions", "labextensions")
"""Where packages put what widgets are drawn with, for Jupyter Notebook and for JupyterLab."""


def serve_nbextensions(shell: Any) -> None:
    """Answer requests for the JavaScript of widgets, as notebook extensions install it."""
    kernel = shell.kernel

    def give(stream: Any, ident: Any, parent: Any) -> None:
        content: dict[str, str] = {}
        for path, head in places(str(parent["content"]["name"])):
            with suppress(OSError):
                if is_program(path):
                    content = read(path, head)
                    break
        # No buffer: a Jupyter server that has its kernels on a gateway loses messages that have one.
        kernel.session.send(stream, "coderunner_module_reply", content, parent, ident)

    kernel.control_handlers["coderunner_module_request"] = give


def places(name: str) -> Iterator[tuple[Path, str]]:
    """Where a module may be, or a file beside one (`nbextensions/name/file`); and what stands before it."""
    folder, _, rest = name.partition("/")
    if folder in FOLDERS:
        yield from ((Path(each, rest), "") for each in jupyter_path(folder))
        return
    # npm counts a scope to the name; the folder is named without it.
    for each in (name, name.rpartition("/")[2]):
        for path in jupyter_path("nbextensions"):
            yield Path(path, each, "index.js"), ""
    for path in jupyter_path("labextensions"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            build = json.loads(Path(path, name, "package.json").read_text("utf-8"))["jupyterlab"]["_build"]
            load, extension = str(build["load"]), str(build["extension"])
            # The page reads from its first line that it is a container of modules, and where its files are.
            yield Path(path, name, load), f"//labextension {json.dumps([load, extension])}\n"


def is_program(path: Path) -> bool:
    """Whether it is a file, and not too large to be sent."""
    return os.path.isfile(path) and path.stat().st_size <= LARGEST


def read(path: Path, head: str) -> dict[str, str]:
    """A file as it is sent."""
    content = path.read_bytes()
    try:
        return {"program": head + content.decode()}
    except UnicodeDecodeError:
        if path.suffix == ".js":
            return {"program": head + content.decode("utf-8", "replace")}
        return {"bytes": base64.b64encode(content).decode()}


shell = get_ipython()
if shell is not None:
    serve_nbextensions(shell)
