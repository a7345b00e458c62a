"""Errors of ours, each in the shape of the API that its request is in."""

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from coderunner.hosts.proxy.client_api import openai_format

MESSAGES = "/v1/messages"
"""The path of the Messages API."""
VERSION = b"anthropic-version"
"""The header that Anthropic's clients send to every route."""
TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""What Anthropic's API calls an error, by its status; any other is the request's below 500, else ours."""


class Refusal(JSONResponse):
    """An error response. Whoever asks as Anthropic's clients do reads one of that API."""

    def __init__(
        self,
        message: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        *,
        kind: str = "",
        code: str | None = None,
    ) -> None:
        """`kind` and `code`: what OpenAI's API calls it, unless its status says so."""
        plain = "invalid_request_error" if status < 500 else "api_error"
        kind = kind or (TYPES[status] if status == 429 else plain)
        super().__init__(openai_format.error(message, kind=kind, code=code), status, headers)
        its = {"type": TYPES.get(status, plain), "message": message}
        self._in_messages = JSONResponse({"type": "error", "error": its}, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if _in_messages(scope):
            await self._in_messages(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _in_messages(scope: Scope) -> bool:
    path = str(scope.get("path", ""))
    below = path == MESSAGES or path.startswith(f"{MESSAGES}/")
    return below or any(name.lower() == VERSION for name, _ in scope["headers"])
