"""A shop whose tools are called, and kernels that may."""

import queue
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from coderunner.kernel.execution.running_cell import RunningCell
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.protocol.cell_outputs import Change
from coderunner.kernel.sessions.registry import KernelLocation, Local, Server, Session, Sessions
from coderunner.outputs import TOOL_CALL, DisplayData, Error, Question, Result, Stream
from coderunner.sandbox.backends import available
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.secret_value import Secret
from coderunner.tools.tool_servers import read_tool_servers
from coderunner.tools.toolbox import Toolbox
from tests.kernel.servers import Jupyter, jupyter_server

BOUND = 60.0
"""Seconds that a test waits for something which comes at once."""
SHOP = str(Path(__file__).with_name("mcp_server.py"))
COMMAND = {"command": [sys.executable, SHOP]}
SECRET = "canary-of-the-shop"


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A stock Jupyter server."""
    with jupyter_server(tmp_path_factory.mktemp("jupyter"), token="token-of-the-test") as server:
        yield server


@dataclass
class Bench:
    """Kernels of one kind whose code may call tools; a chat for each test."""

    sessions: Sessions
    where: KernelLocation
    toolbox: Toolbox

    def chat(self) -> Session:
        return self.sessions.get(f"tools-{uuid.uuid4().hex[:12]}", self.where)

    def close(self) -> None:
        io_thread().call(self.sessions.close_all(keep=False), BOUND)


def bench(where: KernelLocation, folder: Path, servers: Mapping[str, object], **limits: object) -> Bench:
    boxed = isinstance(where, Local) and where.isolated
    toolbox = Toolbox(read_tool_servers(servers), **limits)  # type: ignore[arg-type]
    sandbox = KernelSandbox(Grants()) if boxed else None
    return Bench(Sessions(folder, sandbox=sandbox, toolbox=toolbox), where, toolbox)


@pytest.fixture(scope="package", params=["local", "sandboxed", "server"])
def everywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A chat with each kind of kernel; its tools need no consent. One for all tests."""
    if request.param == "sandboxed" and not available():
        pytest.skip(available().why)
    where: KernelLocation = Local(sandbox=available()) if request.param == "sandboxed" else Local()
    if request.param == "server":
        jupyter: Jupyter = request.getfixturevalue("jupyter")
        where = Server(jupyter.url, Secret(jupyter.token))
    kernels = bench(where, tmp_path_factory.mktemp("tools"), {"shop": COMMAND}, asks=False)
    yield kernels.chat()
    kernels.close()


@pytest.fixture(scope="package")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Kernels of this machine whose tools need consent, with low limits."""
    folder = tmp_path_factory.mktemp("asking")
    kernels = bench(Local(), folder, {"shop": COMMAND}, most=5, seconds=20.0)
    yield kernels
    kernels.close()


class Person:
    """Somebody who reads what is asked and answers; what a cell shows is seen."""

    def __init__(self, session: Session, source: str, deadline: float = 30.0) -> None:
        self._asked: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._shown: list[str] = []
        self._news = threading.Condition()
        self.running: RunningCell = session.begin(
            source, deadline=deadline, on_output=self._show, on_question=self._asked.put
        )

    def _show(self, change: Change) -> None:
        with self._news:
            self._shown.append(str(change.output))
            self._news.notify_all()

    def sees(self, text: str) -> bool:
        """Wait until a text is to be seen."""
        with self._news:
            return self._news.wait_for(lambda: text in "".join(self._shown), BOUND)

    def asked(self) -> Question:
        """The next question."""
        while (question := self._asked.get(timeout=BOUND)) is None:
            continue
        return question

    def answers(self, text: str) -> str:
        """Answer the next question; gives its words."""
        question = self.asked()
        self.running.answer(question.id, Secret(text))
        return question.prompt

    @property
    def asked_more(self) -> bool:
        """Something was asked that nobody has read."""
        while not self._asked.empty():
            if self._asked.get_nowait() is not None:
                return True
        return False

    def result(self) -> Result:
        result = self.running.wait(BOUND)
        assert result is not None
        return result


def run(session: Session, source: str) -> Result:
    """Run a cell without a person."""
    result = session.begin(source).wait(BOUND)
    assert result is not None
    return result


def printed(result: Result) -> str:
    """What it printed."""
    streams = (output for output in result.outputs if isinstance(output, Stream))
    return "".join(output.text for output in streams if output.name == "stdout")


def raised(result: Result) -> str:
    """The name and text of what it raised."""
    errors = [output for output in result.outputs if isinstance(output, Error)]
    assert len(errors) == 1, result.outputs
    return f"{errors[0].ename}: {errors[0].evalue}"


def calls(result: Result) -> list[dict[str, object]]:
    """What the record tells of its calls."""
    shown = (output for output in result.outputs if isinstance(output, DisplayData))
    return [dict(output.data[TOOL_CALL]) for output in shown if TOOL_CALL in output.data]  # type: ignore[call-overload]
