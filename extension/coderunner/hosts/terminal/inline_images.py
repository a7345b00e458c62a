"""The protocols of kitty and iTerm2 for images in a terminal, which others support, too."""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from coderunner.runner import Image

Protocol = Literal["", "kitty", "iterm"]

CHUNK = 4096
"""Characters of base64 in one escape code, the limit of kitty's protocol."""

KITTY = frozenset({"ghostty", "kitty"})
ITERM = frozenset({"iterm.app", "wezterm", "mintty"})


def protocol(environment: Mapping[str, str]) -> Protocol:
    """The protocol of the terminal, by its environment variables; empty if unknown.

    tmux and screen pass neither through.
    """
    if environment.get("TMUX") or environment.get("TERM", "").startswith(("screen", "tmux")):
        return ""
    program = environment.get("TERM_PROGRAM", "").casefold()
    if program in KITTY or environment.get("KITTY_WINDOW_ID") or environment.get("TERM") == "xterm-kitty":
        return "kitty"
    return "iterm" if program in ITERM or environment.get("LC_TERMINAL") == "iTerm2" else ""


def spelt(image: Image, spoken: Protocol) -> str:
    """The image in the terminal's protocol, on its own lines; a description without one."""
    data = re.sub(r"[^A-Za-z0-9+/=]", "", image.data)
    if spoken == "kitty" and image.mime == "image/png":
        return "".join(_kitty(data)) + "\n"
    if spoken == "iterm" and image.mime != "image/svg+xml":
        return f"\x1b]1337;File=inline=1;size={image.size}:{data}\x07\n"
    return f"{image}\n"


def _kitty(data: str) -> Iterator[str]:
    for start in range(0, len(data), CHUNK):
        first = "f=100,a=T," if start == 0 else ""
        more = int(start + CHUNK < len(data))
        yield f"\x1b_G{first}m={more};{data[start : start + CHUNK]}\x1b\\"
