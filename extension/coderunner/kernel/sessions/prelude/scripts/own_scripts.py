"""Outputs that would load a script or style of a library from the web have it from the library itself.

No frame of an output may ask an address of the web, and many libraries are told by no setting to use their
own files. So where an output names such an address, the file of that name in the library's folder stands in
its place, as a `data:` address. What a library does not have stays as it is.
"""

import base64
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import change_outputs

LARGEST = 4 * 1024 * 1024
"""Bytes of a script."""
WHOLE = 7_500_000
"""Characters of an output with its scripts; of a longer one the end would not be kept."""

ADDRESSES = (
    (
        "bokeh",
        re.compile(
            r"https://cdn\.bokeh\.org/bokeh/(?:release|dev)/(bokeh(?:-[a-z]+)?)-\d[\w.+-]*?(\.min\.js|\.js)\b"
        ),
        "server/static/js",
    ),
    (
        "panel",
        re.compile(r"https://cdn\.holoviz\.org/panel/[\w.+-]+/dist/([\w.@^~/-]+)(\.js|\.css)\b"),
        "dist",
    ),
)
"""A library, its addresses, and where the files of those names are in its folder."""

KINDS = {".min.js": "text/javascript", ".js": "text/javascript", ".css": "text/css"}

LOADS = re.compile(r"application/vnd\.\w+_load\.v0\+json")
"""What says the same as the script beside it, and is taken first."""


def with_own_scripts(text: str) -> str:
    """A text of an output, with the scripts in it that libraries of this process have."""
    room = WHOLE - len(text)

    def own(found: Any, folder: Path) -> str:
        nonlocal room
        name, address = found[1] + found[2], str(found[0])
        script = b"" if ".." in name else content(folder / name)
        instead = f"data:{KINDS[found[2]]};base64,{base64.b64encode(script).decode()}"
        if not script or len(instead) > room:
            return address
        room -= len(instead)
        return instead

    for library, addresses, inside in ADDRESSES if "https://cdn." in text else ():
        file = getattr(sys.modules.get(library), "__file__", None)
        if type(file) is str:
            text = addresses.sub(partial(own, folder=Path(file).parent / inside), text)
    return text


def content(path: Path) -> bytes:
    """The content of a script; nothing where there is none, or a larger one."""
    try:
        return path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return b""


def with_scripts(data: Any) -> Any:
    """A MIME bundle, the same but for the scripts in it."""
    if type(data) is not dict:
        return data
    loads = [kind for kind in data if type(kind) is str and LOADS.fullmatch(kind)]
    kinds = loads or [kind for kind in ("text/html", "application/javascript") if kind in data]
    changed = {kind: with_own_scripts(data[kind]) for kind in kinds if type(data[kind]) is str}
    return {**data, **changed}


# Those that are told by a setting need not be searched for. What a person or a program has chosen stays.
for name, value in (("BOKEH_RESOURCES", "inline"), ("PANEL_INLINE", "true")):
    os.environ.setdefault(name, value)

shell = get_ipython()
if shell is not None:
    change_outputs(shell, with_scripts)
