"""Outputs that are too large to be shown become files of the kernel's folder, where they can be downloaded.

What would come to more characters than are kept of an output stands in a file instead, before it is sent
anywhere; what is shown says its size and the name. Where no file can be written, it is sent as it is.
"""

import base64
import os
import re
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from coderunner.kernel.sessions.prelude.events import change_outputs

TEXT, BINARY = 8 * 1024 * 1024, 32 * 1024 * 1024
"""The most characters that are kept of a text, and of a picture's base64."""
ENDINGS = {
    "text/html": ("HTML", ".html"),
    "image/svg+xml": ("SVG image", ".svg"),
    "image/png": ("PNG image", ".png"),
    "image/jpeg": ("JPEG image", ".jpg"),
    "image/gif": ("GIF image", ".gif"),
    "image/webp": ("WebP image", ".webp"),
    "audio/wav": ("sound", ".wav"),
    "audio/mpeg": ("sound", ".mp3"),
    "video/mp4": ("video", ".mp4"),
}
MOST = 50
"""Files of a kind: `large-output.html`, `large-output-2.html` and so on; what is more is not kept."""

ADDRESS = re.compile(r"<[\w.]{1,200} object>|<[^<>\n]{1,200} at 0x[0-9a-fA-F]+>")
"""What stands for an object that has no text."""


def saved(content: bytes, ending: str) -> str:
    """Write a file of a new name; gives the name, nothing where it cannot be written."""
    for number in range(1, MOST + 1):
        name = f"large-output{f'-{number}' if number > 1 else ''}{ending}"
        try:
            file = open(name, "xb")  # noqa: PTH123, SIM115 - a name is taken by opening
        except FileExistsError:
            continue
        except OSError:
            break
        try:
            with file:
                file.write(content)
        except OSError:  # nothing stays that looks whole
            os.remove(name)  # noqa: PTH107
            break
        return name
    return ""


def content_of(kind: str, value: Any) -> bytes:
    """The bytes of a part that is too large; nothing where it is not, or is none."""
    is_text = kind in ("text/html", "image/svg+xml")
    if type(value) is bytes:
        return value if len(value) * 4 > BINARY * 3 and not is_text else b""
    if type(value) is not str or len(value) <= (TEXT if is_text else BINARY):
        return b""
    try:
        return value.encode("utf-8", "replace") if is_text else base64.b64decode(value)
    except ValueError:
        return b""


def with_files(data: Any) -> Any:
    """A MIME bundle with what is too large in files; the same where nothing is."""
    if type(data) is not dict:
        return data
    told, rest = [], dict(data)
    for kind, (name, ending) in ENDINGS.items():
        content = content_of(kind, data.get(kind))
        file = saved(content, ending) if content else ""
        if file:
            del rest[kind]
            told.append(f"[{name} of {len(content) / 1e6:.1f} MB, too large to show here: saved as {file}]")
    if not told:
        return data
    plain = data.get("text/plain")
    words = [plain] if type(plain) is str and not ADDRESS.fullmatch(plain.strip()) else []
    return {**rest, "text/plain": "\n".join([*words, *told])}


shell = get_ipython()
if shell is not None:
    # What takes the place of something shown is often one of many.
    change_outputs(shell, with_files, updates=False)
