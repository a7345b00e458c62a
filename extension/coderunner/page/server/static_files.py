"""The page's programs and styles: built from `assets/src`, committed, and served as they are."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

PREFIX = "/coderunner"
"""Where our routes are in a host's app."""
PUBLIC = f"{PREFIX}/public/"
"""What everybody may load: programs and styles of ours, which hold no data."""

SUMS = "sha256.txt"
"""Names each file of a build, with its hash."""

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


@cache
def names() -> Mapping[str, str]:
    """Each file that is served, with its kind."""
    found = (each.name for each in files("coderunner.page").joinpath("assets").iterdir())
    return {name: KINDS[name[name.rindex(".") :]] for name in found if name.endswith(tuple(KINDS))}


@cache
def content(name: str) -> bytes:
    """The bytes of a file that is served."""
    return files("coderunner.page").joinpath("assets", name).read_bytes()


@cache
def version() -> str:
    """Another one for each build, so that browsers may keep the files for ever."""
    return sha256(content(SUMS)).hexdigest()[:12]
