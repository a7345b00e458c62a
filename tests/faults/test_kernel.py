"""Kernels that die, hang, refuse to be interrupted or are taken away."""

import asyncio
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import pytest

from coderunner.kernel.execution.conclude_cell import UNHEARD
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.outputs import Aftermath, Error, Status
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal, happens, text_of
from tests.faults.proxy import Chaos
from tests.kernel.conftest import BOUND, Screen
from tests.kernel.servers import Jupyter

STOPPED = (
    Status.TIMEOUT,
    Aftermath.READY,
    "stopped at the time limit; variables are kept; the limit is 1 s",
)
RESTARTED = (
    Status.TIMEOUT,
    Aftermath.FRESH,
    "stopped at the time limit; the kernel was restarted, variables are gone; the limit is 1 s",
)
DIED = (Status.DIED, Aftermath.FRESH, "the kernel died while the code ran; variables are gone")
REPLACED = (
    Status.REPLACED,
    Aftermath.FRESH,
    "the kernel was restarted or shut down while the code ran; variables are gone",
)
FAILED = (Status.ERROR, Aftermath.READY, "")
KEPT = (Status.OK, Aftermath.READY, "")


@dataclass(frozen=True)
class Fault:
    """What a program does, and what is true afterwards."""

    source: str
    ends: tuple[Status, Aftermath, str]
    shown: str = ""
    """What is left of its text."""
    error: str = ""

    @property
    def deadline(self) -> float:
        return 1.0 if self.ends[0] is Status.TIMEOUT else 20.0

    @property
    def kept(self) -> bool:
        return self.ends[1] is Aftermath.READY


BEGUN = "print('begun', flush=True)\n"
FAULTS = {
    # It ends.
    "os._exit": Fault("import os; os._exit(1)", DIED),
    "SIGKILL": Fault("import os; os.kill(os.getpid(), 9)", DIED),
    "segmentation fault": Fault("import ctypes; ctypes.string_at(0)", DIED),
    "exit()": Fault(
        "exit()",
        (Status.OK, Aftermath.FRESH, "no output; the program ended its kernel; all variables are gone"),
    ),
    # It does not end.
    "sleep": Fault(f"{BEGUN}import time; time.sleep(60)", STOPPED, "begun\n"),
    "busy loop": Fault(f"{BEGUN}while True: pass", STOPPED, "begun\n"),
    "await": Fault(f"{BEGUN}import asyncio; await asyncio.sleep(60)", STOPPED, "begun\n"),
    "child process": Fault(f"{BEGUN}import subprocess; subprocess.run(['sleep', '60'])", STOPPED, "begun\n"),
    "shell that asks": Fault(f"{BEGUN}!read answer", STOPPED, "begun\n^C\r\n"),
    "SIGSTOP": Fault("import os; os.kill(os.getpid(), 19)", RESTARTED),
    "SIGINT ignored": Fault(
        f"{BEGUN}import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        RESTARTED,
        "begun\n",
    ),
    "KeyboardInterrupt caught": Fault(
        f"{BEGUN}import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass",
        RESTARTED,
        "begun\n",
    ),
    # It has too little.
    "no memory left": Fault(
        "import resource\nbefore = resource.getrlimit(resource.RLIMIT_AS)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**32, before[1]))\n"
        "try: bytearray(2**33)\nfinally: resource.setrlimit(resource.RLIMIT_AS, before)",
        FAILED,
        error="MemoryError",
    ),
    "no file left": Fault(
        "files = []\ntry:\n    while True: files.append(open('/dev/null'))\nfinally: files.clear()",
        FAILED,
        error="OSError",
    ),
    "endless recursion": Fault(
        # IPython takes seconds to show the 3000 frames that there are by default.
        "import sys\nbefore = sys.getrecursionlimit()\ndef again(): again()\n"
        "sys.setrecursionlimit(500)\ntry: again()\nfinally: sys.setrecursionlimit(before)",
        FAILED,
        error="RecursionError",
    ),
    # It breaks what its kernel stands on.
    "stdout closed": Fault("import os; os.close(1); os.close(2)", KEPT),
    "fork": Fault(
        "import os, time\nif os.fork():\n    time.sleep(1.2)\n    print('parent')\nelse:\n    os._exit(0)",
        KEPT,
        "parent\n",
    ),
    "forged end": Fault(
        "import time\nkernel = get_ipython().kernel\n"
        "kernel.send_response(kernel.iopub_socket, 'status', {'execution_state': 'idle'})\n"
        "time.sleep(1.2)\nprint('went on')",
        KEPT,
        "went on\n",
    ),
}


@pytest.fixture(params=["here", "there"])
def where(request: pytest.FixtureRequest) -> KernelLocation:
    if request.param == "here":
        return Local()
    server: Server = request.getfixturevalue("there")
    return server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """One kernel here and one there for all faults: after each of them the next block works."""
    registry = Sessions(tmp_path_factory.mktemp("work"))
    yield registry
    io_thread().call(registry.close_all(keep=False), BOUND)


@pytest.fixture
async def session(shared: Sessions, where: KernelLocation) -> Session:
    """A conversation with a variable `x` in its kernel."""
    session = shared.get(type(where).__name__, where)
    assert (await session.execute("x = 7")).status is Status.OK
    return session


@behaviour("faults:kernel:told")
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_befalls_a_kernel(
    fault: str, session: Session, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    this = FAULTS[fault]
    if this.ends is RESTARTED:
        monkeypatch.setattr(
            "coderunner.kernel.execution.conclude_cell.GRACE", (0.3, 0.3)
        )  # it would be given in vain
    ordeal.bound = 30.0
    ordeal.strike()
    result = await session.execute(this.source, deadline=this.deadline)
    ordeal.ends(result, *this.ends)
    assert text_of(result) == this.shown
    assert [each.ename for each in result.outputs if isinstance(each, Error) and this.ends is FAILED] == [
        this.error
    ][: bool(this.error)]
    await ordeal.goes_on(session, kept=this.kept)


@behaviour("faults:kernel:no-reply")
async def test_a_kernel_that_cannot_run_anything_any_more(session: Session, ordeal: Ordeal) -> None:
    assert (await session.execute("import builtins\nbuiltins.compile = None")).status is Status.OK
    ordeal.strike()
    ordeal.ends(await session.execute("1"), *DIED)
    await ordeal.goes_on(session, kept=False)


@behaviour("faults:kernel:crash-loop")
async def test_a_kernel_that_dies_again_and_again(session: Session, ordeal: Ordeal) -> None:
    for _ in range(6):
        ordeal.strike()
        ordeal.ends(await session.execute("import os; os._exit(1)"), *DIED)
    await ordeal.goes_on(session, kept=False)


TAKEN = {"deleted by somebody": ("DELETE", ""), "restarted by somebody": ("POST", "/restart")}


@behaviour("faults:kernel:taken")
@pytest.mark.parametrize("fault", TAKEN)
async def test_a_kernel_that_is_taken_from_under_a_cell(
    fault: str, shared: Sessions, there: Server, jupyter: Jupyter, ordeal: Ordeal
) -> None:
    session, screen = shared.get("taken", there), Screen()
    running = session.begin(f"{BEGUN}import time; time.sleep(60)", on_output=screen)
    await screen.shows("begun")
    ordeal.strike()
    await asyncio.to_thread(take, jupyter, *TAKEN[fault])
    ordeal.ends(await asyncio.wrap_future(running.future), *REPLACED)
    await ordeal.goes_on(session, kept=False)


@behaviour("faults:kernel:unheard")
async def test_while_a_slow_connection_may_still_tell_why_a_kernel_went_nothing_is_said_of_it(
    proxy: Chaos, far: Session, jupyter: Jupyter, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.kernel.connections.servers.server_kernel.AWAKE", 0.1)
    monkeypatch.setattr("coderunner.kernel.execution.client.CHECK_EVERY", 0.1)
    screen = Screen()
    running = far.begin(f"{BEGUN}import time; time.sleep(60)", on_output=screen)
    await screen.shows("begun")
    proxy.hold_the_open_ones()
    ordeal.strike()
    await asyncio.to_thread(take, jupyter, "DELETE", conversation=far.conversation)
    before = proxy.opened
    await happens(lambda: running.future.done() or proxy.opened >= before + 3)
    assert not running.future.done()
    proxy.flow()
    ordeal.ends(await asyncio.wrap_future(running.future), *REPLACED)
    await ordeal.goes_on(far, kept=False)


@behaviour("faults:kernel:culled")
async def test_a_kernel_that_is_culled_between_two_cells(
    shared: Sessions, there: Server, jupyter: Jupyter, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shared.get("taken", there)
    await session.execute("x = 7")
    await asyncio.to_thread(take, jupyter, "DELETE")
    monkeypatch.setattr("coderunner.kernel.sessions.kernel_lifecycle.DOZED_OFF", 0.0)
    ordeal.strike()
    result = await session.execute("print('x' in globals())")
    words = "this is a new kernel; earlier variables are gone"
    ordeal.ends(result, Status.OK, Aftermath.READY, words)
    assert text_of(result) == "False\n"
    await ordeal.goes_on(session, kept=False)


@behaviour("faults:kernel:heir")
async def test_a_kernel_that_died_before_the_cell_reached_it(
    shared: Sessions, there: Server, ordeal: Ordeal
) -> None:
    session = shared.get("heir", there)
    process = int(text_of(await session.execute("import os; x = 7; print(os.getpid())")))
    ordeal.strike()
    os.kill(process, signal.SIGKILL)
    await happens(lambda: not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie")
    # The server has not noticed yet; what it has in its queue then goes to the process in that one's place.
    result = await session.execute("y = 8; print('x' in globals())")
    ordeal.settle()
    ran = result.status is Status.OK
    if ran:
        assert "earlier variables are gone" in result.detail
        # A kernel that has just started may speak before the server hears it.
        assert text_of(result) == "False\n" or UNHEARD in result.detail
    else:
        # It had passed it on already, to nobody.
        ordeal.ends(result, *DIED)
    kept = await ordeal.goes_on(session, kept=False)
    assert kept.detail == ""
    assert text_of(await session.execute("print('y' in globals())")) == f"{ran}\n"


@behaviour("prelude:cells:every-kernel")
async def test_a_kernel_that_its_server_started_again_is_prepared(sessions: Sessions, there: Server) -> None:
    session = sessions.get("started again", there)
    process = int(text_of(await session.execute("import os; print(os.getpid())")))
    os.kill(process, signal.SIGKILL)
    await happens(lambda: session.status.state == "dead")
    result = await session.execute("print('ran')\nreturn")
    assert [type(output) for output in result.outputs] == [Error]
    assert result.detail == "this is a new kernel; earlier variables are gone"
    assert text_of(await session.execute("import os; print(os.getpid())")) not in ("", f"{process}\n")


def take(jupyter: Jupyter, method: str, path: str = "", *, conversation: str = "taken") -> None:
    """Do to the conversation's kernel what somebody else on the server does."""
    kernel = jupyter.session(f"coderunner/{conversation}")["kernel"]["id"]
    jupyter.ask(f"api/kernels/{kernel}{path}", method)


@behaviour("faults:server:killed")
@pytest.mark.parametrize("end", ["the server is killed", "the server is told to end"])
async def test_a_server_that_ends_while_a_cell_runs(
    end: str, own_server: Jupyter, sessions: Sessions, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.kernel.connections.servers.server_kernel.AWAY", 1.0)
    session = sessions.get("c", Server(own_server.url, Secret(own_server.token)))
    screen = Screen()
    running = asyncio.create_task(
        session.execute("print('on', flush=True)\nimport time; time.sleep(60)", on_output=screen)
    )
    await screen.shows("on")
    ordeal.strike()
    own_server.process.kill() if end.endswith("killed") else own_server.process.terminate()
    result = await running
    lost = "the connection was lost; it is unknown whether the code finished"
    fresh = "the connection was lost; the server no longer has the kernel, variables are gone"
    gone = "the kernel was restarted or shut down while the code ran; variables are gone"
    words = {
        (Status.LOST, Aftermath.READY): lost,
        (Status.LOST, Aftermath.FRESH): fresh,
        (Status.REPLACED, Aftermath.FRESH): gone,
    }[result.status, result.aftermath]
    assert end.endswith("end") or words == lost
    ordeal.ends(result, result.status, result.aftermath, words)
    refused = await session.execute("1")
    assert refused.status is Status.REFUSED
    assert "nothing responds at" in refused.detail
    ordeal.survived = True
