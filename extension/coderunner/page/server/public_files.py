"""What everybody may load, since sandboxed frames have no origin and send no cookie; it contains no data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from coderunner.page.html import sandboxed_frames
from coderunner.page.html.sandboxed_frames import LEVELS, PROGRAMS, Parts
from coderunner.page.server import static_files

_FOR_EVER = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file as it is sent."""

    content: bytes
    kind: str
    headers: Mapping[str, str] = field(default_factory=dict)


def file(name: str) -> PublicFile | None:
    """A script or style sheet; None if there is none of that name."""
    kind = static_files.names().get(name)
    return PublicFile(static_files.content(name), kind, _FOR_EVER) if kind else None


def frame(level: str, page: str, public: str) -> PublicFile | None:
    """A page of the sandboxed frames; None if there is none of that name.

    `public` is the address of all these files, ending in a slash; it stands in their policy.
    """
    chosen = next((each for each in LEVELS if each == level), None)
    name, _, program = page.partition("_")
    if chosen is None or name not in _PAGES or program not in PROGRAMS:
        return None
    text, headers = _PAGES[name]
    content = text(chosen, program, _parts()).encode()
    return PublicFile(content, "text/html; charset=utf-8", headers(public, chosen, program, _parts()))


@cache
def _parts() -> Parts:
    shell, frame, sheet = (
        static_files.content(name).decode().strip() for name in ("shell.js", "frame.js", "frame.css")
    )
    return Parts(shell, frame, sheet, static_files.version())


_PAGES = {
    "shell": (sandboxed_frames.shell, sandboxed_frames.shell_headers),
    "frame": (sandboxed_frames.inner, sandboxed_frames.inner_headers),
}
