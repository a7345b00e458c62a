"""Prepares a kernel for its first cell: the files of `prelude` run in it, as text and unseen."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from coderunner.errors import NotAnswered
from coderunner.kernel.connections.local_kernel import LocalKernel
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.execution.pending_request import Event
from coderunner.kernel.execution.transport import Transport, is_python
from coderunner.kernel.protocol.messages import Message, Stamp, execute_request
from coderunner.kernel.tools.call_messages import specifications
from coderunner.kernel.tools.cell_calls import ChatTools
from coderunner.tools.toolbox import Offer

PRELUDE = Path(__file__).with_name("prelude")
PATIENCE = 5.0
"""Seconds for a cell of ours, which takes milliseconds."""
SHARED = ("events", "control", "values")
"""The files that run first, and whose functions all others find in their namespace."""
QUESTIONS: Sequence[str] = ("beside", "files", "table", "usage", "variables", "imported")
"""What a kernel can be asked: the files in `prelude/questions`. A new one needs only its name here."""
LAST = "questions/answers"
"""The file that runs last: until then the questions of an earlier prelude are answered."""
ORDER = (
    "cells",
    "threads",
    "messages",
    "tracebacks",
    "stdin",
    "output",
    "forks",
    "nbextensions",
    "scripts/own_scripts",
    "editing/completions",
    "files/large_outputs",
)
"""The files of the prelude; `output` needs what `threads` sets up."""
OF_SERVERS = ("files/made_files",)
"""What is sent to kernels on a server alone: into the folder of one on this machine we look ourselves."""
OF_TOOLS = ("events", "tools/calling")
"""What is sent where tools were configured."""
OF_PACKAGES = ("packages",)
"""What is sent to kernels of this machine alone: on a server, the environment is not ours."""

# `def` and `del` work whatever names a program has given another meaning; each file of the prelude has a
# namespace of its own, for the same reason. A file that fails leaves the others; the last error is replied.
CELL = """\
def __coderunner__():
    import builtins
    shared, failed = {{"__name__": "coderunner", "__builtins__": builtins}}, None
    for source in {shared!r}:
        builtins.exec(source, shared)
    for source in {files!r}:
        try:
            builtins.exec(source, {{**shared}})
        except builtins.Exception as error:
            failed = error
    if failed is not None:
        raise failed
try:
    __coderunner__()
finally:
    del __coderunner__
"""

# IPython remembers where it was, for `%cd -`: nowhere before.
MOVE = """\
def __coderunner__():
    import os
    from IPython.core.getipython import get_ipython
    os.chdir({directory!r})
    os.environ["PWD"] = os.getcwd()
    get_ipython().user_ns["_dh"][:] = [os.getcwd()]
try:
    __coderunner__()
finally:
    del __coderunner__
"""

# Nothing goes into the environment that the kernel runs in: packages go into a folder, which comes before
# what is installed and after Python's own modules.
PACKAGES = """\
def __coderunner__():
    import os, sys
    folder = os.path.expanduser({folder!r})
    places = [place for place, path in enumerate(sys.path) if path.endswith("-packages")]
    sys.path.insert(places[0] if places else len(sys.path), folder)
    paths = os.environ.get("PYTHONPATH")
    os.environ |= {{
        "PIP_TARGET": folder,
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_RETRIES": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (paths, folder))),
        "PATH": os.pathsep.join((os.path.join(folder, "bin"), os.environ.get("PATH", os.defpath))),
    }}
    shared = {{"__name__": "coderunner", "FOLDER": folder}}
    for source in {files!r}:
        exec(source, shared)
try:
    __coderunner__()
finally:
    del __coderunner__
"""


# What servers say of their tools is text in it, and never code.
TOOLS = """\
def __coderunner__():
    shared = {{"__name__": "coderunner", "SPECIFICATIONS": {specifications!r}, "FAILURES": {failures!r}}}
    for source in {files!r}:
        exec(source, shared)
try:
    __coderunner__()
finally:
    del __coderunner__
"""


@cache
def cell(*, server: bool = False) -> str:
    """The cell that brings the prelude into a kernel, there or here, and leaves nothing else behind."""
    return _cell((*ORDER, *OF_SERVERS) if server else ORDER)


@cache
def sources() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that `cell` runs in a kernel of this machine: the shared ones and the others, as text."""
    return tuple(map(text, SHARED)), tuple(map(text, _asked(ORDER)))


@cache
def questions_cell() -> str:
    """The cell that has a kernel answer questions, and changes nothing else in it."""
    return _cell(())


def _cell(files: Sequence[str]) -> str:
    return CELL.format(shared=tuple(map(text, SHARED)), files=tuple(map(text, _asked(files))))


def _asked(files: Sequence[str]) -> tuple[str, ...]:
    """Some files of the prelude, all questions, and what has them answered."""
    return (*files, *(f"questions/{name}" for name in QUESTIONS), LAST)


def text(name: str) -> str:
    """The text of a file of the prelude."""
    return PRELUDE.joinpath(f"{name}.py").read_text(encoding="utf-8")


async def prepare(transport: Transport, *, server: bool = False) -> None:
    """Prepare an ipykernel for its first cell, which finds it done; any other kernel stays as it is.

    So does a person's own, and one that was forked with all of it.

    What goes wrong with it is nobody's error: cells run without it, too.
    """
    if isinstance(transport, LocalKernel) and transport.prepared:
        return
    ours = not transport.borrowed and is_python(transport)
    if ours and (transport.about.is_ipykernel or not transport.about.known):
        await _run(transport, cell(server=server))


async def move(transport: Transport, directory: Path) -> None:
    """Give a kernel whose language is Python another working directory; sent as the prelude is."""
    await _run(transport, MOVE.format(directory=str(directory)))


async def keep_packages(transport: Transport, folder: Path) -> None:
    """Have a kernel whose language is Python keep its packages in a folder, and leave installing to us.

    Sent as the prelude is.
    """
    if is_python(transport):
        await _run(
            transport,
            PACKAGES.format(folder=str(folder), files=[text(name) for name in ("events", *OF_PACKAGES)]),
        )


async def offer_tools(transport: Transport, offer: Offer) -> None:
    """Give a kernel whose language is Python a function for each tool; sent as the prelude is.

    Not a person's own, which stays as it is.
    """
    if is_python(transport) and not transport.borrowed and (offer.tools or offer.failures):
        await _run(transport, tools_cell(offer))


async def bring_tools(client: KernelClient, tools: ChatTools | None) -> None:
    """Have a kernel that runs no cell know the tools that a client has lent meanwhile, and no others."""
    lent = tools.lent.tools if tools is not None and tools.lent is not None else ()
    if tools is not None and client.takes_tools and lent != client.lent:
        client.lent = lent
        with suppress(NotAnswered, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await client.run_unseen(tools_cell(await tools.offer()))


async def bring_arguments(client: KernelClient, argv: Sequence[str]) -> None:
    """Have a kernel of Python's that runs no cell find them in `sys.argv`, if there are any to find."""
    if not argv:
        return
    with suppress(NotAnswered, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await client.run_unseen(f"__import__('sys').argv = {list(argv)!r}")


def tools_cell(offer: Offer) -> str:
    """The cell that gives a kernel a function for each tool, in place of those that it has."""
    return TOOLS.format(
        specifications=specifications(offer.tools),
        failures=json.dumps(offer.failures),
        files=[text(name) for name in OF_TOOLS],
    )


async def _run(transport: Transport, source: str) -> None:
    """Send a cell of ours, and wait for its reply: xeus-python gives its error to the request behind it.

    Not for long, and not where the kernel was there already: it may be busy with a cell, and ipykernel takes
    requests in their order.
    """
    stamp = Stamp(uuid.uuid4().hex, "coderunner", datetime.now(UTC).isoformat())
    replied = asyncio.Event()

    def receive(event: Event) -> None:
        if not isinstance(event, Message) or (event.channel, event.parent) == ("shell", stamp.id):
            replied.set()

    transport.attach(receive)
    await transport.send(execute_request(source, stamp, silent=True))
    if not transport.found:
        with suppress(TimeoutError):
            await asyncio.wait_for(replied.wait(), PATIENCE)
