"""Routes as ASGI apps that are given the body of a request, which is bounded."""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from coderunner.hosts.proxy.client_api.refusal import Refusal

LARGEST = 100_000_000
"""Bytes of a request: some images, or an hour of speech."""

TOO_LARGE = Refusal(
    f"The request is larger than the limit of {LARGEST:,} bytes. The files of a chat are sent with each "
    "of its messages, a third larger than they are: send smaller ones, or start a new chat.",
    413,
)

Answer = Callable[[Request, bytes, Send], Awaitable[None]]


class RequestReader:
    """A route as an ASGI app: reads the request, then answers it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in request.stream():
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST:
                    await TOO_LARGE(scope, receive, send)
                    return
        except ClientDisconnect:
            return
        body = b"".join(pieces)
        pieces.clear()  # a reply takes minutes, and they as much memory as the body
        await self._answer(request, body, send)
