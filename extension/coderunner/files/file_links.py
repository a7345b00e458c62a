"""What the links that models and programs write to files mean. Pure."""

import re
from urllib.parse import unquote

MOUNTED = "/mnt/data/"
"""Where models that learnt from other code interpreters believe that their files are."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
LONGEST = 2000
"""Characters of a link to a file."""


def file_of(link: str) -> str:
    """The path of the file that a link means, absolute or within the conversation's folder; "" if none.

    `out.csv`, `./a%20b.csv`, `sandbox:/mnt/data/out.csv`. Whether there is such a file, and whether it may be
    read, is for whoever opens it.
    """
    if len(link) > LONGEST:
        return ""
    text = link.strip()
    scheme = _SCHEME.match(text)
    if scheme is not None:
        if scheme[1].casefold() != "sandbox":
            return ""
        text = text[scheme.end() :]
    if text.startswith(("//", "#", "?")) or "\\" in text:
        return ""
    path = unquote(re.split(r"[?#]", text, maxsplit=1)[0], errors="replace")
    path = path.removeprefix(MOUNTED)
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    name = path.rpartition("/")[2]
    # What begins with a slash may be a page of a web site just as well: `/about`.
    named = name not in ("", ".", "..") and (not path.startswith("/") or "." in name[1:-1])
    return path if named and path.isprintable() else ""
