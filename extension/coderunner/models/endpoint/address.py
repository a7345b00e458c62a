"""Addresses as people paste them, made one: pure.

The normal form ends with the API's version (`http://127.0.0.1:8080/v1`), so that routes can be appended to
it.
"""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from coderunner.errors import SettingsError

ROUTES = ("/chat/completions", "/completions", "/models")
BIND_ALL = "0.0.0.0"  # noqa: S104 - servers print it as their address, but nobody can call it
VERSION = re.compile(r"/(v\d+\w*|beta)(?=/|$)")
"""`/v1`, Google's `/v1beta/openai`, DeepSeek's `/beta`: what follows belongs to the API too."""


def normal(url: str) -> str:
    """Return the address of the API itself; normalising twice changes nothing.

    A slash at the end, a pasted route (`/chat/completions`), a query and a fragment go; `/v1` is added
    where the path names no version. A whole pasted route without a version stays, since some hosts have
    none (`https://models.github.ai/inference/chat/completions`).

    Raises SettingsError where no HTTP address can be read out of it. A password inside the address is
    refused: it would be shown wherever the address is.
    """
    parts = _parts(url)
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    base = _without_route(path)
    if VERSION.search(base):
        path = base
    elif base == path or not base:
        path = f"{base}/v1"
    return urlunsplit((parts.scheme, _authority(parts), path, "", ""))


def routed(url: str, path: str) -> str:
    """Return the address of a route of the API at `url`, which is in its normal form.

    A path without a leading slash belongs to the API (`chat/completions`), one with it to the server that
    carries the API (`/props`): the part of the address before its version.
    """
    base = _without_route(url)
    if not path.startswith("/"):
        return f"{base}/{path}"
    start = base.index("/", len("https://")) if base.count("/") > 2 else len(base)
    version = VERSION.search(base, start)
    return (base[: version.start()] if version else base) + path


def host(url: str) -> str:
    """Return the host's name in lower case, without a port."""
    return urlsplit(url).hostname or ""


def loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    name = host(url)
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _parts(url: str) -> SplitResult:
    text = url.strip().strip("\"'<>")
    if text and "://" not in text:
        text = f"{_scheme(text)}://{text}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        message = "this is not the address of a model endpoint; enter one like http://127.0.0.1:8080/v1"
        raise SettingsError(message)
    if parts.username or parts.password:
        message = (
            f"the address of {parts.hostname} contains a user name or password; "
            "enter the key in its own field"
        )
        raise SettingsError(message)
    return parts


def _scheme(text: str) -> str:
    # A bare name or number is a machine nearby, which seldom has a certificate; a domain has one.
    name = host(f"http://{text}")
    near = "." not in name or name.replace(".", "").isdigit() or name.endswith((".local", ".localhost"))
    return "http" if near else "https"


def _authority(parts: SplitResult) -> str:
    name = parts.hostname or ""
    name = "127.0.0.1" if name == BIND_ALL else name
    name = f"[{name}]" if ":" in name else name
    return f"{name}:{parts.port}" if parts.port else name


def _without_route(path: str) -> str:
    for route in ROUTES:
        if path.endswith(route):
            return path.removesuffix(route)
    return path
