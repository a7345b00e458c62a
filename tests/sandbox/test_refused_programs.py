"""What is said of other programs of this machine that code may not reach, as libraries word their errors."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from coderunner.ending_sentences import refused_for_people, what_was_refused
from coderunner.kernel.connections.usage_limits import met
from coderunner.kernel.sessions.registry import Local
from coderunner.outputs import Error, Result, Status, Stream
from coderunner.sandbox.backends import Backend
from coderunner.sandbox.clues.clues import Clues
from coderunner.sandbox.policy import Limits, Policy
from coderunner.sandbox.refusals import Person, refusals
from tests.behaviours import behaviour
from tests.sandbox.backends_here import HERE, sessions_in

POLICY = Policy(Path("/nowhere/chat"), Path("/nowhere/s"), Path("/nowhere/s/tmp"), Path("/nowhere/home"))
PERSON = Person(Path("/nowhere/home"))


def told(result: Result, source: str = "", person: Person = PERSON) -> list[str]:
    return [each.sentence for each in refusals(Clues.of(result, source), POLICY, person)]


def raised(name: str, text: str, *frames: str) -> Result:
    return Result((Error(name, text, frames),), Status.ERROR)


def wrote(text: str) -> Result:
    return Result((Stream("stderr", text),))


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """Of a server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


REFUSED = "[Errno 111] Connection refused"
CONNECTIONS = [
    (raised("ConnectionRefusedError", REFUSED), "socket.create_connection(('localhost', PORT))"),
    (raised("ConnectionRefusedError", REFUSED), "http.client.HTTPConnection('127.0.0.1', port=PORT)"),
    (raised("PermissionError", "[Errno 13] Permission denied"), "one.connect(('::1', PORT))"),
    (raised("URLError", f"<urlopen error {REFUSED}>"), "urlopen('http://localhost:PORT/api')"),
    (raised("ConnectError", REFUSED), "httpx.get('http://127.0.0.1:PORT')"),
    (raised("APIConnectionError", "Connection error."), "OpenAI(base_url='http://localhost:PORT/v1')"),
    (raised("ConnectionError", "HTTPConnectionPool(host='localhost', port=PORT): Max retries exceeded with "
            f"url: / (Caused by NewConnectionError('Failed to establish: {REFUSED}'))"), ""),
    (raised("OperationalError", 'connection to server at "localhost" (127.0.0.1), port PORT failed: '
            "Connection refused"), ""),
    (raised("ConnectionError", "Error 111 connecting to localhost:PORT. Connection refused."), ""),
    (raised("ServerSelectionTimeoutError", f"localhost:PORT: {REFUSED} (configured timeouts: 20000ms)"), ""),
    (raised("ClientConnectorError", "Cannot connect to host localhost:PORT ssl:default [Connect call failed "
            "('127.0.0.1', PORT)]"), ""),
    (raised("DatabaseError", "2003 (HY000): Can't connect to MySQL server on 'localhost:PORT' (111)"), ""),
    (raised("RuntimeError", "no answer", "socket.create_connection(('localhost', PORT))",
            f"ConnectionRefusedError: {REFUSED}"), ""),
    (wrote("curl: (7) Failed to connect to localhost port PORT after 0 ms: Couldn't connect to server"), ""),
    (wrote("Error: connect ECONNREFUSED 127.0.0.1:PORT"), ""),
    (wrote("dial tcp [::1]:PORT: connect: connection refused"), ""),
]  # fmt: skip


@behaviour("sandbox:refusals:programs")
@pytest.mark.parametrize("case", CONNECTIONS, ids=range(len(CONNECTIONS)))
def test_a_port_of_this_machine_is_named_however_a_library_says_it(
    case: tuple[Result, str], port: str
) -> None:
    result, source = case
    (output,) = result.outputs
    if isinstance(output, Error):
        frames = tuple(each.replace("PORT", port) for each in output.traceback)
        output = replace(output, evalue=output.evalue.replace("PORT", port), traceback=frames)
    elif isinstance(output, Stream):
        output = replace(output, text=output.text.replace("PORT", port))
    sentences = told(replace(result, outputs=(output,)), source.replace("PORT", port))
    assert sentences == [f"This block may not reach port {port} of this machine."]


@behaviour("sandbox:refusals:programs")
def test_an_address_of_ones_own_network_is_told_as_one_that_is_not_reached_directly() -> None:
    result = raised("OSError", "[Errno 101] Network is unreachable")
    assert told(result, "socket.create_connection(('192.168.1.5', 5432))") == [
        (
            "This block cannot reach 192.168.1.5 directly: only HTTP and HTTPS requests get out, through the "
            "sandbox's proxy."
        )
    ]


@behaviour("sandbox:refusals:programs")
def test_where_nobody_listens_nobody_was_kept_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert told(raised("ConnectionRefusedError", REFUSED), f"connect(('localhost', {port}))") == []


@behaviour("sandbox:refusals:programs")
@pytest.mark.parametrize(
    ("result", "source"),
    [
        (Result(), "create_server(('localhost', PORT))"),
        (raised("ZeroDivisionError", "division by zero"), "connect(('localhost', PORT))"),
        (raised("PermissionError", "[Errno 13] Permission denied: '/no'"), "connect(('localhost', PORT))"),
        (raised("ConnectionRefusedError", REFUSED), "connect(('localhost', 99999)); take = 3.PORT"),
    ],
)
def test_what_fails_for_another_reason_is_no_refusal_of_a_port(
    result: Result, source: str, port: str
) -> None:
    assert [each for each in told(result, source.replace("PORT", port)) if "port" in each] == []


PROCESSES = [
    (raised("ProcessLookupError", "[Errno 3] No such process"), "os.kill(PID, signal.SIGTERM)"),
    (raised("PermissionError", "[Errno 1] Operation not permitted"), "os.kill(PID, 0)"),
    (raised("NoSuchProcess", "process PID not found (pid=PID)"), "psutil.Process(PID)"),
    (wrote("/bin/bash: line 1: kill: (PID) - No such process"), "!kill -9 PID"),
]


@behaviour("sandbox:refusals:programs")
@pytest.mark.parametrize("case", PROCESSES, ids=range(len(PROCESSES)))
def test_a_process_is_named_that_runs_outside(case: tuple[Result, str]) -> None:
    result, source = case
    wait = [sys.executable, "-c", "input()"]
    with subprocess.Popen(wait, stdin=subprocess.PIPE) as other:
        pid = str(other.pid)
        (output,) = result.outputs
        if isinstance(output, Stream):
            output = replace(output, text=output.text.replace("PID", pid))
        said = told(replace(result, outputs=(output,)), source.replace("PID", pid))
        assert other.stdin is not None
        other.stdin.write(b"\n")
    assert said == [f"This block may not reach process {pid}."]
    assert told(replace(result, outputs=(output,)), source.replace("PID", pid)) == []


@behaviour("sandbox:refusals:programs")
def test_the_parent_is_told_as_what_it_is() -> None:
    result = raised("PermissionError", "[Errno 1] Operation not permitted")
    assert told(result, "os.kill(os.getppid(), 0)") == [
        "This block may not reach the process that started it."
    ]


@behaviour("sandbox:refusals:programs")
def test_where_a_link_of_another_process_leads_is_not_told() -> None:
    path = f"/proc/{os.getpid()}/cwd/pyproject.toml"
    result = raised("PermissionError", f"[Errno 13] Permission denied: '{path}'")
    assert told(result, f"open('{path}')") == [f"This block may not read {path}."]


@behaviour("sandbox:refusals:programs")
def test_a_stranger_does_not_learn_who_listens_or_runs(port: str) -> None:
    stranger = replace(PERSON, stranger=True)
    for each in (port, "1"):
        result = raised("ConnectionRefusedError", REFUSED)
        assert told(result, f"connect(('localhost', {each}))", stranger) == [
            f"This block may not reach port {each} of this machine."
        ]


@behaviour("sandbox:refusals:programs")
def test_person_and_model_read_that_no_other_program_is_reached(port: str) -> None:
    result = raised("ConnectionRefusedError", REFUSED)
    found = refusals(Clues.of(result, f"connect(('localhost', {port}))"), POLICY, PERSON)
    sentence = f"This block may not reach port {port} of this machine."
    assert what_was_refused(found) == (
        f"{sentence} Code in the sandbox reaches no other program of this machine. Do not try another way."
    )
    assert refused_for_people(found, "This block") == (
        f"{sentence} Code in the sandbox reaches no other program of this machine; see the setting sandbox."
    )


BIND = ("File socketserver.py, line 472, in server_bind", "    self.socket.bind(self.server_address)")
DENIED = "[Errno 13] Permission denied"
LISTENS = [
    raised("PermissionError", DENIED, *BIND, f"PermissionError: {DENIED}"),
    raised("ZMQError", "Permission denied (addr='tcp://127.0.0.1:5555')"),
    raised("PermissionError", "[Errno 13] error while attempting to bind on address ('127.0.0.1', 8000): "
           "permission denied"),
]  # fmt: skip


@behaviour("sandbox:refusals:programs")
@pytest.mark.parametrize("result", LISTENS, ids=range(len(LISTENS)))
def test_a_program_that_may_not_listen_is_told_what_it_can_do(result: Result) -> None:
    policy = replace(POLICY, listens=False)
    found = refusals(Clues.of(result, "HTTPServer(('', 8000), Handler)"), policy, PERSON)
    assert what_was_refused(found) == (
        "This block may not listen on a TCP port. "
        "In this sandbox, programs reach each other over Unix sockets and pipes alone."
    )
    assert told(result) == []


@behaviour("sandbox:refusals:programs")
@pytest.mark.parametrize("backend", HERE)
async def test_a_server_of_codes_own_is_reached_or_it_is_said_that_it_cannot_be(
    backend: Backend, tmp_path: Path
) -> None:
    sessions = sessions_in(backend, tmp_path)
    try:
        source = "import http.server\nhttp.server.HTTPServer(('127.0.0.1', 0), None).server_close()"
        result = await sessions.get("one", Local()).execute(source)
        may_not = ["This block may not listen on a TCP port."]
        assert [each.sentence for each in result.refusals] == (may_not if backend == "landlock" else [])
    finally:
        await sessions.close_all()


LIMITS = Limits(memory=2_000_000_000, processes=1024, file=20_000_000_000)
MET = [
    (raised("MemoryError", ""), "its memory is limited to 2 GB by the setting max_memory"),
    (raised("_ArrayMemoryError", "Unable to allocate 9 GiB"),
     "its memory is limited to 2 GB by the setting max_memory"),
    (raised("RuntimeError", "can't start new thread"),
     "it may have at most 1024 processes and threads at a time"),
    (raised("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "self.pid = os.fork()",
            "BlockingIOError: [Errno 11] Resource temporarily unavailable"),
     "it may have at most 1024 processes and threads at a time"),
    (wrote("/bin/bash: fork: retry: Resource temporarily unavailable"),
     "it may have at most 1024 processes and threads at a time"),
    (raised("OSError", "[Errno 27] File too large"), "a file that it writes may have at most 20 GB"),
    (wrote("dd: error writing 'x': File too large"), "a file that it writes may have at most 20 GB"),
    (raised("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "socket.recv(9)"), ""),
    (raised("ZeroDivisionError", "division by zero"), ""),
]  # fmt: skip


@behaviour("sandbox:limits:told")
@pytest.mark.parametrize(("result", "said"), MET, ids=range(len(MET)))
def test_a_limit_that_was_met_is_named(result: Result, said: str) -> None:
    assert met(result, LIMITS) == said
    assert met(result, Limits(processes=0, file=0)) == ""
