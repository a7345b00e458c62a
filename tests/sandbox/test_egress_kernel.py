"""What code in a sandboxed kernel reaches of the network."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coderunner.kernel.sessions.registry import Local, Sessions
from coderunner.outputs import Result, Status, Stream
from coderunner.sandbox.backends import BACKENDS, Availability, Backend, attempt
from coderunner.sandbox.egress.dialling import Dialler
from coderunner.sandbox.kernel_sandbox import KernelSandbox
from coderunner.sandbox.policy import Grants
from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret
from tests.behaviours import behaviour
from tests.sandbox.network import canary, reach, resolve, self_signed, server_side, site

pytestmark = pytest.mark.asyncio(loop_scope="module")

FETCH = """
import urllib.request
def fetch(url):
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            print(answer.read().decode())
    except OSError as error:
        print(error)
"""


def printed(result: Result) -> list[str]:
    text = "".join(output.text for output in result.outputs if isinstance(output, Stream))
    assert result.status is Status.OK, (result, text)
    return text.splitlines()


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=BACKENDS["linux"])
async def sessions(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sessions]:
    if why := attempt(request.param):
        pytest.skip(f"no {request.param} here: {why}")
    sandbox = KernelSandbox(dialler=Dialler(resolve, reach), way=Availability(request.param))
    registry = Sessions(tmp_path_factory.mktemp("work"), sandbox=sandbox, spare=True)
    yield registry
    await registry.close_all()


def refused(result: Result) -> list[str]:
    return [each.sentence for each in result.refusals]


@behaviour("sandbox:egress:kernel")
async def test_a_kernel_reaches_a_host_as_soon_as_it_is_granted_and_keeps_its_variables(
    sessions: Sessions,
) -> None:
    session = sessions.get("network", Local())
    with site() as web:
        host = f"example.org:{web.port}"
        before = await session.execute(
            f"kept = 5{FETCH}fetch('http://{host}/')\nfetch('https://example.org/')"
        )
        assert printed(before) == [
            f"HTTP Error 403: This block may not reach {host}",
            "<urlopen error Tunnel connection failed: 403 This block may not reach example.org>",
        ]
        assert refused(before) == [
            f"This block may not reach {host}.",
            "This block may not reach example.org.",
        ]
        assert await sessions.grant("network", Grants(hosts=frozenset({host})))
        assert printed(await session.execute(f"fetch('http://{host}/'); print(kept)")) == [
            f"hello from {host}",
            "5",
        ]


@behaviour("sandbox:egress:kernel")
async def test_a_grant_of_one_conversation_is_none_of_another_also_in_a_spare_kernel(
    sessions: Sessions,
) -> None:
    with site() as web:
        host = f"example.org:{web.port}"
        await sessions.grant("granted", Grants(hosts=frozenset({host})))
        for conversation, answer in (
            ("granted", f"hello from {host}"),
            ("other", f"HTTP Error 403: This block may not reach {host}"),
        ):
            session = sessions.get(conversation, Local())
            result = await session.execute(f"{FETCH}fetch('http://{host}/')")
            assert printed(result) == [answer]
            assert [f"HTTP Error 403: {each[:-1]}" for each in refused(result)] == [answer] * (
                "403" in answer
            )


@behaviour("sandbox:egress:kernel")
async def test_without_the_proxy_a_kernel_reaches_nothing(sessions: Sessions) -> None:
    session = sessions.get("network", Local())
    code = """
import socket
def dial(host, port, kind=socket.SOCK_STREAM):
    try:
        with socket.socket(type=kind) as opened:
            opened.settimeout(5)
            opened.connect((host, port))
            opened.send(b"x")
            print("connected")
    except OSError as error:
        print("refused")
"""
    with canary() as own, canary("127.0.0.2") as far:
        tried = f"dial('127.0.0.1', {own.port}); dial('127.0.0.2', {far.port}); dial('192.0.2.1', 80)"
        tried += "; dial('192.0.2.1', 53, socket.SOCK_DGRAM)"
        assert printed(await session.execute(code + tried)) == ["refused"] * 4
    assert own.requests == far.requests == []


@behaviour("sandbox:egress:kernel")
async def test_a_server_that_code_starts_is_reached_by_the_code_itself(sessions: Sessions) -> None:
    if sessions.sandbox is None or sessions.sandbox.way.backend != "namespaces":
        pytest.skip("a kernel has a loopback interface of its own in namespaces only")
    code = """
import http.server, threading
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
import urllib.request
print(urllib.request.urlopen(f"http://localhost:{server.server_port}/").status)
server.shutdown()
"""
    result = await sessions.get("network", Local()).execute(code)
    assert printed(result)[0] == "200"


@behaviour("sandbox:secrets:kernel")
@pytest.mark.parametrize("backend", BACKENDS["linux"])
async def test_a_kernel_uses_a_secret_that_is_nowhere_in_it(
    backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if why := attempt(backend):
        pytest.skip(f"no {backend} here: {why}")
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("THEIRS", "sk-canary-0123456789")
    with site(tls=server_side(certificate)) as web:
        secret = CodeSecret("API_KEY", "example.org", web.port, Secret("sk-canary-0123456789"), "THEIRS")
        trusted = ssl.create_default_context(cafile=str(certificate))
        sandbox = KernelSandbox(
            dialler=Dialler(resolve, reach, tls=trusted), way=Availability(backend), secrets=(secret,)
        )
        sessions = Sessions(tmp_path / "work", sandbox=sandbox)
        code = f"""
import os, urllib.request
url = "http://example.org:{web.port}/"
asked = urllib.request.Request(url, headers={{"Authorization": "Bearer " + os.environ["API_KEY"]}})
print(urllib.request.urlopen(asked).read().decode())
print("canary" in str(dict(os.environ)))
"""
        try:
            shown = printed(await sessions.get("secrets", Local()).execute(code))
        finally:
            await sessions.close_all()
    assert shown == [f"hello from example.org:{web.port}", "False"]
    assert [headers["authorization"] for _, _, headers, _ in web.requests] == ["Bearer sk-canary-0123456789"]
