"""The MCP servers of the setting `tools`: how each is reached, with which secrets."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from coderunner.secret_sources import VARIABLE, value_at
from coderunner.secret_value import Secret

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
"""It may stand before the name of a tool."""
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
BEARER = "Authorization"
HERE = frozenset({"127.0.0.1", "localhost", "::1"})

FORM = (
    "a table of names, each like { command = 'uvx mcp-server-git' } or { url = 'https://example.com/mcp', "
    "file = '~/its-token' }; on one line: git=uvx mcp-server-git, web=https://example.com/mcp@~/its-token"
)
KEYS = frozenset({"command", "environment", "url", "file", "variable", "header"})


@dataclass(frozen=True, slots=True)
class ToolServer:
    """One MCP server: a program that we start, or an address."""

    name: str
    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, Secret], ...] = ()
    """Variables that the program gets beside the harmless ones."""
    url: str = ""
    header: str = BEARER
    secret: Secret = field(default_factory=Secret)
    """The value of that header; after `Bearer`, where it is the usual one."""
    variables: tuple[str, ...] = ()
    """The variables of ours that hold its secrets."""

    def __str__(self) -> str:
        """What a person may read of it: arguments and queries may hold secrets."""
        return f"{self.name}: {self.url.partition('?')[0] or self.command[0]}"

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each request, laid open."""
        if not self.secret:
            return {}
        value = self.secret.reveal()
        return {self.header: f"Bearer {value}" if self.header == BEARER else value}


def read_tool_servers(given: object) -> tuple[ToolServer, ...]:
    """Read servers from a table or a line. Raises ValueError, whose text holds no secret."""
    if isinstance(given, tuple) and all(isinstance(each, ToolServer) for each in given):
        return given
    if isinstance(given, str):
        pairs = [pair.partition("=") for pair in given.split(",") if pair.strip()]
        given = {name.strip(): _written(place.strip()) for name, _, place in pairs}
    if not isinstance(given, Mapping):
        raise ValueError(FORM)
    return tuple(_server(name, place) for name, place in given.items())


def as_plain(server: ToolServer) -> dict[str, object]:
    """A server as JSON, its secrets laid open: for the pipe to a process of ours."""
    return {
        "name": server.name,
        "command": server.command,
        "environment": [(name, value.reveal()) for name, value in server.environment],
        "url": server.url,
        "header": server.header,
        "secret": server.secret.reveal(),
    }


def from_plain(plain: Mapping[str, object]) -> ToolServer:
    """The server that `as_plain` was given; its variables stay with us."""
    fields: dict[str, object] = {**plain, "command": tuple(plain["command"])}  # type: ignore[arg-type]
    pairs: list[tuple[str, str]] = plain["environment"]  # type: ignore[assignment]
    fields["environment"] = tuple((name, Secret(value)) for name, value in pairs)
    fields["secret"] = Secret(str(plain["secret"]))
    return ToolServer(**fields)  # type: ignore[arg-type]


def _written(place: str) -> dict[str, object]:
    """What stands on one line: a command, or an address with the source of its secret after the last `@`."""
    if not place.startswith(("http://", "https://")):
        return {"command": place}
    url, at, source = place.rpartition("@")
    if not at or not source.startswith(("~", "/", "$")):
        return {"url": place}
    return {"url": url, **({"variable": source[1:]} if source.startswith("$") else {"file": source})}


def _server(name: object, place: object) -> ToolServer:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"servers with short names of small letters, like web or git_log; {FORM}")
    if (
        not isinstance(place, Mapping)
        or not KEYS.issuperset(place)
        or ("url" in place) is ("command" in place)
    ):
        raise ValueError(FORM)
    return _address(name, place) if "url" in place else _program(name, place)


def _address(name: str, place: Mapping[str, object]) -> ToolServer:
    url, header = place["url"], place.get("header", BEARER)
    if not isinstance(url, str) or not isinstance(header, str) or not HEADER.fullmatch(header):
        raise ValueError(FORM)
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or "environment" in place or {"file", "variable"} <= place.keys():
        raise ValueError(FORM)
    source = f"${place['variable']}" if "variable" in place else place.get("file", "")
    if not isinstance(source, str) or ("header" in place and not source):
        raise ValueError(FORM)
    if source and parts.scheme == "http" and parts.hostname not in HERE:
        raise ValueError(f"servers with an https address where a secret is sent; {name} has another")
    secret = Secret(value_at(source, name)) if source else Secret()
    return ToolServer(name, url=url, header=header, secret=secret, variables=_ours([source]))


def _program(name: str, place: Mapping[str, object]) -> ToolServer:
    command, given = place["command"], place.get("environment", {})
    try:
        words = shlex.split(command) if isinstance(command, str) else command
    except ValueError:
        raise ValueError(FORM) from None
    texts = isinstance(words, list | tuple) and bool(words) and all(isinstance(each, str) for each in words)
    if not texts or not isinstance(given, Mapping) or {"file", "variable", "header"} & place.keys():
        raise ValueError(FORM)
    sources: dict[str, str] = {}
    for variable, source in given.items():
        if not VARIABLE.fullmatch(str(variable)) or not isinstance(source, str):
            raise ValueError(f"variables, each with a file or $VARIABLE that has its value; {FORM}")
        sources[variable] = source
    environment = tuple((each, Secret(value_at(source, each))) for each, source in sources.items())
    return ToolServer(name, tuple(words), environment, variables=_ours(sources.values()))  # type: ignore[arg-type]


def _ours(sources: Iterable[str]) -> tuple[str, ...]:
    return tuple(each[1:] for each in sources if each.startswith("$"))
