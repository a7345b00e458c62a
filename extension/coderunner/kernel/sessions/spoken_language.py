"""Which language a conversation's kernel speaks: as it says itself, or as its kernel spec does until then."""

import asyncio
import logging
import threading
from dataclasses import dataclass, field

from coderunner.errors import CodeRunnerError
from coderunner.kernel.connections.kernel_process import spec_of
from coderunner.kernel.connections.kernel_specs import NATIVE
from coderunner.kernel.connections.servers.find_or_start import wanted
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import KernelLocation, Local, Server
from coderunner.kernel.protocol.kernel_info import KernelInfo
from coderunner.languages import PYTHON, Language, language_of

PATIENCE = 5.0
"""Seconds for a server to say what its kernels speak; a reply waits for that."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What servers have said, for the life of this process: by address, kernel spec and attached kernel."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    found: dict[tuple[str, str, str], Language] = field(default_factory=dict)


_known = _Known()


def of_kernel(about: KernelInfo) -> Language | None:
    """The language that a kernel itself names; None where it names none."""
    if not about.language:
        return None
    return language_of(about.language, extension=about.extension, lexer=about.lexer)


def is_usual(where: KernelLocation) -> bool:
    """Whether the kernel spec is the one that is Python's on every machine: nobody need be asked."""
    return where.kernel_name in (NATIVE, "python") and not (isinstance(where, Server) and where.attach)


def heard(where: KernelLocation) -> Language | None:
    """The language of a place as far as it is known here; asks nobody."""
    if is_usual(where):
        return PYTHON
    if isinstance(where, Server):
        with _known.lock:
            return _known.found.get((where.url, where.kernel_name, where.attach))
    try:
        return language_of(spec_of(where.kernel_name).language)
    except CodeRunnerError:
        return None


def spoken(where: KernelLocation) -> Language:
    """The same as `of_spec`, from any thread but the I/O thread."""
    return PYTHON if is_usual(where) else io_thread().call(of_spec(where), 2 * PATIENCE)


async def of_spec(where: KernelLocation) -> Language:
    """The language that a kernel spec names; Python where nobody says it. Never raises."""
    if is_usual(where):
        return PYTHON
    try:
        if isinstance(where, Local):
            return language_of(spec_of(where.kernel_name).language)
        return await _of_server(where)
    except (CodeRunnerError, OSError, TimeoutError) as error:
        # Whoever runs a cell is told what is wrong there.
        logging.getLogger(__name__).debug("the language of a kernel is not known: %s", error)
        return PYTHON


async def _of_server(where: Server) -> Language:
    mark = (where.url, where.kernel_name, where.attach)
    with _known.lock:
        if mark in _known.found:
            return _known.found[mark]
    rest = RestApi(where)
    try:
        async with asyncio.timeout(PATIENCE):
            name = where.kernel_name
            if where.attach:
                name = (await wanted(rest, where.attach)).kernel_name
            found = language_of(await rest.require_kernel_spec(name))
    finally:
        rest.close()
    with _known.lock:
        _known.found[mark] = found
    return found
