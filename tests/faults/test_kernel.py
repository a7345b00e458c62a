"""Kernels that die, hang, refuse to be interrupted or are taken away."""

import asyncio
import uuid
from dataclasses import dataclass

import pytest

from coderunner.kernel.sessions import Local, Server, Session, Sessions, Where
from coderunner.outputs import Aftermath, Error, Status
from coderunner.secret import Secret
from tests.behaviours import behaviour
from tests.faults.conftest import Ordeal
from tests.kernel.conftest import Screen
from tests.kernel.servers import Jupyter

DIED = (Status.DIED, Aftermath.FRESH, "the kernel died while the code ran; variables are gone")
RESTARTED = (
    Status.TIMEOUT,
    Aftermath.FRESH,
    "stopped at the time limit; the kernel was restarted, variables are gone; the limit is 1 s",
)
KEPT = (Status.OK, Aftermath.READY, "")


@dataclass(frozen=True)
class Fault:
    """What a program does, and what is true afterwards."""

    source: str
    ends: tuple[Status, Aftermath, str]
    deadline: float = 20.0
    error: str = ""

    @property
    def kept(self) -> bool:
        return self.ends[1] is Aftermath.READY


FAULTS = {
    "os._exit": Fault("import os; os._exit(1)", DIED),
    "SIGKILL": Fault("import os; os.kill(os.getpid(), 9)", DIED),
    "segmentation fault": Fault("import ctypes; ctypes.string_at(0)", DIED),
    "SIGSTOP": Fault("import os; os.kill(os.getpid(), 19)", RESTARTED, deadline=1.0),
    "SIGINT ignored": Fault(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        RESTARTED,
        deadline=1.0,
    ),
    "no memory left": Fault(
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**32, -1))\nbytearray(2**33)",
        (Status.ERROR, Aftermath.READY, ""),
        error="MemoryError",
    ),
    "endless recursion": Fault(
        "def again(): again()\nagain()", (Status.ERROR, Aftermath.READY, ""), error="RecursionError"
    ),
    "stdout closed": Fault("import os; os.close(1); os.close(2)", KEPT),
    "exit()": Fault(
        "exit()",
        (Status.OK, Aftermath.FRESH, "no output; the program ended its kernel: all variables are gone"),
    ),
}


@pytest.fixture(params=["here", "there"])
def where(request: pytest.FixtureRequest) -> Where:
    if request.param == "here":
        return Local()
    server: Server = request.getfixturevalue("there")
    return server


@pytest.fixture
async def session(sessions: Sessions, where: Where) -> Session:
    """A conversation with a variable `x` in its kernel."""
    session = sessions.get(uuid.uuid4().hex, where)
    assert (await session.execute("x = 7")).status is Status.OK
    return session


@behaviour("faults:kernel:told")
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_befalls_a_kernel(fault: str, session: Session, ordeal: Ordeal) -> None:
    this = FAULTS[fault]
    ordeal.bound = 30.0
    ordeal.strike()
    result = await session.execute(this.source, deadline=this.deadline)
    ordeal.ends(result, *this.ends)
    assert [output.ename for output in result.outputs if isinstance(output, Error)] == [this.error][
        : bool(this.error)
    ]
    await ordeal.goes_on(session, kept=this.kept)


@behaviour("faults:kernel:crash-loop")
async def test_a_kernel_that_dies_again_and_again(session: Session, ordeal: Ordeal) -> None:
    for _ in range(6):
        ordeal.strike()
        ordeal.ends(await session.execute("import os; os._exit(1)"), *DIED)
    await ordeal.goes_on(session, kept=False)


@behaviour("faults:server:killed")
@pytest.mark.parametrize("end", ["the server is killed", "the server is told to end"])
async def test_a_server_that_ends_while_a_cell_runs(
    end: str, own_server: Jupyter, sessions: Sessions, ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coderunner.kernel.server.AWAY", 1.0)
    session = sessions.get("c", Server(own_server.url, Secret(own_server.token)))
    screen = Screen()
    running = asyncio.create_task(
        session.execute("print('on', flush=True)\nimport time; time.sleep(60)", on_output=screen)
    )
    await screen.shows("on")
    ordeal.strike()
    own_server.process.kill() if end.endswith("killed") else own_server.process.terminate()
    result = await running
    lost = "the connection was lost; whether the code ran to its end is unknown"
    fresh = "the connection was lost; there is a new kernel, variables are gone"
    gone = "the kernel was restarted or ended while the code ran; variables are gone"
    words = {
        (Status.LOST, Aftermath.READY): lost,
        (Status.LOST, Aftermath.FRESH): fresh,
        (Status.REPLACED, Aftermath.FRESH): gone,
    }[result.status, result.aftermath]
    assert end.endswith("end") or words == lost
    ordeal.ends(result, result.status, result.aftermath, words)
    refused = await session.execute("1")
    assert refused.status is Status.REFUSED
    assert "nothing answers at" in refused.detail
    ordeal.survived = True
