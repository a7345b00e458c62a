"""Whose a key is, and what it may do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from coderunner.access import access_settings, api_keys
from coderunner.access.api_keys import SHORTEST, ApiKeys, digest_of
from coderunner.errors import SettingsError
from coderunner.hosts.mcp.scopes.scopes import ALL, SCOPES, Scopes
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

_ENTRY = re.compile(r"(?P<user>[^:]+):(?P<key>.+):(?P<scopes>[a-z,]+)")
WRONG = (
    "scoped_key has an entry that is not USER:KEY:SCOPES, such as alice:aVeryLongRandomKey:read,run; a key "
    f"has at least {SHORTEST} characters, and the scopes are {', '.join(SCOPES)}"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client has."""

    owner: str
    """Whose its sessions are."""
    scopes: Scopes = ALL


@dataclass(frozen=True, slots=True)
class Grants:
    """The keys that the server accepts."""

    api_keys: ApiKeys
    scoped: Mapping[str, Grant]
    """Those that may do less, by the digests of their keys."""

    def of(self, name: str) -> Grant:
        """The grant of a key's owner, as `api_keys` names it."""
        return self.scoped.get(name) or Grant(name)


def load(settings: Settings, what: str, say: Callable[[str], None]) -> Grants:
    """The keys of the settings, or one of the server's own. Raises SettingsError."""
    scoped = scoped_grants(settings.scoped_key)
    users = {each.owner for each in scoped.values()}
    plain = api_keys.named(settings.api_key)
    if scoped and not settings.server:
        access_settings.keep_apart(settings, len(users) + len(plain))
    digests = {digest: digest for digest in scoped}
    if scoped and not plain:
        return Grants(ApiKeys((), digests), scoped)
    known = access_settings.load_api_keys(settings, what, say)
    return Grants(ApiKeys(plain, digests) if plain else known, scoped)


def several_users(settings: Settings) -> bool:
    """Whether the server may have more than one user."""
    users = {each.owner for each in scoped_grants(settings.scoped_key).values()}
    return bool(settings.oauth_issuer) or len(users) + len(api_keys.named(settings.api_key)) > 1


def scoped_grants(entries: Secret) -> dict[str, Grant]:
    """The grants of the setting `scoped_key`, by the digests of their keys. Raises SettingsError."""
    found: dict[str, Grant] = {}
    for entry in entries.reveal().split():
        parts = _ENTRY.fullmatch(entry)
        scopes = frozenset(parts["scopes"].split(",")) if parts else frozenset()
        if parts is None or not scopes or not scopes <= ALL or len(parts["key"]) < SHORTEST:
            raise SettingsError(WRONG)
        found[digest_of(parts["key"])] = Grant(api_keys.owner(Secret(f"user {parts['user']}")), scopes)
    return found
