"""The team file: TOML with a table for each user. No message of ours holds a key or a token of it."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from coderunner.access.api_keys import SHORTEST, digest_of
from coderunner.errors import SettingsError
from coderunner.hosts.proxy.team.limiter import Limits
from coderunner.hosts.proxy.team.members import Member, owner_of
from coderunner.runner import Server
from coderunner.secret_value import Secret
from coderunner.settings.messages import MAY_BE, authority
from coderunner.settings.sources import read_toml

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
OTHERS = stat.S_IRWXG | stat.S_IRWXO

MOST_BLOCKS = 10_000
"""Blocks a minute: the moment of each is remembered for as long."""


@dataclass(frozen=True, slots=True)
class TeamFile:
    """What the file says."""

    owners: Mapping[str, str]
    """The owner of each key, by the key's digest."""
    members: Mapping[str, Member]
    """The members, by owner."""
    remarks: Sequence[str] = ()
    """Sentences on what should be changed, though it works."""


def _strings(value: object) -> object:
    return [value] if isinstance(value, str) else value


Strings = Annotated[list[str], BeforeValidator(_strings)]


class _Use(BaseModel):
    """Limits, and where code runs."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    kernels: int | None = Field(None, ge=0, le=10_000)
    blocks_per_minute: int | None = Field(None, ge=0, le=MOST_BLOCKS)
    tokens_per_day: int | None = Field(None, ge=0, le=2**53)
    server: str | None = None
    token: str | None = None
    token_file: str | None = None
    ca_file: str | None = None
    kernel_name: str | None = None


class _User(_Use):
    key: Strings = []
    key_sha256: Strings = []


class _Team(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    defaults: _Use = _Use.model_validate({})
    users: dict[str, _User] = Field(min_length=1)


def read(path: Path) -> TeamFile:
    """Read a team file. Raises SettingsError, whose sentence names the file, the user and the field."""
    try:
        team = _Team.model_validate(read_toml(path, required=True))
    except ValidationError as failure:
        # Without `from`: the original error holds the values, secrets among them.
        raise SettingsError(_sentence(path, failure)) from None
    owners: dict[str, str] = {}
    members: dict[str, Member] = {}
    for name, user in team.users.items():
        here = f"{path}: users.{name}"
        if not NAME.fullmatch(name):
            message = f"{path}: a user's name may have letters, digits and ._@-, and {name[:64]!r} has others"
            raise SettingsError(message)
        owner = owner_of(name)
        for digest in _digests(user, here):
            if owners.setdefault(digest, owner) != owner:
                raise SettingsError(f"{here} has the key of another user; each user needs a separate key")
        members[owner] = Member(name, owner, _limits(user, team.defaults), _server(user, team.defaults, here))
    return TeamFile(owners, members, tuple(_remarks(path, team)))


def _digests(user: _User, here: str) -> Iterator[str]:
    if not (user.key or user.key_sha256):
        raise SettingsError(f"{here} has no key; to make one: coderunner key")
    for key in user.key:
        if len(key) < SHORTEST:
            message = (
                f"{here}.key has fewer than {SHORTEST} characters, which is easy to guess; to make one: "
            )
            raise SettingsError(f"{message}coderunner key")
        yield digest_of(key)
    for digest in user.key_sha256:
        if not DIGEST.fullmatch(digest):
            message = f"{here}.key_sha256 must be 64 hexadecimal digits, as `coderunner key` prints them"
            raise SettingsError(message)
        yield digest


def _limits(user: _User, defaults: _Use) -> Limits:
    fields = ("kernels", "blocks_per_minute", "tokens_per_day")
    return Limits(**{name: _first(getattr(user, name), getattr(defaults, name), 0) for name in fields})


def _server(user: _User, defaults: _Use, here: str) -> Server | None:
    its = user if user.server is not None else defaults
    if not its.server:
        if user.token is not None or user.token_file is not None:
            raise SettingsError(f"{here} has a token but no server; set the server too")
        return None
    if not its.server.startswith(("http://", "https://")) or "@" in authority(its.server):
        raise SettingsError(f"{here}.server must be an address like http://127.0.0.1:8888")
    token = _token(user, here) or _token(its, here)
    kernel = _first(user.kernel_name, defaults.kernel_name, "python3")
    return Server(its.server, Secret(token), kernel, _first(user.ca_file, its.ca_file, ""))


def _token(use: _Use, here: str) -> str:
    if not use.token_file:
        return use.token or ""
    path = Path(use.token_file).expanduser()
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        raise SettingsError(f"{here}.token_file: {path} cannot be read") from None
    line = re.search(r"(?m)^[A-Z_]*TOKEN=(\S+)$", text)
    return line[1] if line else text


def _first(*values: Any) -> Any:  # noqa: ANN401 - of one type each time
    return next(value for value in values if value is not None)


def _remarks(path: Path, team: _Team) -> Iterator[str]:
    open_to = os.name == "posix" and path.stat().st_mode & OTHERS
    secrets = any(user.key or user.token for user in (*team.users.values(),)) or team.defaults.token
    if open_to and secrets:
        yield f"{path} has keys or tokens, and other users of this machine can read it; run: chmod 600 {path}"


def _sentence(path: Path, failure: ValidationError) -> str:
    first = failure.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(each)[:64] for each in first["loc"][:3])
    if first["type"] == "extra_forbidden":
        known = ", ".join([*_User.model_fields] if first["loc"][0] == "users" else [*_Team.model_fields])
        return f"{path}: {place} is unknown; known are: {known}"
    if first["type"] in ("missing", "too_short"):
        return f"{path} has no users; add a table like [users.alice] with a key"
    context = first.get("ctx", {})
    may_be = MAY_BE.get(first["type"], first["msg"]).format(**context)
    return f"{path}: {place} must be {may_be}"
