"""What hostile code and hostile servers do to the proxy: nothing else is reached, and it goes on."""

import asyncio
import base64
import contextlib
import random
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import psutil  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coderunner.sandbox.egress.dialling import PIECE
from coderunner.sandbox.egress.gate import MOST_CONNECTIONS
from coderunner.sandbox.egress.http_heads import Malformed, plain_target, read_request, tunnel_target
from tests.behaviours import behaviour
from tests.sandbox.network import INTERNET, Network, canary, network, site

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def password(net: Network) -> bytes:
    user = net.gate.environment["HTTP_PROXY"].removeprefix("http://").rpartition("@")[0]
    return b"Proxy-Authorization: Basic " + base64.b64encode(user.encode()) + b"\r\n"


async def dial(net: Network) -> Stream:
    return await asyncio.open_connection("127.0.0.1", net.gate.port, limit=1_000_000)


async def ask(net: Network, request: bytes) -> bytes:
    """Send bytes, the password after the first line, and nothing more; read until the proxy closes."""
    first, end, rest = request.partition(b"\r\n")
    reader, writer = await dial(net)
    try:
        writer.write(first + end + (password(net) if end else b"") + rest)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(20):
                await writer.drain()
                writer.write_eof()
                return await reader.read()
        return b""
    finally:
        writer.close()


def odd_requests(allowed: int, own: int) -> list[bytes]:
    """Requests for what nobody allowed, or that could be read as such; `%A` is allowed, `%C` the canary."""
    table = rb"""
GET http://127.0.0.1:%C/ HTTP/1.1|Host: 127.0.0.1:%C
GET http://example.org:%A/ HTTP/1.1|Host: 127.0.0.1:%C
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Host: 127.0.0.1:%C
GET http://example.org:%A/ HTTP/1.1|Host : example.org:%A
GET http://example.org:%A/ HTTP/1.1
GET http://example.org:%A@127.0.0.1:%C/ HTTP/1.1|Host: 127.0.0.1:%C
GET http://127.0.0.1:%C#@example.org:%A/ HTTP/1.1|Host: example.org:%A
GET http://127.0.0.1:%C\@example.org:%A/ HTTP/1.1|Host: example.org:%A
GET http://127.0.0.1:%C?@example.org:%A/ HTTP/1.1|Host: example.org:%A
GET http:///127.0.0.1:%C/ HTTP/1.1|Host: 127.0.0.1:%C
GET http:127.0.0.1:%C/ HTTP/1.1|Host: 127.0.0.1:%C
GET //127.0.0.1:%C/ HTTP/1.1|Host: 127.0.0.1:%C
GET / HTTP/1.1|Host: example.org:%A
OPTIONS * HTTP/1.1|Host: example.org:%A
GET ftp://example.org:%A/ HTTP/1.1|Host: example.org:%A
GET file:///etc/passwd HTTP/1.1|Host: example.org:%A
GET https://example.org:%A/ HTTP/1.1|Host: example.org:%A
GET http://localhost:%C/ HTTP/1.1|Host: localhost:%C
GET http://LOCALHOST.:%C/ HTTP/1.1|Host: LOCALHOST.:%C
GET http://2130706433:%C/ HTTP/1.1|Host: 2130706433:%C
GET http://0x7f000001:%C/ HTTP/1.1|Host: 0x7f000001:%C
GET http://0177.0.0.1:%C/ HTTP/1.1|Host: 0177.0.0.1:%C
GET http://127.1:%C/ HTTP/1.1|Host: 127.1:%C
GET http://0:%C/ HTTP/1.1|Host: 0:%C
GET http://0.0.0.0:%C/ HTTP/1.1|Host: 0.0.0.0:%C
GET http://[::1]:%C/ HTTP/1.1|Host: [::1]:%C
GET http://[::ffff:127.0.0.1]:%C/ HTTP/1.1|Host: [::ffff:127.0.0.1]:%C
GET http://[::ffff:7f00:1]:%C/ HTTP/1.1|Host: [::ffff:7f00:1]:%C
GET http://rebound.example:%C/ HTTP/1.1|Host: rebound.example:%C
GET http://example.org%2e:%A/ HTTP/1.1|Host: example.org%2e:%A
GET http://example.org:%A:%C/ HTTP/1.1|Host: example.org:%A
GET http://example.org:0%A/ HTTP/1.1|Host: example.org:0%A
GET http://example.org:+%A/ HTTP/1.1|Host: example.org:+%A
GET http://other.example:%A/ HTTP/1.1|Host: other.example:%A
GET http://example.org.other.example:%A/ HTTP/1.1|Host: example.org.other.example:%A
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: 3|Transfer-Encoding: chunked
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: 3|Content-Length: 4
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: 3, 3
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: +3
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: 0x3
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length: -1
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Content-Length:
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Transfer-Encoding: gzip, chunked
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Transfer-Encoding: xchunked
POST http://example.org:%A/ HTTP/1.1|Host: example.org:%A|Transfer-Encoding: chunked|Transfer-Encoding: x
POST http://example.org:%A/ HTTP/1.0|Host: example.org:%A|Transfer-Encoding: chunked
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A| folded: yes
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|X: a%Rb
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|X: a%Nb
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|X: a%Zb
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|: empty
GET http://example.org:%A/ HTTP/1.1|Host: example.org:%A|no colon
GET  http://example.org:%A/ HTTP/1.1|Host: example.org:%A
GET http://example.org:%A/ HTTP/1.1 |Host: example.org:%A
GET http://example.org:%A/ HTTP/2.0|Host: example.org:%A
GET http://example.org:%A/ HTTP/1.2|Host: example.org:%A
GET http://example.org:%A/ x HTTP/1.1|Host: example.org:%A
GET http://example.org:%A/|Host: example.org:%A
GET@ http://example.org:%A/ HTTP/1.1|Host: example.org:%A
PRI * HTTP/2.0
CONNECT 127.0.0.1:%C HTTP/1.1|Host: example.org:%A
CONNECT localhost:%C HTTP/1.1|Host: localhost:%C
CONNECT [::1]:%C HTTP/1.1
CONNECT rebound.example:%C HTTP/1.1
CONNECT other.example:%A HTTP/1.1
CONNECT example.org HTTP/1.1
CONNECT example.org: HTTP/1.1
CONNECT :%C HTTP/1.1
CONNECT example.org:%A/x HTTP/1.1
CONNECT http://example.org:%A HTTP/1.1
CONNECT user@example.org:%A HTTP/1.1
CONNECT example.org:99999 HTTP/1.1
connect 127.0.0.1:%C HTTP/1.1|Host: 127.0.0.1:%C
"""
    marks = {b"%A": b"%d" % allowed, b"%C": b"%d" % own, b"%R": b"\r", b"%N": b"\n", b"%Z": b"\0"}
    return [_marked(line, marks) for line in table.strip().split(b"\n")]


def _marked(line: bytes, marks: dict[bytes, bytes]) -> bytes:
    for mark, value in marks.items():
        line = line.replace(mark, value)
    return line.replace(b"|", b"\r\n") + b"\r\n\r\n"


@behaviour("sandbox:egress:strict")
async def test_no_odd_request_reaches_what_was_not_allowed() -> None:
    chance = random.Random(12)
    with site() as web, canary() as own:
        async with network(f"example.org:{web.port}", f"rebound.example:{own.port}", "*.example:1") as net:
            requests = odd_requests(web.port, own.port)
            for _ in range(500):
                head = bytearray(chance.choice(requests))
                for _ in range(chance.randrange(3)):
                    head[chance.randrange(len(head) - 4)] = chance.choice(b" \t\r\n\0:/@#?.%[]\\\x7f\xff0aZ")
                requests.append(bytes(head) + chance.choice((b"", b"0\r\n\r\n", b"abc")))
            for request in requests:
                answered = await ask(net, request)
                status = answered[9:12]
                assert (
                    status in (b"400", b"403", b"407", b"502", b"") or b"hello from example.org" in answered
                ), request
            at_the_site = {headers["host"] for _, _, headers, _ in web.requests}
            assert at_the_site <= {f"example.org:{web.port}", f"example.org.:{web.port}"}
            assert (await ask(net, simple(web.port))).endswith(b"hello from example.org:%d" % web.port)
    assert own.requests == []


def simple(port: int, rest: bytes = b"\r\n") -> bytes:
    return b"GET http://example.org:%d/ HTTP/1.1\r\nHost: example.org:%d\r\n%b" % (port, port, rest)


@behaviour("sandbox:egress:strict")
async def test_each_odd_request_is_answered_with_what_is_wrong() -> None:
    with site() as web, canary() as own:
        async with network(f"example.org:{web.port}") as net:
            for request in odd_requests(web.port, own.port):
                assert (await ask(net, request))[9:12] in (b"400", b"403", b"407"), request
    assert web.requests == own.requests == []


@behaviour("sandbox:egress:strict")
async def test_what_follows_a_request_never_reaches_the_server() -> None:
    with site() as web:
        async with network(f"example.org:{web.port}") as net:
            hidden = b"GET /hidden HTTP/1.1\r\nHost: other.example\r\n\r\n"
            for request in (
                simple(web.port) + hidden,
                simple(web.port, b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n\r\n") + hidden,
                simple(web.port, b"Content-Length: 0\r\n\r\n") + hidden,
                simple(web.port, b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + hidden,
                simple(web.port, b"Transfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nTrailer: x\r\n\r\n")
                + hidden,
            ):
                assert (await ask(net, request)).count(b"HTTP/1.1") == 1
    assert {(path, "upgrade" in headers, headers["connection"]) for _, path, headers, _ in web.requests} == {
        ("/", False, "close")
    }
    assert len(web.requests) == 5


@behaviour("sandbox:egress:strict")
@pytest.mark.parametrize(
    "body", [b"zz\r\nabc\r\n", b"3\r\nabcd\r\n", b"3 \r\nabc\r\n", b"\r\n", b"-1\r\n", b"3\nabc\r\n"]
)
async def test_a_malformed_chunk_ends_the_request(body: bytes) -> None:
    with site() as web:
        async with network(f"example.org:{web.port}") as net:
            answered = await ask(net, simple(web.port, b"Transfer-Encoding: chunked\r\n\r\n") + body)
            assert answered[9:12] == b"400"
            assert (await ask(net, simple(web.port)))[9:12] == b"200"
    assert [body for _, _, _, body in web.requests] == [b""]


@behaviour("sandbox:egress:strict")
@given(
    st.binary(max_size=60),
    st.sampled_from([b"GET http://%b/ HTTP/1.1\r\nHost: %b\r\n\r\n", b"CONNECT %b HTTP/1.1\r\n\r\n"]),
)
def test_whatever_is_written_a_target_is_printable_or_none(name: bytes, form: bytes) -> None:
    head = form.replace(b"%b", name)
    try:
        request = read_request(head)
        target = tunnel_target(request) if request.connects else plain_target(request).target
    except Malformed:
        return
    assert str(target).isascii()
    assert str(target).isprintable()


@behaviour("sandbox:egress:bounded")
async def test_a_head_that_does_not_end_is_cut_off() -> None:
    async with network(patience=0.2) as net:
        answered = await ask(
            net, b"GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\nX: " + b"x" * 1_000_000
        )
        assert answered.startswith(b"HTTP/1.1 400 Bad request: its head is longer than 16384 bytes")
        many = b"".join(b"X-%d: 1\r\n" % number for number in range(1_000))
        assert (await ask(net, b"GET http://example.org/ HTTP/1.1\r\n" + many + b"\r\n"))[9:12] == b"400"
        reader, writer = await dial(net)
        writer.write(b"GET ")  # and nothing more
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


@behaviour("sandbox:egress:bounded")
async def test_a_kernel_has_a_number_of_connections_and_gets_them_back() -> None:
    with site() as web:
        async with network(f"example.org:{web.port}") as net:
            held = [await dial(net) for _ in range(MOST_CONNECTIONS)]
            reader, writer = await dial(net)
            async with asyncio.timeout(10):
                assert (await reader.read())[9:12] == b"503"
            writer.close()
            for _, each in held:
                each.close()
            for reader, _ in held:
                async with asyncio.timeout(10):
                    await reader.read()
            assert (await ask(net, simple(web.port)))[9:12] == b"200"


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    listening = await asyncio.start_server(serve, INTERNET, 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in tasks:
            task.cancel()


@behaviour("sandbox:egress:bounded")
@pytest.mark.parametrize("tunnel", [True, False], ids=["CONNECT", "POST"])
async def test_a_server_that_does_not_read_stops_the_client_and_not_the_proxy(tunnel: bool) -> None:
    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()
        writer.close()

    async with server(deaf) as port, network(f"example.org:{port}") as net:
        reader, writer = await dial(net)
        size = 100_000_000
        first, end, rest = (
            b"CONNECT example.org:%d HTTP/1.1\r\n\r\n" % port
            if tunnel
            else simple(port, b"Content-Length: %d\r\n\r\n" % size).replace(b"GET", b"POST")
        ).partition(b"\r\n")
        writer.write(first + end + password(net) + rest)
        if tunnel:
            await reader.readuntil(b"\r\n\r\n")
        piece = bytes(PIECE)
        sent = 0
        tracemalloc.start()
        with contextlib.suppress(TimeoutError):
            while sent < size:
                writer.write(piece)
                async with asyncio.timeout(1.0):
                    await writer.drain()
                sent += len(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        writer.transport.abort()
    assert sent < size / 2, "the sockets of this system hold everything"
    assert peak < 2_000_000


@behaviour("sandbox:egress:bounded")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows counts its handles in another way")
async def test_nothing_is_held_for_a_kernel_that_has_ended() -> None:
    async def deaf(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with server(deaf) as port, network(f"example.org:{port}") as net:
        before = psutil.Process().num_fds()
        for _ in range(20):
            reader, writer = await dial(net)
            writer.write(b"CONNECT example.org:%d HTTP/1.1\r\n%b\r\n" % (port, password(net)))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(bytes(8_000_000))  # more than all sockets on the way take
            await asyncio.sleep(0)
            writer.transport.abort()
        net.gate.close()
        for _ in range(1_000):
            left = psutil.Process().num_fds() - before
            if left < 20:  # the far ends, which are the test's own
                break
            await asyncio.sleep(0.01)
        assert left < 20


@behaviour("sandbox:egress:bounded")
async def test_a_large_download_passes_through_little_memory() -> None:
    size = 100_000_000

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 100_000):
            writer.write(bytes(100_000))
            await writer.drain()

    async with server(give) as port, network(f"example.org:{port}") as net:
        reader, writer = await dial(net)
        first, end, rest = simple(port).partition(b"\r\n")
        writer.write(first + end + password(net) + rest)
        await reader.readuntil(b"\r\n\r\n")
        tracemalloc.start()
        got = 0
        while piece := await reader.read(PIECE):
            got += len(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        writer.close()
    assert got == size
    assert peak < 8_000_000  # of which the test's own reader holds up to 2 MB


@behaviour("sandbox:egress:half-close")
async def test_a_side_that_has_ended_still_gets_what_the_other_sends() -> None:
    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        everything = await reader.read()
        writer.write(everything[::-1])
        await writer.drain()

    async with server(answer_at_the_end) as port, network(f"example.org:{port}") as net:
        reader, writer = await dial(net)
        writer.write(b"CONNECT example.org:%d HTTP/1.1\r\n%b\r\nearly " % (port, password(net)))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"and late")
        writer.write_eof()
        async with asyncio.timeout(10):
            assert await reader.read() == b"early and late"[::-1]
        writer.close()


@behaviour("sandbox:egress:strict")
async def test_a_refusal_is_read_also_by_who_is_still_sending() -> None:
    async with network() as net:
        reader, writer = await dial(net)
        writer.write(b"POST http://example.org/ HTTP/1.1\r\n%bHost: example.org\r\n" % password(net))
        writer.write(b"Content-Length: 3000000\r\n\r\n" + bytes(3_000_000))
        await writer.drain()
        async with asyncio.timeout(10):
            assert b"403 This block may not reach example.org\r\n" in await reader.read()
        writer.close()


ANSWERS = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "endless head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    "other protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
    "only interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
}
BROKEN = {
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
    "chunk malformed": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
    "chunks end early": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
}


def saying(answer: bytes) -> Talk:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return say


@behaviour("sandbox:egress:servers")
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_that_is_not_http_is_told_as_that(answer: bytes) -> None:
    async with server(saying(answer)) as port, network(f"example.org:{port}") as net:
        answered = await ask(net, simple(port))
        assert b"HTTP/1.1 502 example.org" in answered
        assert b"hello" not in answered


@behaviour("sandbox:egress:servers")
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_breaks_off_does_not_look_complete(answer: bytes) -> None:
    async with server(saying(answer)) as port, network(f"example.org:{port}") as net:
        reader, writer = await dial(net)
        first, end, rest = simple(port).partition(b"\r\n")
        writer.write(first + end + password(net) + rest)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(10):
                await reader.readuntil(b"0\r\n\r\n")
        writer.close()


@behaviour("sandbox:egress:servers")
async def test_a_server_that_asks_for_the_body_gets_it() -> None:
    async def careful(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(5)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\ngot " + body)
        await writer.drain()

    async with server(careful) as port, network(f"example.org:{port}") as net:
        reader, writer = await dial(net)
        head = simple(port, password(net) + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        writer.write(head)
        async with asyncio.timeout(10):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 \r\n\r\n"
            writer.write(b"hello")
            assert b"9\r\ngot hello\r\n0\r\n\r\n" in await reader.read()
        writer.close()
