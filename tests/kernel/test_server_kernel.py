"""Kernels on a Jupyter server: found again, watched, shared, and the token that goes nowhere."""

import asyncio
import json
import logging
import socket
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from coderunner.chat.results.result_text import for_model
from coderunner.kernel.connections.servers.find_or_start import create_without_session
from coderunner.kernel.connections.servers.rest_api import RestApi
from coderunner.kernel.connections.servers.server_kernel import ServerKernel
from coderunner.kernel.connections.servers.websocket import KernelWebSocket
from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.execution.client import KernelClient
from coderunner.kernel.io_thread import io_thread
from coderunner.kernel.kernel_location import Patience
from coderunner.kernel.protocol.messages import Message, from_v1, to_v1
from coderunner.kernel.sessions.kernel_lifecycle import REPLACED
from coderunner.kernel.sessions.registry import Server, Session, Sessions
from coderunner.outputs import DisplayData, Result, Status, Stream
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.conftest import BOUND, Screen, run
from tests.kernel.servers import Answer, Jupyter, jupyter_server, scripted_server

SLEEPS = "import time\nprint('on', flush=True)\ntime.sleep(60)"


def text_of(result: Result) -> str:
    return "".join(output.text for output in result.outputs if isinstance(output, Stream))


def kernel_of(jupyter: Jupyter, conversation: str) -> str:
    return jupyter.session(f"coderunner/{conversation}")["kernel"]["id"]


@pytest.fixture
def conversation() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def session(sessions: Sessions, there: Server, conversation: str) -> Session:
    return sessions.get(conversation, there)


@behaviour("server:kernel:left-behind")
async def test_a_kernel_that_an_earlier_process_left_is_ended(
    there: Server, jupyter: Jupyter, conversation: str
) -> None:
    before, after = Sessions(), Sessions()
    await before.get(conversation, there).execute("x = 42")
    await before.close_all()
    assert kernel_of(jupyter, conversation)
    await after.close(conversation, there)
    with pytest.raises(StopIteration):
        kernel_of(jupyter, conversation)


@behaviour("server:kernel:found-again")
async def test_after_a_restart_of_ours_the_conversation_finds_its_kernel(
    there: Server, conversation: str
) -> None:
    before = Sessions()
    await before.get(conversation, there).execute("x = 42")
    await before.close_all()
    after = Sessions()
    try:
        result = await after.get(conversation, there).execute("print(x)")
        assert (text_of(result), result.detail) == ("42\n", "")
    finally:
        await after.close_all(keep=False)


@behaviour("session:resumed:count")
@pytest.mark.parametrize(("restarted", "words"), [(False, ""), (True, REPLACED)])
async def test_a_kernel_that_began_anew_between_two_starts_of_ours_says_so(
    restarted: bool, words: str, there: Server, jupyter: Jupyter, conversation: str
) -> None:
    before, after = Sessions(), Sessions()
    first = await before.get(conversation, there).execute("x = 42")
    await before.close_all()
    if restarted:
        await asyncio.to_thread(
            jupyter.ask, f"api/kernels/{kernel_of(jupyter, conversation)}/restart", "POST"
        )
    try:
        session = after.get(conversation, there)
        session.resume(first.execution_count or 0)
        result = await session.execute("print('x' in globals())")
        while result.status is Status.DIED and restarted:
            # Jupyter Server 2.14 may take a kernel that it restarts for a dead one, and restart it again.
            session.resume(first.execution_count or 0)
            result = await session.execute("print('x' in globals())")
        assert (text_of(result), result.detail) == (f"{not restarted}\n", words)
        assert (await session.execute("1")).detail == ""
    finally:
        await after.close_all(keep=False)


@behaviour("server:kernel:found-busy")
async def test_what_waits_for_a_cell_of_an_earlier_start_shows_all_that_it_prints(
    there: Server, conversation: str, tmp_path: Path
) -> None:
    gate, screen, before, after = tmp_path / "gate", Screen(), Sessions(), Sessions()
    waits = (
        f"import os, time\nprint('on', flush=True)\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    )
    before.get(conversation, there).begin(waits, on_output=screen)
    await screen.shows("on")
    await before.close_all()
    try:
        running = after.get(conversation, there).begin(
            "print('first')", on_send=lambda _request: not gate.touch()
        )
        result = await asyncio.wait_for(asyncio.wrap_future(running.future), BOUND)
        assert (text_of(result), result.detail) == ("first\n", "")
    finally:
        await after.close_all(keep=False)


@behaviour("server:kernel:named")
async def test_the_kernel_stands_in_the_servers_list_under_the_conversation(
    session: Session, jupyter: Jupyter, conversation: str
) -> None:
    await session.execute("1")
    listed = jupyter.session(f"coderunner/{conversation}")
    assert (listed["type"], listed["name"]) == ("console", f"coderunner/{conversation}")
    await session.close()
    assert listed["kernel"]["id"] not in jupyter.kernels()


@behaviour("server:kernel:other-spec")
async def test_a_kernel_of_another_name_under_the_conversation_is_replaced(
    session: Session, jupyter: Jupyter, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {
        "path": f"coderunner/{conversation}",
        "type": "console",
        "name": "old",
        "kernel": {"name": "python3"},
    }
    old = jupyter.ask("api/sessions", "POST", wanted)["kernel"]["id"]
    real = RestApi.sessions

    async def renamed(self: RestApi) -> list[dict[str, object]]:
        listed = await real(self)
        return [{**one, "kernel": {**one["kernel"], "name": "other"}} for one in listed]  # type: ignore[dict-item]

    monkeypatch.setattr(RestApi, "sessions", renamed)
    assert (await session.execute("1")).status is Status.OK
    assert old not in jupyter.kernels()


@behaviour("server:kernel:without-sessions")
async def test_a_server_without_sessions_gives_a_kernel_that_is_deleted_in_the_end(tmp_path: Path) -> None:
    options = "--ServerApp.session_manager_class=tests.kernel.nosessions.NoSessions"
    with jupyter_server(tmp_path, options, token="gateway") as gateway:
        sessions = Sessions()
        session = sessions.get("c", Server(gateway.url, Secret("gateway")))
        assert text_of(await session.execute("print(1)")) == "1\n"
        assert len(gateway.kernels()) == 1
        await sessions.close_all(keep=True)
        assert gateway.kernels() == []


@behaviour("server:address:base-path")
async def test_a_pasted_address_below_a_base_path_works_also_with_the_default_protocol(
    hub: Jupyter, sessions: Sessions
) -> None:
    where = Server(f"{hub.url}/lab/tree/a.ipynb?token=hub-token")
    screen = Screen()
    result = await sessions.get("c", where).execute("print('ä', flush=True)\n1/0", on_output=screen)
    assert (text_of(result), result.status) == ("ä\n", Status.ERROR)
    assert tuple(screen.outputs) == result.outputs


@behaviour("server:shared:own-output")
async def test_what_another_client_of_the_kernel_prints_is_not_ours(
    session: Session, jupyter: Jupyter, there: Server, conversation: str
) -> None:
    await session.execute("mine = 1")
    other = await io_thread().run(second_client(there, kernel_of(jupyter, conversation)))
    try:
        both = await asyncio.gather(
            session.execute("import time\nfor _ in range(5): print('ours', flush=True); time.sleep(0.01)"),
            io_thread().run(KernelClient(other).execute("print('theirs', mine)", deadline=BOUND)),
        )
    finally:
        await io_thread().run(other.close(keep=True))
    assert [text_of(result) for result in both] == ["ours\n" * 5, "theirs 1\n"]


async def second_client(where: Server, kernel: str) -> ServerKernel:
    """Connect to a kernel as somebody else would."""
    other = ServerKernel(RestApi(where), kernel, "session of others", found=True)
    await other.connect(uuid.uuid4().hex)
    return other


@behaviour("server:shared:aborted")
async def test_a_cell_that_another_clients_error_flushed_from_the_queue_is_sent_again(
    session: Session, jupyter: Jupyter, there: Server, conversation: str
) -> None:
    await session.execute("runs = 0")
    other = await io_thread().run(second_client(there, kernel_of(jupyter, conversation)))
    try:
        fails = Message(
            "shell",
            "execute_request",
            "theirs",
            content={"code": "import time; time.sleep(0.5); 1/0", "stop_on_error": True, "silent": False},
        )
        heard = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hear(_event: object) -> None:
            loop.call_soon_threadsafe(heard.set)

        other.attach(hear)
        await io_thread().run(other.send(fails))
        await asyncio.wait_for(heard.wait(), BOUND)
        result = await session.execute("runs += 1\nprint(runs)")
    finally:
        await io_thread().run(other.close(keep=True))
    assert (text_of(result), result.status) == ("1\n", Status.OK)


@behaviour("server:message:large")
async def test_a_picture_of_15_million_characters_arrives_whole(session: Session) -> None:
    source = "from IPython.display import display\ndisplay({'image/png': 'A' * 15_000_000}, raw=True)"
    result = await session.execute(source)
    (picture,) = result.outputs
    assert isinstance(picture, DisplayData)
    assert len(str(picture.data["image/png"])) == 15_000_000


@behaviour("server:token:nowhere")
async def test_the_token_is_in_no_log_no_result_and_no_text_of_ours(
    session: Session, there: Server, jupyter: Jupyter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refused = Sessions().get(
        "c", replace(there, kernel_name="ir", url=f"{there.url}/lab?token=canary-pasted")
    )
    results = [
        await session.execute("print(1)"),
        await session.execute("import os; os._exit(1)"),
        await refused.execute("1"),
        await Sessions().get("d", replace(there, url="http://127.0.0.1:1")).execute("1"),
    ]
    texts = [*map(repr, results), repr(session), repr(vars(session)), repr(session.status), repr(there)]
    assert "canary" not in "".join([*texts, caplog.text, *jupyter.log])


@behaviour("server:token:not-to-others")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_refused_and_gets_nothing(status: int) -> None:
    with scripted_server({}) as other:
        location = other.url.replace("127.0.0.1", "localhost")
        with scripted_server({}, (status, {"Location": f"{location}/api/kernelspecs"}, "")) as server:
            result = await Sessions().get("c", Server(server.url, Secret("canary"))).execute("1")
        assert result.status is Status.REFUSED
        assert result.detail.endswith(
            "redirects to another host (localhost); if that is right, use that address"
        )
        assert other.asked == []


HTML = {"Content-Type": "text/html"}
NOT_HERE = (
    "{{url}} is not a Jupyter server, or the base path is wrong: api/kernelspecs answers HTTP {status}; "
    "copy the address of the Jupyter page from your browser"
)
TOO_OFTEN = (
    "{{url}} limits the rate of requests (HTTP 429); try again in {pause}, "
    "or raise the limit of the proxy or Hub in front of it"
)


@behaviour("server:refused:sentences")
@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((403, {}, "{}"), "{url} does not accept the token; copy the current one from the server's log"),
        ((401, {}, ""), "{url} does not accept the token; copy the current one from the server's log"),
        ((200, HTML, "<form>Password:"), "{url} shows a login page; check the token"),
        (
            (200, HTML, "<h1>It works"),
            "{url} responds with a web page and is not a Jupyter server; check port and base path",
        ),
        ((302, {"Location": "/hub/login"}, ""), "{url} redirects to a login page; check the token"),
        ((302, {"Location": "/other"}, ""), "{url} redirects to /other; the base path is probably wrong"),
        ((503, {}, ""), "{url} is overloaded or still starting (HTTP 503); try again in a minute"),
        ((429, {}, ""), TOO_OFTEN.format(pause="a minute")),
        ((429, {"Retry-After": "30"}, ""), TOO_OFTEN.format(pause="30 seconds")),
        ((429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, ""), TOO_OFTEN.format(pause="a minute")),
        ((404, {}, "{}"), NOT_HERE.format(status=404)),
        ((200, {}, "[1]"), NOT_HERE.format(status=200)),
    ],
)
async def test_what_a_server_answers_in_place_of_a_kernel_is_said_in_one_sentence(
    answer: Answer, sentence: str
) -> None:
    with scripted_server({}, answer) as server:
        result = await Sessions().get("c", Server(server.url, Secret("canary"))).execute("1")
        assert (result.status, result.detail) == (Status.REFUSED, sentence.format(url=server.url))


@behaviour("server:refused:not-the-token")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((403, {}, '{"reason": "No more kernels for you.", "message": ""}'), ": No more kernels for you"),
        ((403, {}, '{"reason": "Forbidden", "message": "Forbidden"}'), ""),
        ((403, {}, '{"message": "Forbidden", "reason": null}'), ""),
        ((403, {}, "<h1>Forbidden</h1>"), ""),
        ((403, {}, ""), ""),
    ],
)
@pytest.mark.parametrize("known", ["/api/kernelspecs", "/api/me"])
async def test_a_server_that_knows_the_token_and_starts_nothing_is_not_said_to_refuse_the_token(
    known: str, answer: Answer, reason: str
) -> None:
    with scripted_server({known: SPECS}, answer) as server:
        result = await Sessions().get("c", Server(server.url, Secret("canary"))).execute("1")
    said = "accepts the token, but does not let it start kernels"
    told = f"{server.url} {said} (HTTP 403{reason}); ask whoever runs the server"
    assert (result.status, result.detail) == (Status.REFUSED, told)


@behaviour("server:refused:bounded")
@pytest.mark.parametrize("body", ["[" * 9_000_000, '"' + "x" * 9_000_000 + '"'])
async def test_a_reply_that_is_too_large_is_not_read(body: str) -> None:
    with scripted_server({}, (200, {}, body)) as server:
        result = await Sessions().get("c", Server(server.url, Secret("canary"))).execute("1")
        assert result.status is Status.REFUSED


@behaviour("server:start:slow")
async def test_a_kernel_that_starts_slowly_is_waited_for(
    tmp_path: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "jupyter" / "kernels" / "slow"
    slow.mkdir(parents=True)
    start = (
        "import sys, time; time.sleep(2); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
    )
    argv = [sys.executable, "-c", start, "-f", "{connection_file}"]
    (slow / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Slow", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with jupyter_server(tmp_path, token="slow-token") as server:
        where = Server(server.url, Secret("slow-token"), kernel_name="slow", patience=Patience(handshake=0.5))
        result = await sessions.get("slow", where).execute("6 * 7")
    assert for_model(result) == "Result: 42\n"


@behaviour("server:start:stuck")
async def test_a_kernel_that_never_answers_is_given_up_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = tmp_path / "jupyter" / "kernels" / "stuck"
    stuck.mkdir(parents=True)
    argv = [sys.executable, "-c", "import time; time.sleep(600)", "{connection_file}"]
    (stuck / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "S", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    with jupyter_server(tmp_path, token="stuck-token") as server:
        patience = Patience(start=2.0)
        where = Server(server.url, Secret("stuck-token"), kernel_name="stuck", patience=patience)
        session = Sessions().get("stuck", where)
        result = await session.execute("1")
        report = await check(where)
        kernels = server.kernels()
        # As long as for one of ours: a person's own may just have been restarted.
        theirs = server.ask("api/kernels", "POST", {"name": "stuck"})["id"]
        attached = await Sessions().get("theirs", replace(where, attach=theirs)).execute("1")
        left = server.kernels()
    assert (result.status, result.detail) == (Status.REFUSED, "the kernel did not answer within 2 s")
    assert (attached.detail, left) == (result.detail, [theirs])
    assert (session.status.state, session.status.sentence) == ("dead", result.detail)
    assert report.sentence == "The kernel did not answer within 2 s."
    assert kernels == []


@behaviour("server:refused:bounded")
async def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = await Sessions().get("c", Server(url, patience=Patience(request=0.2))).execute("1")
    assert result.detail == f"{url} did not respond in time; the server may hang, or a firewall may block it"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that it signed itself, for 127.0.0.1, in one file."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    made = subprocess.run(
        ["openssl", "req", *options.split(), "-keyout", str(path), "-out", "-"],
        capture_output=True,
        check=True,
    )
    with path.open("ab") as file:
        file.write(made.stdout)
    return path


SPECS: Answer = (200, {}, '{"default": "python3", "kernelspecs": {"python3": {}}}')


@behaviour("server:tls:verified")
async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_its_file_is_named(
    certificate: Path,
) -> None:
    with scripted_server({"/api/kernelspecs": SPECS}, tls=certificate) as server:
        where = Server(server.url, Secret("canary"), kernel_name="ir")
        result = await Sessions().get("c", where).execute("1")
        assert result.detail.startswith(
            f"the certificate of {server.url} is not trusted (self-signed certificate)"
        )
        assert server.asked == []
        trusted = replace(where, ca_file=str(certificate))
        result = await Sessions().get("d", trusted).execute("1")
        assert result.detail == "kernel 'ir' is not installed on this server; it has: python3"


@behaviour("server:tls:plain")
async def test_http_to_a_server_that_speaks_https_says_so(certificate: Path) -> None:
    with scripted_server({}, tls=certificate) as server:
        url = server.url.replace("https", "http")
        result = await Sessions().get("c", Server(url)).execute("1")
        way = "it may use https instead of http, or be another program"
        assert result.detail == f"{url} sent no complete HTTP response; {way}"


@behaviour("server:garbage:ignored")
async def test_frames_that_are_no_messages_are_ignored(there: Server) -> None:
    rest = RestApi(there)
    kernel = await io_thread().run(create_without_session(rest, "python3"))
    heard: list[Message] = []
    link = KernelWebSocket(heard.append, lambda _websocket: None)
    await io_thread().run(link.open(rest, f"api/kernels/{kernel.kernel}/channels", ""))
    message = Message("iopub", "status", "m", "r", {"execution_state": "busy"})
    for frame in (b"", b"\xff" * 64, "text", to_v1(message)[:-3], to_v1(message)):
        io_thread().post(link._on_frame, frame)
    await io_thread().run(kernel.close())
    assert [one for one in heard if one.id == "m"] == [from_v1(to_v1(message))]
    io_thread().post(link.close)


@behaviour("server:move:ends-old")
def test_a_conversation_that_moves_leaves_no_kernel_behind(
    sessions: Sessions, there: Server, jupyter: Jupyter, conversation: str
) -> None:
    session = sessions.get(conversation, there)
    run(session, "1")
    kernel = kernel_of(jupyter, conversation)
    sessions.get(conversation, replace(there, kernel_name="other"))
    io_thread().call(session.end(), BOUND)
    assert kernel not in jupyter.kernels()
