"""What a Jupyter server's errors and refusals mean: the one place that turns them into sentences."""

import re
import socket
import ssl
from urllib.parse import SplitResult, urljoin, urlsplit

from tornado.http1connection import _QuietException
from tornado.httpclient import HTTPResponse
from tornado.iostream import StreamClosedError, UnsatisfiableReadError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from coderunner.errors import KernelError, NotAJupyterServer, NotPermitted, ServerRefused, ServerUnreachable
from coderunner.text.json_reader import loads


def parsed(response: HTTPResponse) -> object:
    """Return a reply's JSON; None where it is none."""
    try:
        return loads(response.body or b"null")
    except ValueError:
        return None


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


def no_word_of_kernels(url: str) -> KernelError:
    """Say that a server answers, but not when it is asked for its kernels."""
    return ServerUnreachable(
        f"{url} responds, but not when it is asked for its kernels; where it has them on a gateway, that may "
        "hang or be down: see the server's log"
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
            _QuietException,  # a reset in the middle of a response
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


_STATUS_WORDS = re.compile(
    r"(HTTP \d{3}:? ?)?"
    r"(Forbidden|Unauthorized|Not Found|Internal Server Error|Service Unavailable|Bad Gateway)?\.?"
)
"""What says no more than the status does."""


def because(answer: object) -> str:
    """Return what a server gives as the reason, with a colon before it; nothing where it gives none."""
    said = [answer.get(key) for key in ("message", "reason")] if isinstance(answer, dict) else []
    for each in said:
        # Jupyter Server leaves out in some texts what it means to put into them.
        text = re.sub(r" '?%s'?", "", " ".join(each.split())[:300]) if isinstance(each, str) else ""
        if not _STATUS_WORDS.fullmatch(text):
            return f": {text.rstrip('.')}"
    return ""


def refusal(url: str, response: HTTPResponse, *, token: bool) -> KernelError | None:
    """Say why a server did not answer what we asked; None where it did.

    What 401 and 403 mean only a second question tells: see `bad_token` and `not_permitted`.
    """
    if 300 <= response.code < 400:
        return _redirect(url, response, token=token)
    text = (response.body or b"")[:65536].decode("utf-8", "replace")
    if response.code >= 400 and "_xsrf" in text[:2000]:
        return ServerRefused(
            f"{url} runs without a token and accepts requests only from its own pages ('_xsrf' missing); "
            "start it with a token, and set that token here"
        )
    if response.code == 429:
        return ServerUnreachable(_too_often(url, response.headers.get("Retry-After", "")))
    if response.code in (502, 503, 504):
        return ServerUnreachable(no_service(url, response))
    if response.code < 300 and parsed(response) is None and text.strip() and text.strip() != "null":
        return _page(url, text, token=token)
    return None


def no_service(url: str, response: HTTPResponse) -> str:
    """Say what a server that answers cannot do, in its own words where it has any."""
    if reason := because(parsed(response)):
        return f"{url} cannot answer (HTTP {response.code}{reason})"
    return f"{url} is overloaded or still starting (HTTP {response.code}); try again in a minute"


def bad_token(url: str, *, token: bool) -> ServerRefused:
    """Say that a server does not know who we are."""
    if token:
        return ServerRefused(f"{url} does not accept the token; copy the current one from the server's log")
    return ServerRefused(f"{url} requires a token and none is set; copy it from the server's log")


def unknown(response: HTTPResponse) -> bool:
    """Whether it is a Jupyter server's answer to somebody whom it does not know.

    Gateways answer so even to who asks for their version, which others tell everybody.
    """
    answer = parsed(response)
    return response.code == 401 and isinstance(answer, dict) and answer.keys() >= {"message", "reason"}


_ERRANDS = (
    ("POST", r"api/(kernels|sessions)", "start kernels"),
    ("GET", r"api/(kernels|sessions)", "list its kernels"),
    ("POST", r"api/kernels/.+/restart", "restart this kernel"),
    ("POST", r"api/kernels/.+/interrupt", "interrupt this kernel"),
    ("DELETE", r"api/.+", "end this kernel"),
    ("GET", r"api/kernels/.+", "look at this kernel"),
)
"""What we ask for, in words: the method, the path, and what it is to do."""


def not_permitted(url: str, method: str, path: str, response: HTTPResponse) -> NotPermitted:
    """Say what a server that knows the token does not let it do."""
    what = next(
        (words for verb, way, words in _ERRANDS if verb == method and re.fullmatch(way, path)), "do that"
    )
    reason = because(parsed(response))
    return NotPermitted(
        f"{url} accepts the token, but does not let it {what} (HTTP {response.code}{reason}); "
        "ask whoever runs the server"
    )


def no_lists(url: str, api: object, *, plain: bool) -> NotPermitted | None:
    """Say which setting of a gateway makes it list kernels; None where it is none.

    `api` is what it says of itself; `plain`: it has no route of a Jupyter Server's own.
    """
    enterprise = isinstance(api, dict) and "gateway_version" in api
    if not enterprise and not plain:
        return None
    setting = (
        "EnterpriseGatewayApp.list_kernels" if enterprise else "JupyterWebsocketPersonality.list_kernels"
    )
    return NotPermitted(
        f"{url} does not list its kernels; to list or attach to them, start the gateway with --{setting}=True"
    )


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


def jupyverse(url: str, response: HTTPResponse) -> KernelError | None:
    """Say of a jupyverse why it cannot be used; None where it is none, which its HTTP server tells."""
    if not response.headers.get("Server", "").startswith("anycorn"):
        return None
    return NotAJupyterServer(
        f"{url} is a jupyverse, which takes a token only in an address, where others may read it; "
        "use a Jupyter Server, a gateway or a JupyterHub"
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
