"""The programs of widgets that only the environment of their kernel has: of bqplot, ipycanvas and others.

They are the AMD modules that Jupyter Notebook calls extensions, in `share/jupyter/nbextensions`, or else what
JupyterLab loads, in `share/jupyter/labextensions`; and what those load of their own folder: further parts of
themselves, fonts, styles. The kernel reads them, wherever it runs, also while a cell does (see `prelude`):
nothing here opens a file or follows an address. What it gives is a stranger's, as all that it shows is; it
goes into closed frames and nowhere else.
"""

import asyncio
import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from coderunner.kernel.protocol.messages import MODULE_REPLY, Message

OURS = frozenset(
    {
        "@jupyter-widgets/base",
        "@jupyter-widgets/controls",
        "@jupyter-widgets/output",
        "anywidget",
        "jupyter-matplotlib",
    }
)
"""Those that a page has of us."""

MOST = 200
"""Modules and files of one kernel; a library of widgets has some ten fonts."""
LARGEST = 12 * 1024 * 1024
"""Bytes of a module; those of large libraries have three million."""
WHOLE = 48 * 1024 * 1024
"""Bytes of all modules of one kernel."""
PATIENCE = 60.0
"""Seconds for the answer: a program that holds the interpreter holds it up."""
IN_VAIN = 2.0
"""Seconds for it from when the kernel is done with the request: it may come by another way."""

_NAME = re.compile(r"(@\w[\w.-]*/)?\w[\w.-]*", re.ASCII)
_DEFINE = re.compile(rb"\bdefine\(\s*(?:[\"'][^\"']{1,200}[\"']\s*,\s*)?\[([^\]]{0,2000})\]")
_QUOTED = re.compile(rb"[\"']([^\"']+)[\"']")
_FILE = re.compile(r"(nb|lab)extensions/(@\w[\w.-]*/)?\w[\w.-]*(/\w[\w.@+~-]*){1,8}", re.ASCII)
_BYTES = "data:;base64,"
"""What text begins with that stands for bytes that are none."""
HEAD = 20_000
"""Bytes in which a module says what it needs; licences may stand before that."""


def needs(content: bytes) -> Sequence[str]:
    """The modules of others that one says it needs at its beginning, as AMD has it."""
    found = _DEFINE.search(content[:HEAD])
    names = [name.decode("ascii", "replace") for name in _QUOTED.findall(found[1])] if found else []
    return [name for name in names if foreign(name) and name not in ("exports", "require", "module")]


def foreign(name: object) -> bool:
    """Whether it is the name of a module that we have not."""
    return isinstance(name, str) and name not in OURS and len(name) <= 100 and bool(_NAME.fullmatch(name))


def file_module(name: str) -> str | None:
    """The module in whose folder a file is, named `nbextensions/name/file`; None where it is no such name.

    Of a scope, which the folder of a notebook extension has not, only the name after it counts.
    """
    if len(name) > 300 or not _FILE.fullmatch(name):
        return None
    _, first, *rest = name.split("/")
    return f"{first}/{rest[0]}" if first.startswith("@") else first


def as_text(content: bytes) -> str:
    """A module or file as it is written down."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _BYTES + base64.b64encode(content).decode()


def as_bytes(text: str) -> bytes:
    """What `as_text` gave, as it was."""
    if text.startswith(_BYTES):
        return base64.b64decode(text.removeprefix(_BYTES))
    return text.encode("utf-8", "replace")


class Nbextensions:
    """Those of one kernel; in the I/O thread's loop."""

    def __init__(self, ask: Callable[[str], str], came: Callable[[str], None]) -> None:
        """`ask` asks the kernel for a module, and gives the id of the request.

        `came` hears of each that is known by then, or known not to be there.
        """
        self._ask = ask
        self._came = came
        self._known: dict[str, bytes | None] = {}
        self._needs: dict[str, Sequence[str]] = {}
        self._asked: dict[str, tuple[str, asyncio.TimerHandle]] = {}

    def want(self, names: Iterable[object]) -> None:
        """Have those fetched that are not known, nor asked for."""
        pending = {name for name, _ in self._asked.values()}
        for name in names:
            if not isinstance(name, str) or name in self._known or name in pending:
                continue
            if not foreign(name) and file_module(name) is None:
                continue
            if len(self._known) + len(pending) >= MOST:
                return
            pending.add(name)
            self._wait(self._ask(name), name, PATIENCE)

    def receive(self, message: Message) -> None:
        """Take what the kernel answers, or that it is done with a request."""
        name, timer = self._asked.get(message.parent, ("", None))
        if timer is None:
            return
        if message.type == MODULE_REPLY:
            timer.cancel()
            self._settle(message.parent, _content(message))
        elif message.content.get("execution_state") == "idle":
            timer.cancel()
            self._wait(message.parent, name, IN_VAIN)

    def of(self, names: Iterable[str]) -> Mapping[str, bytes | None]:
        """What is known of some, and of those that they need; None: there is none of that name."""
        found: dict[str, bytes | None] = {}
        left = list(names)
        while left:
            name = left.pop()
            if name not in found and name in self._known:
                found[name] = self._known[name]
                left.extend(self._needs.get(name, ()))
        return found

    def clear(self) -> None:
        """Let go of all."""
        for _, timer in self._asked.values():
            timer.cancel()
        for each in (self._known, self._needs, self._asked):
            each.clear()

    def _wait(self, request: str, name: str, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._settle, request, None)
        self._asked[request] = (name, timer)

    def _settle(self, request: str, content: bytes | None) -> None:
        name, _ = self._asked.pop(request)
        kept = sum(len(each) for each in self._known.values() if each)
        self._known[name] = content if content and kept + len(content) <= WHOLE else None
        self._needs[name] = needs(content) if content else ()
        self.want(self._needs[name])
        self._came(name)


def _content(message: Message) -> bytes | None:
    """The program that a kernel sends, of a size that it may have."""
    text, coded = message.content.get("program"), message.content.get("bytes")
    content = text.encode(errors="replace") if isinstance(text, str) else b""
    if isinstance(coded, str):
        with suppress(ValueError):
            content = base64.b64decode(coded)
    return content if 0 < len(content) <= LARGEST else None
