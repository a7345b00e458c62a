"""Servers that answer oddly: each oddity is a true sentence, of the doctor and of a cell."""

import gc
import json
import logging
from collections.abc import Mapping

import pytest

from coderunner.kernel.doctor.connection_check import check
from coderunner.kernel.doctor.report import Step
from coderunner.kernel.sessions.registry import Server, Sessions
from coderunner.outputs import Status
from coderunner.secret_value import Secret
from tests.behaviours import behaviour
from tests.kernel.servers import raw_server


def http(status: str, content: object = None) -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\n{location}Content-Length: 0\r\n\r\n".encode()


NO_HTTP = "{url} sent no complete HTTP response; it may use https instead of http, or be another program"
NO_JUPYTER = "{url} is not a Jupyter server, or the base path is wrong"
A_PAGE = "{url} responds with a web page and is not a Jupyter server; check port and base path"
NOWHERE = "{url} redirects without an address (HTTP 302); check port and base path"

ANSWERS: Mapping[str, tuple[bytes, str]] = {
    "nothing": (b"", NO_HTTP),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", NO_HTTP),
    "a status line that is none": (b"HELLO THERE\r\n\r\n", NO_HTTP),
    "a chunk without a size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc", NO_HTTP),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", NO_HTTP),
    "a body that is not compressed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nabcde",
        NO_HTTP,
    ),
    "an upgrade that nobody asked for": (http("101 Switching Protocols"), NO_HTTP),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", A_PAGE),
    "nothing to say": (b"HTTP/1.1 204 No Content\r\n\r\n", NO_JUPYTER),
    "a status that there is not": (http("999 Odd"), NO_JUPYTER),
    "a redirect to nowhere": (redirect(""), NOWHERE),
    "a redirect to no address": (redirect("Location: http://[::1\r\n"), NOWHERE),
    "a redirect to its beginning": (redirect("Location: /\r\n"), "{url} redirects to /; the base path"),
}


@behaviour("doctor:broken:odd")
@pytest.mark.parametrize("oddity", ANSWERS)
async def test_an_odd_answer_is_a_sentence(oddity: str) -> None:
    answer, sentence = ANSWERS[oddity]
    with raw_server({}, answer) as url:
        where = Server(url, Secret("canary"))
        report = await check(where)
        result = await Sessions().get("c", where).execute("1")
    assert not report.ok
    assert report.sentence.startswith(sentence.format(url=url))
    assert result.status is Status.REFUSED
    assert result.detail.startswith(sentence.format(url=url))


@behaviour("doctor:broken:odd")
async def test_a_redirect_to_itself_is_a_circle() -> None:
    with raw_server({}, redirect("Location: /api\r\n")) as url:
        report = await check(Server(url))
    assert report.sentence == f"{url} redirects in a loop; check the proxy in front of it."


UPGRADE = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
HANDSHAKES: Mapping[str, bytes] = {
    "nothing": b"",
    "no accept header": f"{UPGRADE}\r\n".encode(),
    "another one's accept header": f"{UPGRADE}Sec-WebSocket-Accept: eHh4\r\n\r\n".encode(),
    "no upgrade header": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a header that is none": b"HTTP/1.1 101 Switching Protocols\r\nupgrade\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>",
    "nothing to say": b"HTTP/1.1 204 No Content\r\n\r\n",
    "no HTTP": b"HELLO THERE\r\n\r\n",
}


# tornado complains of its own connection, which it leaves half open, when that is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@behaviour("doctor:broken:odd")
@pytest.mark.parametrize("oddity", HANDSHAKES)
async def test_an_odd_handshake_is_a_sentence_and_no_traceback(
    oddity: str, caplog: pytest.LogCaptureFixture
) -> None:
    specs = {"default": "python3", "kernelspecs": {"python3": {"spec": {"language": "python"}}}}
    answers = {
        "/api": http("200 OK", {"version": "2.21.1"}),
        "/api/kernelspecs": http("200 OK", specs),
        "/api/sessions": http("200 OK", []),
        "/api/kernels": http("201 Created", {"id": "k-1", "name": "python3"}),
        "/api/kernels/k-1": http("204 No Content"),
        "/api/kernels/k-1/channels": HANDSHAKES[oddity],
    }
    with caplog.at_level(logging.WARNING), raw_server(answers, http("404 Not Found")) as url:
        where = Server(url, Secret("canary"))
        report = await check(where)
        result = await Sessions().get("c", where).execute("1")
    sentence = (
        f"{url} responds, but opens no WebSocket to the kernel; a proxy in between must forward WebSockets "
        "(the headers Upgrade, Connection and Sec-WebSocket-Accept)"
    )
    assert (report.findings[-1].step, report.sentence) == (Step.WEBSOCKET, f"{sentence}.")
    assert (result.status, result.detail) == (Status.REFUSED, sentence)
    assert "Traceback" not in caplog.text
    gc.collect()
