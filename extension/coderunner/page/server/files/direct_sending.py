"""Sends a file from where it lies to the client's socket: the system copies it, and we never hold it.

ASGI has no message for that which every server understands, so this goes past it: to the transport of
uvicorn's request, once uvicorn has written the head of the answer, after a look at what it says of the rest.
What is not as it has to be (another server, a middleware between) is no way to the client.
"""

import asyncio
from typing import Protocol, cast

from starlette.types import Receive

from coderunner.files.local_files import OpenFile

SPAN = 4 * 1024 * 1024
"""Bytes that are sent at once; before that, a thread sees to it that they are in memory."""

STATE = ("response_started", "response_complete", "chunked_encoding", "expected_content_length")
"""What uvicorn notes of an answer."""


class _Request(Protocol):
    """A request as uvicorn answers it, in `httptools_impl`."""

    transport: asyncio.Transport
    expected_content_length: int
    """Bytes of the answer that it has not written."""


class WayToClient:
    """A connection whose next bytes are the answer's body."""

    def __init__(self, request: _Request) -> None:
        self._request = request
        self.gone = False
        """The client has left."""

    async def send(self, file: OpenFile, start: int, end: int) -> int:
        """Send the bytes of a file from `start` until before `end`; gives how many were sent.

        Fewer where the file has become shorter, where the client has left, and where the system cannot do it.
        """
        transport, at = self._request.transport, start
        while at < end:
            try:
                sent = await file.send_to(transport, at, min(SPAN, end - at))
            except ConnectionError:
                await self._leave()
                break
            if not sent:
                break
            at += sent
            self._request.expected_content_length -= sent
        return at - start

    async def _leave(self) -> None:
        self.gone = True
        self._request.transport.abort()
        await asyncio.sleep(0)  # uvicorn hears of it, and takes what follows for what nobody reads


def way_to_client(receive: Receive, length: int) -> WayToClient | None:
    """The way past ASGI, after the head of an answer with `length` bytes; None where there is none."""
    request = getattr(receive, "__self__", None)
    told = [getattr(request, name, None) for name in STATE]
    if told != [True, False, False, length] or not isinstance(
        getattr(request, "transport", None), asyncio.Transport
    ):
        return None
    return WayToClient(cast(_Request, request))
