"""Heads of HTTP/1 messages, read in one way only: what can be read in two is refused. Pure.

A proxy that is lenient where the server behind it is not, or the other way round, lets one request hide in
another. So: RFC 9112 without its obsolete parts, and no repair.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from coderunner.sandbox.egress.targets import Target, parse_target

LONGEST = 16_384
"""Bytes of a request's head."""
MOST = 100
"""Headers of a head."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}) ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")
_DIGITS = re.compile(rb"[0-9]{1,15}")

Headers = tuple[tuple[bytes, bytes], ...]
"""Names as they were written, and values without blanks around them."""

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer "
    b"transfer-encoding upgrade".split()
)
"""Headers that concern one connection only (RFC 9110, 7.6.1); what `Connection` names joins them."""


class Malformed(ValueError):
    """A head that is not read; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request."""

    method: bytes
    target: bytes
    version: int
    """The minor version: HTTP/1.0 or 1.1."""
    headers: Headers

    @property
    def connects(self) -> bool:
        """It asks for a tunnel."""
        return self.method == b"CONNECT"


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response."""

    status: int
    reason: bytes
    version: int
    headers: Headers


@dataclass(frozen=True, slots=True)
class Framing:
    """Where a body ends: after `length` bytes, with its last chunk, or with the connection."""

    length: int | None = None
    chunked: bool = False


EMPTY = Framing(length=0)


def read_request(head: bytes) -> Request:
    """Read a request's head up to and with its blank line. Raises Malformed."""
    first, headers = _split(head)
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise Malformed("the request line is not one of HTTP/1")
    return Request(found[1], found[2], int(found[3]), headers)


def read_response(head: bytes) -> Response:
    """Read a response's head up to and with its blank line. Raises Malformed."""
    first, headers = _split(head)
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise Malformed("the status line is not one of HTTP/1")
    return Response(int(found[2]), found[3] or b"", int(found[1]), headers)


def _split(head: bytes) -> tuple[bytes, Headers]:
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if len(lines) > MOST:
        raise Malformed(f"there are more than {MOST} headers")
    # A line that continues another, a lone CR or LF, NUL: none of them fits.
    found = [_HEADER.fullmatch(line) for line in lines]
    if not all(found):
        raise Malformed("a header is malformed")
    return first, tuple((each[1], each[2].strip(b"\t ")) for each in found if each)


def values(headers: Headers, name: bytes) -> list[bytes]:
    """All values of a header; the name in lower case."""
    return [value for each, value in headers if each.lower() == name]


def request_framing(request: Request) -> Framing:
    """Where the body of a request ends. Raises Malformed for what is not certain."""
    return _framing(request.headers, request.version) or EMPTY


def response_framing(response: Response, method: bytes) -> Framing:
    """Where the body of a response ends, to a request with this method. Raises Malformed."""
    if method == b"HEAD" or response.status < 200 or response.status in (204, 304):
        return EMPTY
    return _framing(response.headers, response.version) or Framing()


def _framing(headers: Headers, version: int) -> Framing | None:
    codings, lengths = values(headers, b"transfer-encoding"), values(headers, b"content-length")
    if codings:
        if lengths or version == 0 or [each.lower() for each in codings] != [b"chunked"]:
            raise Malformed("the length of the body is not certain")
        return Framing(chunked=True)
    if not lengths:
        return None
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0]):
        raise Malformed("the length of the body is not certain")
    return Framing(length=int(lengths[0]))


def end_to_end(headers: Headers, *, without: Iterable[bytes] = ()) -> Headers:
    """The headers that go on to the other side."""
    named = {token.strip().lower() for value in values(headers, b"connection") for token in value.split(b",")}
    dropped = HOP_BY_HOP | named | set(without)
    return tuple((name, value) for name, value in headers if name.lower() not in dropped)


@dataclass(frozen=True, slots=True)
class PlainTarget:
    """What a request with a complete URL is for."""

    target: Target
    host: bytes
    """The `Host` header that belongs to it."""
    path: bytes
    """Path and query, as the server gets them."""
    encrypted: bool
    """The URL says https."""


def plain_target(request: Request) -> PlainTarget:
    """The target of a request that is no CONNECT. Raises Malformed."""
    url = request.target.decode("ascii")
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or "#" in url or "\\" in url:
        raise Malformed("this is a proxy: it takes CONNECT and complete http:// addresses")
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    encrypted = scheme.lower() == "https"
    try:
        # A name in two ways of reading is two names: `urlsplit` has to agree.
        if "@" in authority or urlsplit(url).netloc != authority:
            raise ValueError
        target = parse_target(authority, 443 if encrypted else 80)
        hosts = [parse_target(each.decode("ascii"), target.port) for each in values(request.headers, b"host")]
    except ValueError:
        raise Malformed("the address names no host") from None
    if len(hosts) > 1 or (request.version and not hosts) or any(each != target for each in hosts):
        raise Malformed("the Host header is not the host of the address")
    path = rest[len(authority) :]
    return PlainTarget(
        target,
        authority.encode("ascii"),
        (path if path.startswith("/") else f"/{path}").encode("ascii"),
        encrypted,
    )


def tunnel_target(request: Request) -> Target:
    """The target of a CONNECT. Raises Malformed."""
    try:
        return parse_target(request.target.decode("ascii"))
    except ValueError:
        raise Malformed("CONNECT wants a host and a port") from None


def written(first: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A head as bytes."""
    return b"\r\n".join((first, *(name + b": " + value for name, value in headers), b"", b""))
