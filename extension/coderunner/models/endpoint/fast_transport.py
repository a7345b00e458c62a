"""Carries the requests of the HTTP library over aiohttp, whose parser is compiled.

Reading a stream of small pieces takes a fraction of the time of the library's own parser, and what has come
at the same time is given as one. Requests, answers and exceptions stay the library's.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import getproxies

import aiohttp
from yarl import URL

from coderunner.models.endpoint.certificates import certificates
from coderunner.models.endpoint.client import Endpoint

if TYPE_CHECKING:
    import httpx
else:
    try:
        import httpx2 as httpx
    except ImportError:
        import httpx

LONGEST_HEADER = 64 * 1024
"""Bytes of a header: as many as the library's own parser takes."""
BUFFER = 64 * 1024
"""Bytes that wait for whoever reads; then the server waits as well."""
KEPT = 5.0
"""Seconds for which a connection waits for the next request, as the library keeps it."""
NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
"""Headers that a request has only where it names them."""

_EXCEPTIONS: Mapping[type[BaseException], type[Exception]] = {
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.SocketTimeoutError: httpx.ReadTimeout,
    aiohttp.ClientConnectorError: httpx.ConnectError,
    aiohttp.InvalidURL: httpx.UnsupportedProtocol,
    aiohttp.ClientPayloadError: httpx.RemoteProtocolError,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientResponseError: httpx.RemoteProtocolError,
    aiohttp.ClientError: httpx.NetworkError,
    TimeoutError: httpx.ReadTimeout,
    OSError: httpx.NetworkError,
}
"""What each failure is called in the library, the more special ones first."""


def fast_transport(endpoint: Endpoint) -> "FastTransport | None":
    """What carries requests to an endpoint; None where a proxy of the environment does, for the library."""
    return None if getproxies() and not endpoint.loopback else FastTransport()


class FastTransport(httpx.AsyncBaseTransport):
    """Connections that are kept open; belongs to one event loop."""

    def __init__(self) -> None:
        self._plain: httpx.AsyncHTTPTransport | None = None
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: "httpx.Request") -> "httpx.Response":
        """Send a request; the body of its answer is read by whoever wants it."""
        if (headers := _headers(request)) is None:
            self._plain = self._plain or httpx.AsyncHTTPTransport(verify=certificates())
            return await self._plain.handle_async_request(request)
        with _translated():
            answer = await self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=headers,
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=_timeout(request),
            )
        return httpx.Response(
            answer.status,
            headers=list(answer.raw_headers),
            stream=_Body(answer),
            extensions={"reason_phrase": (answer.reason or "").encode("latin-1", "replace")},
        )

    async def aclose(self) -> None:
        """Close all connections; streams that are still open end."""
        if self._plain is not None:
            await self._plain.aclose()
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """The session, which is made in the loop that it is used in."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=certificates(), keepalive_timeout=KEPT),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=NOT_ADDED,
                auto_decompress=False,
                read_bufsize=BUFFER,
                max_line_size=LONGEST_HEADER,
                max_field_size=LONGEST_HEADER,
                trust_env=False,
            )
        return self._session


class _Body(httpx.AsyncByteStream):
    """The body of an answer, encoded as it was sent."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._answer.content
        with _translated():
            while piece := await content.readany():
                yield piece

    async def aclose(self) -> None:
        """Close the connection, unless the answer is whole: then it is kept for the next request."""
        self._answer.close()


def _headers(request: "httpx.Request") -> list[tuple[str, str]] | None:
    """The headers as aiohttp writes them; None where it cannot, since one is no UTF-8."""
    try:
        return [(name.decode(), value.decode()) for name, value in request.headers.raw]
    except UnicodeDecodeError:
        return None


def _timeout(request: "httpx.Request") -> aiohttp.ClientTimeout:
    given = request.extensions.get("timeout", {})
    return aiohttp.ClientTimeout(
        total=None, sock_connect=given.get("connect"), sock_read=given.get("read"), ceil_threshold=3600.0
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except tuple(_EXCEPTIONS) as error:
        kind = next(ours for theirs, ours in _EXCEPTIONS.items() if isinstance(error, theirs))
        raise kind(str(error)) from error
