"""The address of a Jupyter server, out of what people paste.

Pure. `http://host:8888/lab?token=…`, `host:8888/`, `https://hub/user/me/lab/tree/a.ipynb` all mean the
server's base address, to which `api/…` is appended.
"""

import ipaddress
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from coderunner.errors import SettingsError

PAGE = re.compile(
    r"""
      lab (/ (doc|tree|workspaces|api|extensions) (/.*)?)?
    | (nbclassic|retro) (/ (consoles|edit|notebooks|terminals|tree|view) (/.*)?)?
    | doc / (tree|workspaces) /.*
    | tree (/.*)?
    | (edit|notebooks|view) / (?! (.*/)? (lab|tree|login) $ | (.*/)? lab/(tree|workspaces)/ ) .+
    | (terminals|consoles?) (/[^/]+)?
    | log(in|out)
    | api (/ (contents|kernels|kernelspecs|me|sessions|status|terminals) (/.*)?)?
    """,
    re.VERBOSE,
)
"""The pages of Jupyter's own user interfaces, below a server's base address.

What follows has to be such as follows on that page: `lab/lab` is the page of a server with the base path
`lab`, `api/v1/…/proxy/lab` one behind the proxy of a Kubernetes.
"""

EXAMPLE = "http://127.0.0.1:8888"
LOOPBACK_NAMES = ("localhost", "localhost.localdomain")


def split_token(pasted: str) -> tuple[str, str]:
    """Split what was pasted into an address without a token, and the token (or nothing).

    Never raises: what cannot be read as an address loses everything that could hold a secret.
    """
    pasted = "".join(pasted.split())
    head, mark, tail = pasted.partition("?")
    if not mark:
        return pasted, ""
    query, _, fragment = tail.partition("#")
    fields = parse_qsl(query, keep_blank_values=True)
    token = next((value for name, value in fields if name.lower() == "token"), "")
    rest = urlencode([(name, value) for name, value in fields if name.lower() != "token"])
    return head + (f"?{rest}" if rest else "") + (f"#{fragment}" if fragment else ""), token


def normalise(pasted: str) -> str:
    """Give a server's base address: scheme, host, port and base path, without a slash at the end.

    Raises SettingsError, with the way out, where it cannot be one. The message never shows a token or a
    password.
    """
    text, _ = split_token(pasted)
    if not text:
        raise SettingsError(f"the address of the Jupyter server is empty; enter one like {EXAMPLE}")
    if "://" not in text:
        text = f"http://{_bracketed(text)}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SettingsError(f"the address is not valid ({error}); enter one like {EXAMPLE}") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise SettingsError(
            f"the address starts with {parts.scheme}://; it must start with http:// or https://"
        )
    if not host:
        raise SettingsError(f"the address has no host name; enter one like {EXAMPLE}")
    if parts.username or parts.password:
        raise SettingsError("the address contains a user name or password; enter the token in its own field")
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc += f":{port}"
    return urlunsplit((parts.scheme.lower(), netloc, _base_path(parts.path), "", ""))


def _bracketed(text: str) -> str:
    """Put the brackets around a bare IPv6 address: `::1` is `[::1]` in an address."""
    host, slash, path = text.partition("/")
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return text
    return f"[{host}]{slash}{path}"


def _base_path(path: str) -> str:
    """Cut a path at the first page of Jupyter's own.

    `/user/lab/lab` is the server of a Hub user who is called lab: what stands right after `user` is a name.
    """
    parts, kept = [part for part in path.split("/") if part], list[str]()
    for place, part in enumerate(parts):
        hub = kept[-1:] == ["hub"] and kept[-2:-1] != ["user"]
        page = PAGE.fullmatch("/".join(parts[place:])) is not None
        if (page and kept[-1:] != ["user"]) or (hub and part != "user"):
            break
        kept = kept[:-1] if hub else kept
        kept.append(part)
    return "".join(f"/{quote(part, safe='%:@!$&()*+,;=~-._')}" for part in kept)


def lasting(base: str) -> str:
    """Return the address by which `normalise` knows a base address, now and when it is read again.

    That is itself as a rule. One that ends like a page of Jupyter's is followed by a page: `…/lab/lab`.
    """
    base = base.rstrip("/")
    return base if normalise(base) == base else f"{base}/lab"


def is_loopback(url: str) -> bool:
    """Return whether an address leads to this machine only."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in LOOPBACK_NAMES or host.lower().endswith(".localhost")


def parents(url: str) -> list[str]:
    """Return the addresses with ever fewer parts of the base path, the nearest first."""
    parts = urlsplit(url)
    path = [part for part in parts.path.split("/") if part]
    return [
        urlunsplit((parts.scheme, parts.netloc, "".join(f"/{part}" for part in path[:count]), "", ""))
        for count in range(len(path) - 1, -1, -1)
    ]
