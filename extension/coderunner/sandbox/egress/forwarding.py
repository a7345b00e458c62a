"""One plain HTTP request and its response, read on one side and written anew on the other.

Nothing of a message goes on but what was understood of it, and each connection carries one request: what a
client sends after that never reaches the server that the request was allowed for.
"""

import asyncio
import re
from dataclasses import replace

from coderunner.sandbox.egress.dialling import Stream, Unreachable
from coderunner.sandbox.egress.http_bodies import BodyWriter, read_body
from coderunner.sandbox.egress.http_heads import (
    EMPTY,
    Framing,
    Headers,
    Malformed,
    PlainTarget,
    Request,
    Response,
    end_to_end,
    read_response,
    request_framing,
    response_framing,
    values,
    written,
)
from coderunner.sandbox.egress.placeholders import Concealment, Held
from coderunner.sandbox.egress.targets import Target

IDLE = 600.0
"""Seconds without a byte after which a request is given up."""
CLOSE = (b"Connection", b"close")


class BrokenRequest(Exception):
    """The client's body is malformed, broke off or stopped coming; the text says which."""


CHUNKED = (b"Transfer-Encoding", b"chunked")


async def forward(
    request: Request, plain: PlainTarget, client: Stream, server: Stream, held: Held | None = None
) -> None:
    """Send a request on and its response back; `held` are the secrets for this server.

    Raises Malformed or BrokenRequest for what the client sends, Unreachable for a server that gives no
    response: in these cases the client has none yet. Everything else breaks off a response that has begun.
    """
    framing = request_framing(request)
    headers, concealment = end_to_end(request.headers, without=(b"host",)), None
    if held is not None:
        # What is compressed cannot be looked through for the values.
        asked = end_to_end(headers, without=(b"accept-encoding",))
        headers, concealment = held.put_in((*asked, (b"Accept-Encoding", b"identity")))
        plain = replace(plain, host=_host_header(held.target))
    async with asyncio.timeout(IDLE):
        server[1].write(_request_head(request.method, plain, headers, framing))
        await server[1].drain()
    sending = asyncio.create_task(_send(client[0], server[1], framing))
    try:
        await _answer(request, plain, server[0], client[1], sending, concealment)
    finally:
        sending.cancel()
        await asyncio.wait({sending})  # unlike `await sending`, this tells our own cancellation from its
        if not sending.cancelled():
            sending.exception()


async def _send(client: asyncio.StreamReader, server: asyncio.StreamWriter, framing: Framing) -> None:
    body = BodyWriter(server, chunked=framing.chunked)
    try:
        async with asyncio.timeout(IDLE) as clock:
            async for piece in read_body(client, framing):
                clock.reschedule(asyncio.get_running_loop().time() + IDLE)
                await body.write(piece)
            await body.end()
    except Malformed as failure:
        raise BrokenRequest(str(failure)) from None
    except (EOFError, TimeoutError):
        raise BrokenRequest("the body of the request is not complete") from None


def _request_head(method: bytes, plain: PlainTarget, headers: Headers, framing: Framing) -> bytes:
    coding = (CHUNKED,) if framing.chunked else ()
    return written(
        b"%b %b HTTP/1.1" % (method, plain.path), ((b"Host", plain.host), *headers, *coding, CLOSE)
    )


def _host_header(target: Target) -> bytes:
    return (target.host if target.port == 443 else f"{target.host}:{target.port}").encode("ascii")


async def _answer(
    request: Request,
    plain: PlainTarget,
    server: asyncio.StreamReader,
    client: asyncio.StreamWriter,
    sending: asyncio.Task[None],
    concealment: Concealment | None,
) -> None:
    response, framing = await _final_head(request, plain, server, client, sending)
    headers = end_to_end(response.headers)
    whole = framing.length is not None and concealment is None
    if concealment is not None:
        if framing != EMPTY and [
            each for each in values(headers, b"content-encoding") if each != b"identity"
        ]:
            raise Unreachable(502, f"{plain.target.host} answers compressed, which hides secrets in it")
        headers = _concealed(headers, plain.target, framing)
    chunked = request.version == 1 and framing != EMPTY and not whole
    first = b"HTTP/1.1 %d %b" % (response.status, response.reason)
    head = written(first, (*headers, *((CHUNKED,) if chunked else ()), CLOSE))
    client.write(head if concealment is None else concealment.conceal(head))
    body = BodyWriter(client, chunked=chunked)
    try:
        async with asyncio.timeout(IDLE) as clock:
            async for piece in read_body(server, framing):
                clock.reschedule(asyncio.get_running_loop().time() + IDLE)
                await body.write(piece if concealment is None else concealment.receive(piece))
            if concealment is not None:
                await body.write(concealment.receive(b"", last=True))
            await body.end()
    except Malformed:
        raise ConnectionAbortedError from None


def _concealed(headers: Headers, target: Target, framing: Framing) -> Headers:
    """The headers of a response from a server that got secrets, for a client that speaks no TLS here."""
    secure, plain = f"https://{target.host}".encode("ascii"), f"http://{target.host}".encode("ascii")
    dropped = {b"content-length", b"strict-transport-security"} if framing != EMPTY else set()
    return tuple(
        # A redirect within the host stays on the way on which its secrets are put in.
        (name, plain + value.removeprefix(secure))
        if name.lower() == b"location" and re.match(re.escape(secure) + rb"(?=[:/?]|$)", value)
        else (name, value)
        for name, value in headers
        if name.lower() not in dropped
    )


async def _final_head(
    request: Request,
    plain: PlainTarget,
    server: asyncio.StreamReader,
    client: asyncio.StreamWriter,
    sending: asyncio.Task[None],
) -> tuple[Response, Framing]:
    """The response's head, and where its body ends; what comes before it (100 Continue) is passed on."""
    host = plain.target.host
    for _ in range(8):
        reading = asyncio.create_task(server.readuntil(b"\r\n\r\n"))
        try:
            await _first(reading, sending)
            response = read_response(reading.result())
            framing = response_framing(response, request.method)
        except (EOFError, ConnectionError):
            raise Unreachable(502, f"{host} closed the connection without a response") from None
        except TimeoutError:
            raise Unreachable(504, f"{host} does not answer") from None
        except (Malformed, asyncio.LimitOverrunError):
            raise Unreachable(502, f"{host} answered with something other than HTTP/1") from None
        finally:
            reading.cancel()
        if response.status == 101:  # nobody asked for another protocol
            break
        if response.status >= 200:
            return response, framing
        # Nothing else of it: what only announces a response has not been looked through for secrets.
        client.write(written(b"HTTP/1.1 %d " % response.status, ()))
    raise Unreachable(502, f"{host} answered with something other than HTTP/1")


async def _first(reading: asyncio.Task[bytes], sending: asyncio.Task[None]) -> None:
    """Wait for a head. A body that its client breaks ends this; one that the server does not take, no."""
    await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
    if not reading.done() and isinstance(broken := sending.exception(), BrokenRequest):
        raise broken
    async with asyncio.timeout(IDLE):
        await asyncio.wait({reading})
