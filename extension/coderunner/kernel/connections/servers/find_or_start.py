"""Finds the kernel of a conversation on a server, or starts one; attaches to a person's own."""

import asyncio
import getpass
import os
import uuid
from contextlib import suppress

from coderunner.errors import KernelError, KernelNotStarted, NoSuchKernel, NotPermitted
from coderunner.kernel.connections.readiness import wait_until_ready
from coderunner.kernel.connections.servers.rest_api import Reply, RestApi
from coderunner.kernel.connections.servers.running_kernels import RunningKernel, meant, on_server, path_of
from coderunner.kernel.connections.servers.server_kernel import ServerKernel
from coderunner.kernel.connections.servers.session_folder import make_folder, remove_empty, require_folder
from coderunner.kernel.kernel_location import Server

AT_ONCE = 5.0
"""Seconds for a kernel at rest to answer; it takes milliseconds."""
STALE = 3.0
"""Seconds for which a server may call a kernel busy whose cell has ended, or which it has just restarted."""
FAREWELL = 5.0
"""Seconds for a server to end a kernel that nobody would find again."""
USERNAME = "KERNEL_USERNAME"
"""The variable in which an Enterprise Gateway is told for whom it starts a kernel."""


class UnlistedKernels:
    """The kernels that their servers do not list under a path: this process alone finds them again."""

    def __init__(self) -> None:
        self._ids: dict[tuple[Server, str], str] = {}

    def remember(self, rest: RestApi, path: str, kernel: ServerKernel) -> None:
        """Note where the kernel of a session path is."""
        self._ids[rest.where, path] = kernel.kernel
        kernel.remembered = True

    async def find(self, rest: RestApi, path: str) -> tuple[ServerKernel, dict[str, object]] | None:
        """Return the kernel of a session path, with what its server says about it; None: there is none."""
        if (known := self._ids.get((rest.where, path))) is None:
            return None
        if (model := await rest.kernel(known)) is None:
            del self._ids[rest.where, path]
            return None
        kernel = ServerKernel(rest, known, "", found=True)
        kernel.remembered = True
        return kernel, model

    async def delete(self, where: Server, path: str) -> None:
        """End the kernel of a session path, which nobody else will; a silent server keeps it."""
        with suppress(KernelError, TimeoutError):
            rest = RestApi(where)
            try:
                if (known := self._ids.pop((where, path), None)) is not None:
                    async with asyncio.timeout(FAREWELL):
                        await ServerKernel(rest, known, "", found=True).delete()
            finally:
                rest.close()


async def open_kernel(
    where: Server, path: str, unlisted: UnlistedKernels, *, start: bool = True
) -> ServerKernel:
    """Find the kernel of a session path on the server, or start one; it is ready when this returns.

    Raises KernelError: NoSuchKernelSpec, KernelNotStarted, NoSuchKernel where none is there and none may
    `start`, or what keeps us from the server.
    """
    rest = RestApi(where)
    try:
        language = await rest.require_kernel_spec(where.kernel_name)
        kernel, state = await find_or_create(rest, where.kernel_name, path, unlisted, start=start)
        kernel.language = language
        try:
            # Servers up to 2.17 may say "starting" of a kernel that has run, or even runs, a cell.
            heard = state != "idle" and await _overhear(kernel)
            if not heard and state != "busy":
                await greet(kernel, within=rest.patience.start)
            kernel.ready = True
            await kernel.check()
        except BaseException:
            await asyncio.shield(kernel.close(keep=kernel.found))
            raise
    except BaseException:
        rest.close()
        raise
    return kernel


async def attach(where: Server) -> ServerKernel:
    """Return the kernel that a person means, with all that it holds; it is left as it is in the end.

    Raises NoSuchKernel, KernelNotStarted where it is busy with a cell of its own, or what keeps us from it.
    """
    rest = RestApi(where)
    try:
        found = await _at_rest(rest, where.attach)
        language = await rest.require_kernel_spec(found.kernel_name)
        kernel = ServerKernel(rest, found.id, "", found=True)
        kernel.borrowed, kernel.language = True, language
        try:
            # It may just have been started or restarted, of which a server still says that it is idle.
            await greet(kernel, within=rest.patience.start)
            kernel.ready = True
            await kernel.check()
        except BaseException:
            await asyncio.shield(kernel.close())
            raise
    except BaseException:
        rest.close()
        raise
    return kernel


async def _at_rest(rest: RestApi, name: str) -> RunningKernel:
    """Return the kernel that a person means; raises KernelNotStarted while it runs a cell."""
    loop = asyncio.get_running_loop()
    until = loop.time() + STALE
    while (found := await wanted(rest, name)).state == "busy":
        if loop.time() >= until:
            raise KernelNotStarted(f"the kernel {found} is busy with another cell; wait until it finishes")
        await asyncio.sleep(STALE / 10)
    return found


async def wanted(rest: RestApi, name: str) -> RunningKernel:
    """Return the kernel that a person means; a server that lists none tells of one whose whole id is given.

    Raises NoSuchKernel, or what keeps us from the list.
    """
    try:
        return meant(await on_server(rest), name)
    except NotPermitted:
        model = await rest.kernel(name) if _is_id(name) else None
        if model is None:
            raise
        return RunningKernel(
            name, str(model.get("name", "")), str(model.get("execution_state", "")), "", None
        )


def _is_id(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


async def _overhear(kernel: ServerKernel) -> bool:
    """Connect to a kernel that is busy, and see to it that what it shows reaches us; returns whether it does.

    A server that thinks so does not look whether we hear it: the first words of a cell would be lost. One
    that answers nothing beside its cell, or nothing at all, is taken as it is: cells wait in its queue.
    """
    await kernel.connect(uuid.uuid4().hex)
    with suppress(KernelNotStarted):
        kernel.process = await wait_until_ready(kernel, within=AT_ONCE, channel="control")
        return True
    return False


async def greet(kernel: ServerKernel, *, within: float) -> None:
    """Wait until it answers; one that was found at rest is soon asked again, over another connection.

    Each has a name of its own: where a server has not let go of an earlier connection yet, the kernel gives
    its answers to the one or the other of the same name. The time for opening the WebSocket counts, which
    these servers do when the kernel has answered them. Raises KernelNotStarted, or what keeps us from it.
    """
    try:
        async with asyncio.timeout(within):
            await kernel.connect(uuid.uuid4().hex)
            if kernel.found:
                with suppress(KernelNotStarted):
                    kernel.process = await wait_until_ready(kernel, within=AT_ONCE)
                    return
                await kernel.connect(uuid.uuid4().hex)
            kernel.process = await wait_until_ready(kernel, within=within)
    except TimeoutError:
        raise KernelNotStarted(f"the kernel did not answer within {within:.0f} s") from None


async def delete_kernel(where: Server, path: str) -> None:
    """Delete the kernel of a session path and its folder if it is empty, where the server answers."""
    rest = RestApi(where)
    try:
        with suppress(KernelError):
            for session in await rest.sessions():
                model = session.get("kernel")
                if path_of(session) == path and isinstance(model, dict):
                    name = str(session.get("id", ""))
                    await ServerKernel(rest, str(model.get("id")), name, found=True).delete()
        if not where.folder:
            await remove_empty(rest, path)
    finally:
        rest.close()


async def find_or_create(
    rest: RestApi, name: str, path: str, unlisted: UnlistedKernels, *, start: bool
) -> tuple[ServerKernel, str]:
    """Return the session's kernel and its state, idle for a new one; one of another name there is replaced.

    Without `start` nothing is changed: NoSuchKernel.
    """
    lists = True
    try:
        listed = await rest.sessions()
    except NotPermitted:
        listed, lists = [], False
    found = [
        (ServerKernel(rest, model["id"], str(session.get("id", "")), found=True), model)
        for session in listed
        if path_of(session) == path and isinstance(model := session.get("kernel"), dict)
        if isinstance(model.get("id"), str)
    ]
    if not found and (remembered := await unlisted.find(rest, path)):
        found = [remembered]
    for kernel, model in found:
        if model.get("name") == name and await kernel.check() is None:
            return kernel, str(model.get("execution_state"))
        if start:
            await kernel.delete()
    if not start:
        raise NoSuchKernel(f"the server has no kernel {name} for {path}")
    kernel = await (_create(rest, name, path) if lists else create_without_session(rest, name))
    if not kernel.session:
        unlisted.remember(rest, path, kernel)
    return kernel, "idle"


async def _create(rest: RestApi, name: str, path: str) -> ServerKernel:
    if rest.where.folder:
        await require_folder(rest, rest.where.folder)
    else:
        await make_folder(rest, path)
    wanted = {"path": path, "name": path, "type": "console", "kernel": {"name": name}}
    reply = await rest.ask("POST", "api/sessions", wanted, within=rest.patience.start)
    model = reply.json if isinstance(reply.json, dict) else {}
    kernel = model.get("kernel")
    if reply.status == 201 and isinstance(kernel, dict) and isinstance(kernel.get("id"), str):
        return ServerKernel(rest, kernel["id"], str(model.get("id", "")), found=False)
    # A gateway may have no sessions, or none for who has to say in whose name a kernel is started. It cannot
    # take a kernel that is there into one either: it starts another.
    return await create_without_session(rest, name)


async def create_without_session(rest: RestApi, name: str) -> ServerKernel:
    """Start a kernel that nobody will find again; raises KernelNotStarted."""
    content: dict[str, object] = {"name": name}
    try:
        reply = await _create_kernel(rest, content)
    except NotPermitted as error:
        # An Enterprise Gateway does not start kernels for everybody, root for example, and says so.
        if USERNAME not in str(error):
            raise
        reply = await _create_kernel(rest, content | {"env": {USERNAME: _user()}})
    model = reply.json if isinstance(reply.json, dict) else {}
    if reply.status != 201 or not isinstance(model.get("id"), str):
        raise rest.failed(f"start a kernel {name!r}", reply)
    return ServerKernel(rest, str(model["id"]), "", found=False)


async def _create_kernel(rest: RestApi, content: dict[str, object]) -> Reply:
    return await rest.ask("POST", "api/kernels", content, within=rest.patience.start)


def _user() -> str:
    """For whom a kernel is started: who runs us, unless that is root, whom gateways refuse."""
    try:
        user = os.environ.get(USERNAME) or getpass.getuser()
    except (KeyError, OSError):
        user = ""
    return user if user not in ("", "root") else "coderunner"
