"""Types of settings: how a value is read from text, and what it may be."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BeforeValidator, Field, InstanceOf
from pydantic_settings import NoDecode

from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret, read_code_secrets
from coderunner.settings.domains import NOT_A_DOMAIN, THIS_MACHINE, canonical_grant
from coderunner.tools.tool_servers import ToolServer, read_tool_servers

Continuation = Literal[
    "auto", "flags", "trailing", "continue", "prefix", "prefix-beta", "partial", "raw", "next-turn", "tools"
]
"""How a reply is continued."""

Topic = Literal["kernel", "sandbox", "tools", "model", "network", "keys", "proxy", "app", "people", "kept"]
"""The topic of a setting, under which help and documentation list it."""


def _seal(value: object) -> object:
    return Secret(value.strip()) if isinstance(value, str) else value


Sealed = Annotated[InstanceOf[Secret], BeforeValidator(_seal)]


def _paired(value: object) -> object:
    """A table, even if written on one line."""
    if not isinstance(value, str):
        return value
    pairs = [pair.rpartition("=") for pair in value.split(",") if pair.strip()]
    if not all(name.strip() for name, _, _ in pairs):
        message = "pairs like `gpt-*=tools, qwen3=raw`"
        raise ValueError(message)
    return {name.strip(): way.strip() for name, _, way in pairs}


Continuations = Annotated[dict[str, Continuation], NoDecode, BeforeValidator(_paired)]


def _listed(value: object) -> object:
    """A list, even if written on one line with commas."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _folders(value: object) -> object:
    value = _listed(value)
    if not isinstance(value, list | tuple):
        return value
    paths = [Path(each).expanduser() for each in value if isinstance(each, str | Path)]
    if len(paths) != len(value) or not all(path.is_absolute() for path in paths):
        message = "complete paths like /srv/data or ~/data, separated by commas"
        raise ValueError(message)
    return tuple(paths)


def _modules(value: object) -> object:
    value = _listed(value)
    if not isinstance(value, list | tuple):
        return value
    names = tuple(value)
    if names != ("off",) and not all(
        isinstance(each, str) and all(part.isidentifier() for part in each.split(".")) for each in names
    ):
        message = "names of modules like numpy, matplotlib.pyplot, separated by commas, or off"
        raise ValueError(message)
    return names


def _hosts(value: object) -> object:
    value = _listed(value)
    if not isinstance(value, list | tuple):
        return value
    try:
        return tuple(canonical_grant(each) for each in value)
    except (AttributeError, ValueError) as failure:
        message = THIS_MACHINE if THIS_MACHINE in str(failure) else f"{NOT_A_DOMAIN}, separated by commas"
        raise ValueError(message) from None


_PATH = re.compile(r"(?:/[\w.~@%!$&'()*+,=:-]+)*", re.ASCII)
"""What addresses have between their slashes, but for the semicolon, at which the path of a cookie ends."""


def _below(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = [part for part in value.strip().split("/") if part]
    whole = "".join(f"/{part}" for part in parts)
    if "://" in value or not _PATH.fullmatch(whole) or {".", ".."} & set(unquote(whole).split("/")):
        message = "a path like /coderunner"
        raise ValueError(message)
    return whole


def _on_server(value: object) -> object:
    if not isinstance(value, str) or (value := value.strip()) in ("", "/"):
        return value
    parts = value.rstrip("/").split("/")
    if {"", ".", "..", "~"} & set(parts) or "\\" in value or not value.isprintable():
        message = "a folder within the server's, such as data/sales, or / for the server's own"
        raise ValueError(message)
    return "/".join(parts)


BasePath = Annotated[str, BeforeValidator(_below)]
"""A path as in an address, to which others are appended: begins with a slash and does not end with one."""
Folders = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_folders)]
Modules = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_modules)]
Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)]
ServerFolder = Annotated[str, BeforeValidator(_on_server)]
"""A folder on a Jupyter server, from the server's own: its names joined by slashes, `/`, or empty."""
ToolServers = Annotated[tuple[InstanceOf[ToolServer], ...], NoDecode, BeforeValidator(read_tool_servers)]
CodeSecrets = Annotated[tuple[InstanceOf[CodeSecret], ...], NoDecode, BeforeValidator(read_code_secrets)]


def setting(default: object, what: str, topic: Topic, **limits: Any) -> Any:  # noqa: ANN401 - as Field itself
    """A setting with its default, what help says of it, and the topic under which it is listed."""
    return Field(default, description=what, json_schema_extra={"topic": topic}, **limits)
