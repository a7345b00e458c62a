"""The package indexes that pip and uv use on this machine: their hosts, and how a kernel gets to know them.

Read from where the two document their settings; passwords in addresses stay here.
"""

import configparser
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from coderunner.secret_sources import SHORTEST
from coderunner.secret_value import Secret
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.domains import canonical_grant, split_port

PYPI = frozenset({"pypi.org", "files.pythonhosted.org"})
"""Always among them: other indexes send there for files."""

LARGEST = 256_000
"""Bytes of a settings file that are read."""

PIP = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "find-links": "PIP_FIND_LINKS",
    "trusted-host": "PIP_TRUSTED_HOST",
}
UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


@dataclass(frozen=True, slots=True)
class PackageIndexes:
    """What the grant `packages` means on this machine."""

    hosts: frozenset[str]
    """Each as a grant."""
    environment: Mapping[str, str]
    """Variables with which pip and uv find them in a kernel that cannot read this machine's settings."""
    logins: Mapping[str, CodeSecret] = field(default_factory=dict)
    """Passwords of indexes, each by the placeholder that the variables have in its place."""


def package_indexes(environment: Mapping[str, str] | None = None) -> PackageIndexes:
    """Read what is set now. Never fails: what cannot be read names no index."""
    environment = os.environ if environment is None else environment
    variables = _pip(environment) | _uv(environment)
    addresses = [
        each for name, value in variables.items() if name != PIP["trusted-host"] for each in value.split()
    ]
    hosts = {host for each in addresses if (host := _host(each))}
    logins: dict[str, CodeSecret] = {}
    told = {
        name: " ".join(_told(each, logins) for each in value.split()) for name, value in variables.items()
    }
    if logins:
        trusted = {f"{each.host}:{each.port}" if each.port != 443 else each.host for each in logins.values()}
        told["PIP_TRUSTED_HOST"] = " ".join((told.get("PIP_TRUSTED_HOST", ""), *sorted(trusted))).strip()
    return PackageIndexes(PYPI | hosts, told, logins)


def _pip(environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in _pip_files(environment):
        settings = _ini(path)
        for section in ("global", "install"):
            if settings.has_section(section):
                found |= {PIP[name]: value for name, value in settings.items(section) if name in PIP}
    return found | {name: environment[name] for name in PIP.values() if environment.get(name)}


def _pip_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """The files of pip in its order (its user guide, "Configuration"): a later one counts."""
    named = environment.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(environment.get("HOME") or Path.home())
    if sys.platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    for each in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield Path(each, "pip", "pip.conf")
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named:
        yield Path(named)


def _ini(path: Path) -> configparser.RawConfigParser:
    settings = configparser.RawConfigParser(strict=False)
    with suppress(configparser.Error):
        settings.read_string(_text(path))
    return settings


def _uv(environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    home = Path(environment.get("HOME") or Path.home())
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "uv", "uv.toml")
    for path in (Path("/etc/uv/uv.toml"), user):
        found |= _uv_file(path)
    return found | {name: environment[name] for name in UV if environment.get(name)}


def _uv_file(path: Path) -> dict[str, str]:
    try:
        settings: dict[str, Any] = tomllib.loads(_text(path))
    except (ValueError, RecursionError):
        return {}
    indexes = [each for each in _list(settings.get("index")) if isinstance(each, dict)]
    default = [each.get("url") for each in indexes if each.get("default") is True] or [
        settings.get("index-url")
    ]
    others = [each.get("url") for each in indexes if each.get("default") is not True]
    return {
        name: " ".join(texts)
        for name, values in (
            ("UV_DEFAULT_INDEX", default[:1]),
            ("UV_INDEX", [*others, *_list(settings.get("extra-index-url"))]),
        )
        if (texts := [value for value in values if isinstance(value, str)])
    }


def _list(value: object) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(LARGEST)
    except (OSError, ValueError):
        return ""


def _address(word: str) -> str:
    """The address of an index; uv's may have a name before it (`NAME=https://…`)."""
    name, equals, address = word.partition("=")
    return address if equals and name.replace("-", "").replace("_", "").isalnum() else word


def _host(word: str) -> str:
    """The grant of an index's host; empty for a folder and for what is no address."""
    with suppress(ValueError):
        parts = urlsplit(_address(word))
        if parts.scheme in ("http", "https") and parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return canonical_grant(f"{host}:{parts.port}" if parts.port else host)
    return ""


def _told(word: str, logins: dict[str, CodeSecret]) -> str:
    """An address as a kernel gets to know it: a placeholder has the place of a password, or nothing."""
    address = _address(word)
    if "@" not in address:
        return word
    with suppress(ValueError):
        parts = urlsplit(address)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
        host, password = _host(word), unquote(parts.password or parts.username or "")
        if parts.scheme == "https" and host and len(password) >= SHORTEST:
            placeholder = f"coderunner-index-{token_hex(12)}"
            logins[placeholder] = CodeSecret("", *_at(host), Secret(password))
            user = f"{parts.username}:{placeholder}" if parts.password else placeholder
            # By http, so that the proxy can put the password in; it goes on by https.
            bare = bare._replace(scheme="http", netloc=f"{user}@{bare.netloc}")
        return word.removesuffix(address) + urlunsplit(bare)
    return ""


def _at(host: str) -> tuple[str, int]:
    name, port = split_port(host)
    return name, port or 443
