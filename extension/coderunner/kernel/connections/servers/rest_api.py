"""The REST interface of a Jupyter server, and the one place that turns its errors into sentences.

The token goes into one header and nowhere else. Redirects are not followed, replies are bounded in size and
time, certificates are always verified.
"""

import json
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from coderunner.errors import (
    KernelError,
    KernelNotStarted,
    NoSuchKernelSpec,
    NotAJupyterServer,
    ServerRefused,
    ServerUnreachable,
    SettingsError,
)
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.server_address import normalise
from coderunner.text.json_reader import loads

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection: a server that takes longer cannot be worked with."""
LARGEST_REPLY = 8 * 1024 * 1024
"""Bytes of a reply: the kernel specs of a large server, with their icons, are a tenth of it."""

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: its status, and its JSON or None."""

    status: int
    json: object


class RestApi:
    """Talks to one Jupyter server; raises KernelError, with one sentence that says what to do."""

    def __init__(self, where: Server) -> None:
        try:
            self.url = normalise(where.url)
        except SettingsError as error:
            raise NotAJupyterServer(str(error)) from None
        self._where = where
        self.patience = where.patience
        self._http = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST_REPLY)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def request(self, url: str, method: Method = "GET", body: str | None = None) -> HTTPRequest:
        """Return a request with the token in its header."""
        headers = {"Accept": "application/json"}
        if self._where.token:
            headers["Authorization"] = f"token {self._where.token.reveal()}"
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
            ca_certs=self._where.ca_file or None,
        )

    async def anonymous(self, url: str) -> HTTPResponse:
        """Return what a stranger without a token is answered at an address."""
        request = self.request(url)
        request.headers.pop("Authorization", None)
        return await self._fetch(request)

    async def fetch(self, method: Method, path: str, content: object = None) -> HTTPResponse:
        """Return whatever the server answers, errors too; raises ServerUnreachable where nothing does."""
        body = None if content is None else json.dumps(content)
        return await self._fetch(self.request(f"{self.url}/{path}", method, body))

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        try:
            return await self._http.fetch(request, raise_error=False)
        except Exception as error:
            raise unreachable(self.url, error) from None

    async def ask(self, method: Method, path: str, content: object = None) -> Reply:
        """Give the server's answer where it is one of a Jupyter server that lets us in: 2xx, 404, or 5xx."""
        response = await self.fetch(method, path, content)
        if response.code == 599:
            raise unreachable(self.url, response.error)
        trouble = refusal(self.url, response, token=bool(self._where.token))
        if trouble is not None:
            raise trouble
        return Reply(response.code, parsed(response))

    # --- what we ask it for

    async def kernel_specs(self) -> list[str]:
        """Return the names of the server's kernel specs, its default first."""
        return list(await self._languages())

    async def _languages(self) -> dict[str, str]:
        """Return the language of each kernel spec, in lower case; the server's default first."""
        reply = await self.ask("GET", "api/kernelspecs")
        specs = reply.json if isinstance(reply.json, dict) else {}
        names = specs.get("kernelspecs")
        if reply.status != 200 or not isinstance(names, dict):
            raise NotAJupyterServer(
                f"{self.url} is not a Jupyter server, or the base path is wrong: api/kernelspecs answers "
                f"HTTP {reply.status}; copy the address of the Jupyter page from your browser"
            )
        default = specs.get("default")
        first = sorted((str(name) for name in names), key=lambda name: (name != default, name))
        return {name: _language(names[name]) for name in first}

    async def require_kernel_spec(self, name: str) -> str:
        """Return the language of a kernel spec; raises NoSuchKernelSpec, with the names there are."""
        languages = await self._languages()
        if name not in languages:
            known = ", ".join(languages) or "none"
            raise NoSuchKernelSpec(f"kernel {name!r} is not installed on this server; it has: {known}")
        return languages[name]

    async def sessions(self) -> list[dict[str, object]]:
        """Return the server's sessions; none where it has no such list."""
        reply = await self.ask("GET", "api/sessions")
        listed = reply.json if reply.status == 200 and isinstance(reply.json, list) else []
        return [session for session in listed if isinstance(session, dict)]

    async def kernel(self, kernel: str) -> dict[str, object] | None:
        """Return what the server says about a kernel; None where it has none of that id."""
        reply = await self.ask("GET", f"api/kernels/{quote(kernel, safe='')}")
        if reply.status == 404:
            return None
        return reply.json if isinstance(reply.json, dict) else {}

    def failed(self, what: str, reply: Reply) -> KernelNotStarted:
        """Return the error for something that the server did not do."""
        said = reply.json.get("message") if isinstance(reply.json, dict) else None
        because = f": {' '.join(said.split())[:200]}" if isinstance(said, str) and said else ""
        return KernelNotStarted(
            f"{self.url} did not {what} (HTTP {reply.status}{because}); see the server's log"
        )


def _language(model: object) -> str:
    spec = model.get("spec") if isinstance(model, dict) else None
    language = spec.get("language") if isinstance(spec, dict) else None
    return language.lower() if isinstance(language, str) else ""


def parsed(response: HTTPResponse) -> object:
    """Return a reply's JSON; None where it is none."""
    try:
        return loads(response.body or b"null")
    except ValueError:
        return None


# --- the seam


def unreachable(url: str, error: BaseException | None) -> KernelError:
    """Say why nothing answered."""
    if isinstance(error, KernelError):
        return error
    parts = urlsplit(url)
    sentence = _tls_trouble(url, error) if isinstance(error, ssl.SSLError) else ""
    for kinds, text in _UNREACHABLE:
        if not sentence and isinstance(error, kinds):
            sentence = text
    sentence = sentence or "{url} cannot be reached ({error}); check the address and the network"
    reason = getattr(error, "strerror", None) or type(error).__name__
    other = "http" if parts.scheme == "https" else "https"
    return ServerUnreachable(
        sentence.format(url=url, host=parts.hostname, scheme=parts.scheme, other=other, error=reason)
    )


_UNREACHABLE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (socket.gaierror, "the host {host!r} was not found; check its spelling and the network"),
    (
        ConnectionRefusedError,
        "nothing responds at {url} (connection refused); start the Jupyter server, or check host and port",
    ),
    (
        (HTTPTimeoutError, TimeoutError),
        "{url} did not respond in time; the server may hang, or a firewall may block it",
    ),
    (
        (
            *(HTTPStreamClosedError, StreamClosedError, UnsatisfiableReadError),
            *(ConnectionResetError, BrokenPipeError),
        ),
        "{url} sent no complete HTTP response; it may use {other} instead of {scheme}, or be another program",
    ),
    (FileNotFoundError, "the certificate file cannot be read; check the setting ca_file"),
)


def _tls_trouble(url: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message.replace("{", "(").replace("}", ")")
        return f"the certificate of {{url}} is not trusted ({reason}); set ca_file to its certificate file"
    if "WRONG_VERSION_NUMBER" in str(error) or "HTTP_REQUEST" in str(error):
        return "{url} does not use https; use http:// in the address"
    if "NO_CERTIFICATE" in str(error) or "PEM" in str(error):
        return "the file in ca_file has no certificates; it must be a PEM file"
    return "the TLS handshake with {url} failed ({error}); see the server's log"


def refusal(url: str, response: HTTPResponse, *, token: bool) -> KernelError | None:
    """Say why a server did not answer what we asked; None where it did."""
    if 300 <= response.code < 400:
        return _redirect(url, response, token=token)
    text = (response.body or b"")[:65536].decode("utf-8", "replace")
    if response.code >= 400 and "_xsrf" in text[:2000]:
        return ServerRefused(
            f"{url} runs without a token and accepts requests only from its own pages ('_xsrf' missing); "
            "start it with a token, and set that token here"
        )
    if response.code in (401, 403):
        return ServerRefused(_not_let_in(url, token=token))
    if response.code == 429:
        return ServerUnreachable(_too_often(url, response.headers.get("Retry-After", "")))
    if response.code in (502, 503, 504):
        return ServerUnreachable(
            f"{url} is overloaded or still starting (HTTP {response.code}); try again in a minute"
        )
    if response.code < 300 and parsed(response) is None and text.strip() and text.strip() != "null":
        return _page(url, text, token=token)
    return None


def _not_let_in(url: str, *, token: bool) -> str:
    if token:
        return f"{url} does not accept the token; copy the current one from the server's log"
    return f"{url} requires a token and none is set; copy it from the server's log"


def _too_often(url: str, seconds: str) -> str:
    pause = f"{seconds} seconds" if re.fullmatch(r"[0-9]{1,5}", seconds) else "a minute"
    return (
        f"{url} limits the rate of requests (HTTP 429); try again in {pause}, "
        "or raise the limit of the proxy or Hub in front of it"
    )


def _page(url: str, text: str, *, token: bool) -> KernelError:
    lower = text.lower()
    if "login" in lower or "password" in lower or "sign in" in lower:
        way = "check the token" if token else "set the token"
        return ServerRefused(f"{url} shows a login page; {way}")
    return NotAJupyterServer(
        f"{url} responds with a web page and is not a Jupyter server; check port and base path"
    )


def redirected(url: str, location: str) -> SplitResult | None:
    """Where a redirect of the server at `url` leads; None where it says nothing that is an address."""
    try:
        target = urlsplit(urljoin(f"{url}/", location))
        return target if location and target.hostname and target.port != 0 else None
    except ValueError:
        return None


def _redirect(url: str, response: HTTPResponse, *, token: bool) -> KernelError:
    target, origin = redirected(url, response.headers.get("Location", "")), urlsplit(url)
    if target is None:
        return NotAJupyterServer(
            f"{url} redirects without an address (HTTP {response.code}); check port and base path"
        )
    if target.geturl() == response.request.url:
        return NotAJupyterServer(f"{url} redirects in a loop; check the proxy in front of it")
    if target.hostname != origin.hostname:
        return NotAJupyterServer(
            f"{url} redirects to another host ({target.hostname}); if that is right, use that address"
        )
    if "login" in target.path.lower():
        way = "check the token" if token else "set the token"
        return ServerRefused(f"{url} redirects to a login page; {way}")
    if (target.scheme, target.port) != (origin.scheme, origin.port):
        return NotAJupyterServer(f"{url} redirects to {target.scheme}://{target.netloc}; use that address")
    return NotAJupyterServer(f"{url} redirects to {target.path}; the base path is probably wrong")
