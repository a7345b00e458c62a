"""A model's HTTP address and the client that talks to it.

Every exception of the HTTP library is translated here, into `EndpointUnreachable`, `EndpointRefused` or
`EndpointFailed` with a sentence that never holds the key.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from coderunner.errors import (
    EndpointFailed,
    EndpointUnreachable,
    ReplyBrokenOff,
    SettingsError,
    UnreadableJSON,
)
from coderunner.models.endpoint import address, error_messages, sse
from coderunner.models.endpoint.certificates import certificates
from coderunner.models.endpoint.coalescing import together
from coderunner.models.endpoint.repeated_chunks import TextChunk
from coderunner.models.endpoint.sse import DONE, Chunk, EventDecoder
from coderunner.secret_value import Secret
from coderunner.text import json_reader

if TYPE_CHECKING:
    import httpx
else:
    # httpx2 is httpx under its new name; older hosts have only the old one. Both have the same interface.
    try:
        import httpx2 as httpx
    except ImportError:
        import httpx

CONNECT_SECONDS = 5.0
"""A machine that is there answers a connection within a second, also through a VPN."""

IDLE_SECONDS = 600.0
"""Silence that we bear inside a stream: a long prompt on a CPU takes minutes until its first token."""

ANSWER_SECONDS = 15.0
"""For the small questions (`/models`, `/props`); a server that loads a model may take this long."""


LARGEST = 32 * 1024 * 1024
"""Bytes of an answer that is taken whole: hosts with a thousand models list them in one."""

NO_HEADERS: Mapping[str, str] = {}

KEPT_OPEN = 64
"""Connections that wait for the next request; more are closed after their answer."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers: an OpenAI-compatible API, the key for it and the model's id.

    `url` may be given as people paste it; it is kept in its normal form (see `address.normal`).
    Raises SettingsError where it is no HTTP address, or where the key cannot be one.
    """

    url: str
    key: Secret = field(default_factory=Secret)
    model: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", address.normal(self.url))
        key = self.key.reveal().strip()
        if not (key.isascii() and key.isprintable()):
            # It could not be sent, and the HTTP library's own complaint would quote it.
            message = f"the key for {self.url} contains invalid characters; paste it again"
            raise SettingsError(message)
        object.__setattr__(self, "key", Secret(key))

    @property
    def host(self) -> str:
        """The host's name, in lower case, without a port."""
        return address.host(self.url)

    @property
    def loopback(self) -> bool:
        """Whether the model runs on this machine."""
        return address.loopback(self.url)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model that an endpoint offers."""

    id: str
    owned_by: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer to somebody else's request, as it comes."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    pieces: AsyncIterator[bytes]
    """The body, encoded as it was sent."""


class Client:
    """Talks to one endpoint, with connections that are kept open; belongs to one event loop.

    Close it with `async with` or `aclose()`. Its methods raise `EndpointUnreachable`, `EndpointRefused` or
    `EndpointFailed`, and nothing else of their own.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        connect: float = CONNECT_SECONDS,
        answer: float = ANSWER_SECONDS,
        largest: int = LARGEST,
        longest: int = sse.LONGEST,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        """`largest`: bytes of an answer that is taken whole; `longest`: those of one event of a stream.

        `transport`: carries the requests in place of the library's own, and gives what has come together.
        """
        self.endpoint = endpoint
        self._largest, self._longest = largest, longest
        key = endpoint.key.reveal()
        self._answer = answer
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(IDLE_SECONDS, connect=connect),
            # Each reply has one for itself, and none may wait for the end of another.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_OPEN),
            verify=certificates(),
            # A proxy of the environment must not see what is said on this machine, and could not reach it.
            trust_env=not endpoint.loopback,
            transport=transport,
        )
        self._joined = transport is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; streams that are still open end."""
        await self._http.aclose()

    def of(self, model: str) -> "Client":
        """Return a client for another model of the endpoint; the connections are, and stay, this one's."""
        twin = copy(self)
        twin.endpoint = replace(self.endpoint, model=model)
        return twin

    async def models(self) -> list[ModelInfo]:
        """Return the models that the endpoint lists, in its order."""
        listed = await self.ask("models")
        entries = listed.get("data") or listed.get("models") if isinstance(listed, dict) else listed
        named = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        return [
            ModelInfo(id=name, owned_by=str(entry.get("owned_by") or ""))
            for entry in named
            if (name := str(entry.get("id") or entry.get("name") or ""))
        ]

    async def ask(self, path: str, body: Mapping[str, object] | None = None) -> object:
        """GET a JSON value, or POST `body` and get one; `path` is as in `address.routed`."""
        url = address.routed(self.endpoint.url, path)
        with self._translated():
            async with asyncio.timeout(self._answer):
                response = await self._http.send(self._request(url, body), stream=True)
                text = await self._read(response)
        self._raise_for(response, text, path)
        return self._decoded(text)

    @asynccontextmanager
    async def stream(
        self,
        body: Mapping[str, object],
        *,
        path: str = "chat/completions",
        headers: Mapping[str, str] = NO_HEADERS,
        ends: Callable[[Chunk], bool] = sse.ends,
    ) -> AsyncIterator[AsyncGenerator[Sequence[Chunk]]]:
        """POST `body`, with the endpoint's model and `stream` filled in, and give its chunks as they come.

        What has come at the same time is given together, so that a fast model costs less for each chunk.
        Leaving the context closes the TCP connection, so that the server stops generating. An error that the
        server sends inside the stream is raised where it comes, as `EndpointFailed` with status 200; a stream
        that ends before the reply has, as `ReplyBrokenOff`. The reply has ended when a chunk says why, or
        with `[DONE]`: one of them is enough. `ends` is asked in place of that where it is another API.
        """
        url = address.routed(self.endpoint.url, path)
        request = self._request(url, {"model": self.endpoint.model, **body, "stream": True}, headers)
        with self._translated():
            response = await self._http.send(request, stream=True)
        try:
            if not response.is_success:
                await self._fail(response, path)
            async with aclosing(self._chunks(response, ends)) as chunks:
                yield chunks
        finally:
            await response.aclose()

    @asynccontextmanager
    async def pass_on(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], content: bytes
    ) -> AsyncIterator[Passed]:
        """Send somebody else's request with our key, and give the answer as it comes, errors among them.

        `path` is as in `address.routed`. Leaving the context closes the connection. That our key is refused,
        or that the endpoint has moved, is about us: it is raised.
        """
        url = address.routed(self.endpoint.url, path)
        with self._translated():
            request = self._http.build_request(method, url, headers=headers, content=content)
            response = await self._http.send(request, stream=True)
        try:
            if response.status_code in error_messages.UNWELCOME or response.has_redirect_location:
                await self._fail(response, path)
            yield Passed(response.status_code, self._without_key(response.headers.raw), self._raw(response))
        finally:
            await response.aclose()

    def _without_key(self, headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """The headers that do not repeat our key, as servers do that tell what they were asked."""
        key = self.endpoint.key.reveal().encode()
        return [header for header in headers if not (key and key in header[1])]

    async def _raw(self, response: "httpx.Response") -> AsyncGenerator[bytes]:
        with self._translated(streaming=True):
            async for piece in response.aiter_raw():
                yield piece

    def _request(
        self, url: str, body: Mapping[str, object] | None, headers: Mapping[str, str] = NO_HEADERS
    ) -> "httpx.Request":
        if body is None:
            return self._http.build_request("GET", url)
        # What a program printed may hold half a surrogate pair, which has no UTF-8.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        return self._http.build_request(
            "POST", url, content=content, headers={**headers, "Content-Type": "application/json"}
        )

    async def _read(self, response: "httpx.Response") -> str:
        """Take a whole answer, as far as it has a size that answers have."""
        data = bytearray()
        try:
            async with aclosing(_pieces(response)) as pieces:
                async for piece in pieces:
                    data += piece
                    if len(data) > self._largest:
                        raise error_messages.endless(self.endpoint.url, most=self._largest)
        finally:
            await response.aclose()
        return data.decode(response.encoding or "utf-8", "replace")

    async def _fail(self, response: "httpx.Response", path: str) -> None:
        with self._translated():
            text = await self._read(response)
        self._raise_for(response, text, path, offered=await self._offered(response))

    async def _offered(self, response: "httpx.Response") -> list[str]:
        """Return what models there are, where the one we asked for may be missing."""
        if response.status_code != error_messages.NOT_FOUND or not self.endpoint.model:
            return []
        try:
            return [model.id for model in await self.models()]
        except (EndpointUnreachable, EndpointFailed, PermissionError):
            return []

    def _raise_for(
        self, response: "httpx.Response", text: str, path: str, offered: list[str] | None = None
    ) -> None:
        if not response.is_success:
            raise error_messages.from_answer(
                error_messages.Answer(
                    response.status_code,
                    text,
                    response.headers.get("location", ""),
                    response.headers.get("retry-after", ""),
                ),
                self.endpoint.url,
                path=path,
                model=self.endpoint.model,
                offered=offered or [],
                key=self.endpoint.key,
            )

    def _decoded(self, text: str) -> object:
        try:
            return json_reader.loads(text, strict=False)
        except UnreadableJSON as error:
            raise self._garbled(text) from error

    async def _chunks(
        self, response: "httpx.Response", ends: Callable[[Chunk], bool]
    ) -> AsyncGenerator[Sequence[Chunk]]:
        decoder = EventDecoder(self._longest)
        began = ended = False
        try:
            read = _pieces(response) if self._joined else together(_pieces(response))
            async with aclosing(read) as pieces:
                async for received in self._received(pieces, decoder):
                    for chunks in self._whole(received):
                        began, ended = True, ended or any(map(ends, chunks))
                        yield chunks
                    if DONE in received:
                        return
        except ReplyBrokenOff:
            if not ended:
                raise
        if not ended:
            raise self._incomplete(decoder.stray, began=began)

    async def _received(
        self, pieces: AsyncGenerator[bytes], decoder: EventDecoder
    ) -> AsyncGenerator[list[object]]:
        """Return the events of a stream as they come, at last those of its end."""
        with self._translated(streaming=True):
            async for piece in pieces:
                yield decoder.receive(piece)
                if decoder.full:
                    raise error_messages.endless(self.endpoint.url, most=self._longest)
        yield decoder.close()

    def _incomplete(self, stray: str, *, began: bool) -> EndpointFailed:
        """Tell a stream that has ended before the reply: what stands in place of its end may say why."""
        if not stray.strip():
            return error_messages.cut_off(self.endpoint.url, empty=not began)
        return (
            error_messages.inside_stream(stray, self.endpoint.url, key=self.endpoint.key)
            if began
            else self._garbled(stray)
        )

    def _whole(self, received: Sequence[object]) -> Iterator[Sequence[Chunk]]:
        """Return the chunks among the events up to the end mark, and then raise what is none."""
        chunks: list[Chunk] = []
        try:
            for event in received:
                if event == DONE:
                    break
                chunks.append(self._chunk(event))
        finally:
            if chunks:
                yield chunks

    def _chunk(self, event: object) -> Chunk:
        if isinstance(event, TextChunk):
            return event
        if isinstance(event, list) and len(event) == 1:
            event = event[0]  # Google's errors come so
        if not isinstance(event, dict):
            raise self._garbled(event if isinstance(event, str) else json.dumps(event))
        if told := error_messages.error_in(event):
            failure = error_messages.inside_stream(told, self.endpoint.url, key=self.endpoint.key)
            failure.of_messages = event.get("type") == "error"
            raise failure
        return event

    def _garbled(self, text: str) -> EndpointFailed:
        return error_messages.garbled(text, self.endpoint.url, key=self.endpoint.key)

    @contextmanager
    def _translated(self, *, streaming: bool = False) -> Iterator[None]:
        """Turn the HTTP library's exceptions into ours: the one seam."""
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError) as error:
            if streaming:
                raise error_messages.broken_off(error, self.endpoint.url, idle=IDLE_SECONDS) from error
            raise error_messages.unreachable(error, self.endpoint.url) from error


def _pieces(response: "httpx.Response") -> AsyncGenerator[bytes]:
    """The body as it comes."""
    if "content-encoding" not in response.headers:
        return _unencoded(response)
    # The library promises an iterator only; it is a generator, and one that must be closed.
    return cast("AsyncGenerator[bytes]", response.aiter_bytes())


async def _unencoded(response: "httpx.Response") -> AsyncGenerator[bytes]:
    """The same without what the library does for bodies that are compressed: most are not."""
    async for piece in cast("httpx.AsyncByteStream", response.stream):
        yield piece
