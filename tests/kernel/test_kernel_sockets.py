"""Kernels of this machine that do not take the sockets which they are offered first."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from coderunner.errors import KernelNotStarted
from coderunner.kernel.connections import kernel_sockets, local_kernel
from coderunner.kernel.connections.kernel_process import spec_of
from coderunner.kernel.connections.kernel_sockets import Sockets
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import Local, Session, Sessions
from coderunner.outputs import Status, Stream
from coderunner.sandbox.backends import Availability, attempt, available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, run
from tests.kernel.foreign import ELSEWHERE, ONLY_TCP, kernel_spec


def in_sandbox(sessions: Sessions, name: str) -> Session:
    where = Local(name, sandbox=available()) if sessions.sandbox is not None else Local(name)
    return sessions.get("c", where)


@pytest.fixture(params=["plain", "sandboxed"])
def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """Without a sandbox and in one of this machine."""
    if request.param == "sandboxed" and not (available() and KernelSandbox().relays):
        pytest.skip("no network namespaces here")
    registry = Sessions(tmp_path / "work", sandbox=KernelSandbox() if request.param == "sandboxed" else None)
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@behaviour("local:sockets:tcp")
@pytest.mark.parametrize("program", [ONLY_TCP, ELSEWHERE])
def test_a_kernel_that_listens_on_tcp_only_is_reached(sessions: Sessions, program: str) -> None:
    with kernel_spec("tcp-only", program):
        session = in_sandbox(sessions, "tcp-only")
        assert run(session, "x = 40").status is Status.OK
        assert run(session, "print(x + 2)").outputs == (Stream("stdout", "42\n"),)
        interrupted = run(session, "import time; time.sleep(60)", deadline=0.3)
        assert interrupted.status is Status.TIMEOUT
        assert run(session, "print(x)").outputs == (Stream("stdout", "40\n"),)
        large = run(session, "print('x' * 400_000)")
        assert [len(output.text) for output in large.outputs if isinstance(output, Stream)] == [400_001]


@behaviour("local:sockets:remembered")
async def test_what_a_kernel_takes_is_remembered_until_it_changes(tmp_path: Path) -> None:
    with kernel_spec("tcp-remembered", ONLY_TCP) as folder:
        assert kernel_sockets.first_choice(spec_of("tcp-remembered")) is Sockets.FILES
        kernel = await io_thread().run(local_kernel.start("tcp-remembered", tmp_path))
        await io_thread().run(kernel.close())
        assert kernel_sockets.first_choice(spec_of("tcp-remembered")) is Sockets.TCP
        spec = folder / "kernel.json"
        os.utime(spec, ns=(1, 1))
        assert kernel_sockets.first_choice(spec_of("tcp-remembered")) is Sockets.FILES


@behaviour("local:sockets:tcp-confined")
async def test_in_a_sandbox_that_cannot_relay_it_is_refused_and_never_started_without_one(
    tmp_path: Path,
) -> None:
    if attempt("landlock"):
        pytest.skip("no Landlock here")
    sandbox = KernelSandbox(way=Availability("landlock"))
    with kernel_spec("tcp-refused", ONLY_TCP):
        starting = local_kernel.start("tcp-refused", tmp_path, sandbox=sandbox)
        with pytest.raises(KernelNotStarted, match=r"listen at ipc \(a kernel that takes TCP sockets only"):
            await io_thread().run(starting)


@behaviour("local:start:no-program")
async def test_a_sandboxed_kernel_whose_program_is_missing_says_so(tmp_path: Path) -> None:
    if not available():
        pytest.skip(available().why)
    with kernel_spec("no-program", "") as folder:
        spec = (folder / "kernel.json").read_text().replace('"python"', '"no-such-program"', 1)
        (folder / "kernel.json").write_text(spec)
        with pytest.raises(KernelNotStarted, match="its program 'no-such-program' is not installed"):
            await io_thread().run(local_kernel.start("no-program", tmp_path, sandbox=KernelSandbox()))
