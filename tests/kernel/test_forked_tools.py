"""What other clients and magics need of a kernel that is forked: subshells, the debugger, pip."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from coderunner.kernel.connections.forking.templates import can_fork
from coderunner.outputs import Status
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run
from tests.kernel.test_forked_kernels import Fork, forked, forking, of
from tests.kernel.test_local_kernel import holds, printed

__all__ = ["forking"]

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels cannot be forked here")

FILE = "from ipykernel.connect import get_connection_file; print(get_connection_file())"


class Client:
    """A client of jupyter_client's, beside us."""

    def __init__(self, file: str) -> None:
        self.jupyter = BlockingKernelClient(connection_file=file)
        self.jupyter.load_connection_file()
        self.jupyter.start_channels()

    def control(self, kind: str, content: Mapping[str, object]) -> Mapping[str, Any]:
        """The answer to a request over the control channel."""
        message = self.jupyter.session.msg(kind, dict(content))
        self.jupyter.control_channel.send(message)
        while True:
            answer = self.jupyter.control_channel.get_msg(timeout=BOUND)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return dict(answer["content"])

    def debug(self, command: str, **arguments: object) -> Mapping[str, Any]:
        """The answer of the debugger."""
        request = {"type": "request", "seq": 1, "command": command, "arguments": arguments}
        return self.control("debug_request", request)

    def evaluated(self, source: str, subshell: str) -> str:
        """The value of an expression, in a subshell."""
        content = {"code": "", "silent": False, "user_expressions": {"value": source}, "allow_stdin": False}
        message = self.jupyter.session.msg("execute_request", content)
        message["header"]["subshell_id"] = subshell
        self.jupyter.shell_channel.send(message)
        answer = self.jupyter.shell_channel.get_msg(timeout=BOUND)
        return str(answer["content"]["user_expressions"]["value"]["data"]["text/plain"])


@contextmanager
def client(file: str) -> Iterator[Client]:
    """Another client of a kernel."""
    other = Client(file)
    try:
        yield other
    finally:
        other.jupyter.stop_channels()


@behaviour("forked:subshells")
async def test_a_subshell_of_a_forked_kernel_answers_while_a_cell_runs(forking: Fork) -> None:
    sessions = await asyncio.to_thread(forking)
    session, screen = of(sessions), Screen()
    file = await asyncio.to_thread(printed, session, FILE)
    assert forked(sessions, session)
    with client(file) as other:
        features = await asyncio.to_thread(other.control, "kernel_info_request", {})
        if "kernel subshells" not in features.get("supported_features", ()):
            pytest.skip("this ipykernel has none")
        made = await asyncio.to_thread(other.control, "create_subshell_request", {})
        running = session.begin(
            "import time\nx = 6\nprint('on', flush=True)\ntime.sleep(60)", on_output=screen
        )
        await screen.shows("on")
        assert await asyncio.to_thread(other.evaluated, "x * 7", made["subshell_id"]) == "42"
        assert not running.future.done()
        running.interrupt()
        assert (await asyncio.wrap_future(running.future)).status is Status.INTERRUPTED


@behaviour("forked:debugger")
def test_the_debugger_stops_at_a_line_in_a_forked_kernel(forking: Fork) -> None:
    sessions = forking()
    session = of(sessions)
    file = printed(session, FILE)
    assert forked(sessions, session)
    source = "def double(a):\n    b = a * 2\n    return b\nprint(double(21))"
    with client(file) as other:
        if "debugger" not in other.control("kernel_info_request", {}).get("supported_features", ()):
            pytest.skip("this kernel has no debugger")
        other.debug("initialize", clientID="t", adapterID="python", pathFormat="path")
        assert other.debug("attach")["success"]
        path = other.debug("dumpCell", code=source)["body"]["sourcePath"]
        other.debug("setBreakpoints", breakpoints=[{"line": 2}], source={"path": path}, sourceModified=False)
        other.debug("configurationDone")
        running = session.begin(source)
        assert holds(lambda: other.debug("debugInfo")["body"]["stoppedThreads"] != [])
        (thread, *_) = other.debug("debugInfo")["body"]["stoppedThreads"]
        frames = other.debug("stackTrace", threadId=thread)["body"]["stackFrames"]
        assert (frames[0]["name"], frames[0]["line"]) == ("double", 2)
        other.debug("continue", threadId=thread)
        result = running.wait(BOUND)
        assert result is not None
        assert (result.status, str(result.outputs).count("42")) == (Status.OK, 1)


@behaviour("forked:pip")
def test_pip_runs_in_the_environment_of_a_forked_kernel(forking: Fork) -> None:
    sessions = forking()
    session = of(sessions)
    said = printed(session, "%pip --version")
    assert forked(sessions, session)
    assert "site-packages/pip" in said
    assert run(session, "import os, sys; assert os.path.samefile(sys.prefix, sys.exec_prefix)").status is (
        Status.OK
    )
