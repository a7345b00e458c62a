"""The plan of the house: which room may import which room and which libraries, and who must stay pure.

This table is the plan. A change of it and of the code goes into one commit, which says why.
"""

from dataclasses import dataclass

GROUND = "errors outputs endings secret characters jsontext images identity cursor"
"""Values that every room understands; `settings` is ground too, but reads files: pure rooms do without."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What a room may import beside the standard library; names are separated by blanks.

    A pure room has no effects: no clock, chance, socket, thread or file; and it imports pure rooms only.
    """

    rooms: str = ""
    libraries: str = ""
    pure: bool = False


PLAN = {
    "errors": Floor(pure=True),
    "outputs": Floor("characters", pure=True),
    "endings": Floor("outputs", pure=True),
    "secret": Floor(pure=True),
    "characters": Floor(pure=True),
    "jsontext": Floor("errors characters", pure=True),
    "images": Floor(pure=True),
    "cursor": Floor(pure=True),
    # Images as models take them; every host that shows them to one asks here.
    "raster": Floor("images", "PIL"),
    "identity": Floor(),
    "allowance": Floor(),
    "folders": Floor(),
    "sources": Floor("errors"),
    "wording": Floor("secret", "pydantic"),
    "settings": Floor("errors secret sources wording", "pydantic pydantic_settings"),
    "teaching": Floor(pure=True),
    # What every door with an address needs; it knows no room.
    "gate": Floor(pure=True),
    "keys": Floor("errors folders secret"),
    "listening": Floor("errors gate", "uvicorn"),
    "entrance": Floor("gate keys"),
    "admission": Floor("errors gate keys settings"),
    "chat": Floor(f"{GROUND} chat", "markdown_it", pure=True),
    # Facts of Jupyter's messages come from jupyter_client; its sockets do not.
    "kernel.messages": Floor(f"{GROUND} kernel.messages", "jupyter_client", pure=True),
    "kernel.bounds": Floor(GROUND, pure=True),
    "kernel.ledger": Floor("kernel.messages", pure=True),
    "kernel.parcel": Floor(GROUND, pure=True),
    "kernel.widgets": Floor(GROUND, pure=True),
    "kernel.widget_words": Floor("kernel.widgets", pure=True),
    "kernel.pagemessages": Floor("kernel.widgets", pure=True),
    "kernel.news": Floor("outputs kernel.execution", pure=True),
    "kernel.execution": Floor(f"{GROUND} kernel.messages kernel.bounds", "jupyter_client", pure=True),
    # ZeroMQ and tornado are what jupyter_client itself stands on, psutil is what ipykernel does.
    "kernel": Floor(f"{GROUND} folders settings kernel", "jupyter_client psutil tornado zmq"),
    "kernel.address": Floor("errors", pure=True),
    "kernel.environment": Floor(pure=True),
    "records": Floor(f"{GROUND} folders records", "sqlalchemy"),
    "records.states": Floor(pure=True),
    "records.codec": Floor("outputs jsontext", pure=True),
    "records.pieces": Floor("outputs", pure=True),
    # Runs in the kernel itself, where ipykernel has brought these.
    "kernel.prelude": Floor(libraries="IPython jupyter_core"),
    # httpx2 is httpx under its next name.
    "models": Floor(f"{GROUND} folders raster settings models", "httpx httpx2"),
    "models.demo_server": Floor("models", "uvicorn"),
    "models.sight": Floor("raster"),
    "runner.notebookfile": Floor("characters errors jsontext", pure=True),
    "runner": Floor(f"{GROUND} allowance settings chat kernel records runner"),
    # Starlette is what the hosts' own apps are made of; our routes go into them.
    "page": Floor(f"{GROUND} gate page", "starlette"),
    # What a block looks like is decided in pure functions; only the board, the socket and the routes act.
    "page.active": Floor("outputs", pure=True),
    "page.block": Floor("outputs page.grown", pure=True),
    "page.frames": Floor(pure=True),
    "page.grown": Floor(pure=True),
    "page.growth": Floor("outputs page.block", pure=True),
    "page.highlight": Floor(libraries="pygments", pure=True),
    "page.output": Floor("outputs images page.active page.block page.pictures page.terminal", pure=True),
    "page.pictures": Floor("images", pure=True),
    "page.terminal": Floor("cursor", pure=True),
    "page.view": Floor(
        "outputs endings page.block page.highlight page.output page.terminal page.active", pure=True
    ),
    "page.wire": Floor("page.active page.output page.view", pure=True),
    "hosts.app": Floor(
        f"{GROUND} settings teaching gate listening runner models page hosts.app",
        "gradio fastapi starlette uvicorn",
    ),
    # What the app shows is decided in pure functions; only its other modules act.
    "hosts.app.guard": Floor("gate page.files"),
    "hosts.app.transcript": Floor("outputs page.block page.grown page.growth", pure=True),
    "hosts.app.formulas": Floor(libraries="markdown_it", pure=True),
    "hosts.app.markdown": Floor("page.highlight hosts.app.formulas", "markdown_it", pure=True),
    "hosts.app.prose": Floor("hosts.app.markdown", "markdown_it", pure=True),
    "hosts.app.view": Floor("outputs page.block page.view hosts.app.prose hosts.app.transcript", pure=True),
    "hosts.proxy": Floor(
        f"{GROUND} folders settings teaching admission entrance gate keys listening runner models "
        "hosts.proxy",
        "starlette",
    ),
    "hosts.proxy.asked": Floor(pure=True),
    "hosts.mcp": Floor(
        f"{GROUND} admission entrance gate keys listening raster settings runner hosts.mcp",
        "mcp pydantic starlette",
    ),
    "hosts.terminal": Floor(f"{GROUND} settings runner hosts.terminal"),
    "hosts.textgen": Floor(
        f"{GROUND} folders settings gate runner page hosts.textgen", "gradio modules starlette"
    ),
    # The command line is a door as well: to the app, and through the hall to the doctor of connections.
    "flags": Floor("sources settings"),
    "__main__": Floor(f"{GROUND} flags settings runner hosts"),
}
"""A line covers its module and all within it; the most particular line counts."""

# fmt: off
PURE_LIBRARY = frozenset({
    "__future__", "abc", "ast", "base64", "binascii", "bisect", "codecs", "collections", "contextlib",
    "copy", "dataclasses", "difflib", "enum", "functools", "hashlib", "hmac", "html", "ipaddress",
    "itertools", "json", "keyword", "math", "operator", "re", "string", "struct", "textwrap", "token",
    "types", "typing", "unicodedata", "urllib.parse", "zlib",
})
# fmt: on
"""What a pure room may use of the standard library."""

EFFECTS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"})
"""Builtins that a pure room does not call."""
