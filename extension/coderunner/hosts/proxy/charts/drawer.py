"""A program that draws charts and prints their PNGs, in base64, as a list in JSON.

It gets the charts as a list in JSON on its standard input, each with its `kind`, the `version` of its
grammar, and its `figure`. It runs beside the kernel, with its Python and its packages, so that nothing is
loaded into the kernel; it imports nothing of ours. Charts are hostile: it loads nothing for them from the
network, and its memory is bounded. One that it cannot draw, for want of a library too, is empty.
"""

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

Figure = dict[str, Any]

MEMORY = 1024**3
"""Bytes. Of data, not of addresses: V8, which draws Vega, reserves many times as many of these."""
LARGEST = 400 * 1024
"""Bytes of all PNGs: what a program beside the kernel may print is bounded."""


def vega_lite(figure: Figure, version: str) -> bytes:
    """Draw a chart of Vega-Lite, by the newest release of its version."""
    import vl_convert

    offered = [each for each in vl_convert.get_vegalite_versions() if each.partition(".")[0] == version]
    return bytes(vl_convert.vegalite_to_png(figure, vl_version=offered[-1], allowed_base_urls=[]))


def vega(figure: Figure, _version: str) -> bytes:
    """Draw a chart of Vega."""
    import vl_convert

    return bytes(vl_convert.vega_to_png(figure, allowed_base_urls=[]))


DRAWN: Mapping[str, Callable[[Figure, str], bytes]] = {"vegalite": vega_lite, "vega": vega}


def drawn(chart: Mapping[str, Any]) -> bytes:
    """Draw a chart; empty where that cannot be done."""
    # Packages may raise anything at what is in a chart.
    with suppress(Exception):
        return DRAWN[chart["kind"]](chart["figure"], chart["version"])
    return b""


def main() -> None:
    """Draw what comes in."""
    # What was installed for the chat: this program looks into no other folder for its modules.
    sys.path += filter(None, [os.environ.get("PIP_TARGET")])
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    found, left = [], LARGEST
    for chart in json.load(sys.stdin):
        picture = drawn(chart)
        fits = len(picture) <= left
        left -= len(picture) if fits else 0
        found.append(base64.b64encode(picture).decode() if fits else "")
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
