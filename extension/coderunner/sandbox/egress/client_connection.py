"""One connection of code in the sandbox to the proxy: one request, decided and carried out."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from coderunner.sandbox.egress import answers
from coderunner.sandbox.egress.dialling import PIECE, Dialler, NotAllowed, Stream, Unreachable
from coderunner.sandbox.egress.forwarding import BrokenRequest, forward
from coderunner.sandbox.egress.http_heads import (
    LONGEST,
    Malformed,
    Request,
    plain_target,
    read_request,
    request_framing,
    tunnel_target,
    values,
)
from coderunner.sandbox.egress.placeholders import Placeholders
from coderunner.sandbox.egress.targets import Allowance, Target
from coderunner.sandbox.egress.tunnel import carry

FLUSH = 60.0
"""Seconds in which the other side of a connection that ends has to take what is left."""
LINGER = 2.0
"""Seconds in which a client can read an answer that came before it had sent everything."""


class NotThisWay(Exception):
    """An allowed target that has to be asked in another way; the text says in which."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides on the requests of one connection."""

    allowance: Callable[[Target], Allowance]
    refused: Callable[[Target], None]
    """Is told each target that was refused and that a person could allow."""
    dialler: Dialler
    secrets: Placeholders = field(default_factory=Placeholders)


Admit = Callable[[str, str], bool]
"""Tells whether user and password, empty if none came, are those of the kernel."""


async def serve(client: Stream, rules: Rules, admits: Admit) -> None:
    """Serve one connection to its end; what goes wrong is the client's answer, never an exception."""
    # What is not complete must not look complete: a failure resets the connection.
    with suppress(OSError, EOFError, Malformed):
        async with _ending(client[1]):
            answer = await _served(client, rules, admits)
            if answer:
                await _say(client, answer)


@asynccontextmanager
async def _ending(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close a connection at the end, when the other side has taken what is left, or does not take it."""
    try:
        yield
    except BaseException:
        writer.transport.abort()
        raise
    writer.close()
    try:
        async with asyncio.timeout(FLUSH):
            await writer.wait_closed()
    except BaseException:
        writer.transport.abort()
        raise


async def _served(client: Stream, rules: Rules, admits: Admit) -> bytes:
    """Serve the request; what is left to answer, if it was not carried out."""
    try:
        request = await _head(client[0], rules.dialler.patience)
        if not admits(*_credentials(request)):
            wants = 'Proxy-Authenticate: Basic realm="CodeRunner"\r\n'
            return answers.answer(407, "This proxy is for code in the sandbox", headers=wants)
        await (_tunnel if request.connects else _forward)(request, client, rules)
    except (Malformed, BrokenRequest) as failure:
        return answers.answer(400, f"Bad request: {failure}")
    except NotThisWay as failure:
        return answers.answer(403, str(failure))
    except Unreachable as failure:
        return answers.answer(failure.status, str(failure))
    except NotAllowed as failure:
        return answers.refusal(failure.target, grantable=failure.grantable)
    return b""


async def _head(reader: asyncio.StreamReader, patience: float) -> Request:
    try:
        async with asyncio.timeout(patience):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        head = b" " * (LONGEST + 1)
    if len(head) > LONGEST:
        raise Malformed(f"its head is longer than {LONGEST} bytes")
    return read_request(head)


def _credentials(request: Request) -> tuple[str, str]:
    given = values(request.headers, b"proxy-authorization")
    if len(given) == 1 and given[0][:6].lower() == b"basic ":
        with suppress(ValueError):  # binascii.Error and UnicodeDecodeError are
            user, _, password = base64.b64decode(given[0][6:], validate=True).decode().partition(":")
            return user, password
    return "", ""


async def _tunnel(request: Request, client: Stream, rules: Rules) -> None:
    target = tunnel_target(request)
    if rules.secrets.of(target) is not None and rules.allowance(target) is not Allowance.NONE:
        raise NotThisWay(f"Use http://{target} in place of https: the sandbox adds TLS and your secrets")
    server = await _reach(target, rules)
    async with _ending(server[1]):
        client[1].write(answers.CONNECTED)
        await carry(client, server)


async def _forward(request: Request, client: Stream, rules: Rules) -> None:
    plain = plain_target(request)
    request_framing(request)  # before anybody is connected to
    held = rules.secrets.of(plain.target)
    if plain.encrypted and held is None:
        raise Malformed("https:// goes through CONNECT")
    server = await _reach(held.target if held else plain.target, rules, encrypted=held is not None)
    async with _ending(server[1]):
        await forward(request, plain, client, server, held)


async def _reach(target: Target, rules: Rules, *, encrypted: bool = False) -> Stream:
    try:
        return await rules.dialler.connect(target, rules.allowance(target), encrypted=encrypted)
    except NotAllowed as refusal:
        if refusal.grantable:
            rules.refused(target)
        raise


async def _say(client: Stream, answer: bytes) -> None:
    """Answer, and let the client read it: closing on what it still sends would reset the connection."""
    reader, writer = client
    writer.write(answer)
    writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while await reader.read(PIECE):
                pass
