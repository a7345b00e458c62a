"""The page's scripts and styles: built from `assets/src`, committed, and served as they are."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from coderunner.page.html import sandboxed_frames

PREFIX = "/coderunner"
"""The path of our routes in a host's app."""
PUBLIC = f"{PREFIX}/public/"
"""The path of files that everybody may load: scripts and styles, which contain no data."""

SUMS = "sha256.txt"
"""Lists each file of a build with its hash."""

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def names() -> Mapping[str, str]:
    """Each file that is served, with its type."""
    found = (each.name for each in files("coderunner.page").joinpath("assets").iterdir())
    return {name: KINDS[name[name.rindex(".") :]] for name in found if name.endswith(tuple(KINDS))}


@cache
def content(name: str) -> bytes:
    """The content of a file that is served."""
    return files("coderunner.page").joinpath("assets", name).read_bytes()


@cache
def version() -> str:
    """Different for each build and each policy, so that browsers may cache all of them for ever."""
    return sha256(content(SUMS) + sandboxed_frames.made().encode()).hexdigest()[:12]
