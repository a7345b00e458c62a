"""HTTP to one Jupyter server.

The token goes into one header and nowhere else. Redirects are not followed, replies are bounded in size and
time, certificates are always verified.
"""

import json
from collections.abc import Callable
from typing import Literal

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from coderunner.errors import NotAJupyterServer, SettingsError
from coderunner.kernel.connections.servers.refusals import unreachable
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.server_address import normalise

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection: a server that takes longer cannot be worked with."""
LARGEST_REPLY = 8 * 1024 * 1024
"""Bytes of a reply: the kernel specs of a large server, with their icons, are a tenth of it."""

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class RestConnection:
    """Sends requests to one Jupyter server, and gives back whatever it answers."""

    def __init__(self, where: Server) -> None:
        try:
            self.url = normalise(where.url)
        except SettingsError as error:
            raise NotAJupyterServer(str(error)) from None
        self.where = where
        self.patience = where.patience
        self._http = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST_REPLY)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def request(self, url: str, method: Method = "GET", body: str | bytes | None = None) -> HTTPRequest:
        """Return a request with the token in its header."""
        headers = {"Accept": "application/json"}
        if self.where.token:
            headers["Authorization"] = f"token {self.where.token.reveal()}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        return HTTPRequest(
            url,
            method=method,
            body=body,
            headers=headers,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=self.patience.request,
            ca_certs=self.where.ca_file or None,
        )

    async def anonymous(self, url: str) -> HTTPResponse:
        """Return what a stranger without a token is answered at an address."""
        request = self.request(url)
        request.headers.pop("Authorization", None)
        return await self._fetch(request)

    async def fetch(
        self, method: Method, path: str, content: object = None, *, within: float = 0.0
    ) -> HTTPResponse:
        """Return whatever the server answers, errors too; raises ServerUnreachable where nothing does.

        `content`: what JSON can hold, or JSON as bytes.
        """
        body = content if content is None or isinstance(content, bytes) else json.dumps(content)
        request = self.request(f"{self.url}/{path}", method, body)
        request.request_timeout = within or self.patience.request
        return await self._fetch(request)

    async def fetch_part(self, path: str, start: int, end: int) -> HTTPResponse:
        """Return the bytes from `start` until before `end` of what is at a path, from a server that cuts."""
        request = self.request(f"{self.url}/{path}")
        request.headers["Accept"], request.headers["Range"] = "*/*", f"bytes={start}-{end - 1}"
        request.decompress_response = False
        return await self._fetch(request)

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        try:
            return await self._http.fetch(request, raise_error=False)
        except Exception as error:
            raise unreachable(self.url, error) from None

    async def fetch_at(self, url: str, method: Method = "GET", *, within: float = 0.0) -> HTTPResponse:
        """Return what is answered at another address of the same server, or of the Hub that it belongs to."""
        request = self.request(url, method)
        request.request_timeout = within or self.patience.request
        return await self._fetch(request)

    async def stream_from(self, url: str, receive: Callable[[bytes], None], *, within: float) -> None:
        """Have each piece of what is answered at such an address given to `receive`, until its end."""
        request = self.request(url)
        request.request_timeout, request.streaming_callback = within, receive
        await self._fetch(request)
