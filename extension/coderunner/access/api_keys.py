"""API keys: who may use a host without a page, and which user is which.

Whoever has a key can run code. Each key is a user of its own: what belongs to one is never given to another.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from coderunner.errors import SettingsError
from coderunner.private_folders import make_private
from coderunner.secret_value import Secret

SHORTEST = 16
"""The fewest characters of a key that a person sets: a shorter one can be guessed over a network."""

OWNER = 16
"""Characters of an owner's name: 64 bits are enough to keep any number of keys apart."""


class ApiKeys:
    """The keys that a host accepts, as digests; they may be replaced while it runs."""

    def __init__(self, keys: Sequence[Secret] = (), owners: Mapping[str, str] | None = None) -> None:
        """`owners`: further keys, by their digests, each with its owner's name."""
        self._owners = {digest_of(key.reveal()): owner(key) for key in keys} | dict(owners or {})

    def __contains__(self, name: object) -> bool:
        return name in self._owners.values()

    def owner(self, authorization: str) -> str | None:
        """The owner of the key in this Authorization header; None if it has no valid key.

        Nobody can tell by the time how much of a key is right: what is looked up is its digest.
        """
        given = bearer(authorization)
        return self._owners.get(digest_of(given)) if given else None

    def replace(self, others: "ApiKeys") -> None:
        """Accept these keys from now on, and no others."""
        self._owners = others._owners


def bearer(authorization: str) -> str:
    """The key that an Authorization header carries; empty where it carries none."""
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.casefold() == "bearer" else ""


def digest_of(key: str) -> str:
    """The SHA-256 of a key. A key of ours has 192 random bits, so no slower function is needed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def owner(key: Secret) -> str:
    """A name for the owner of `key`; the key cannot be told from it."""
    return hashlib.sha256(b"owner of " + key.reveal().encode()).hexdigest()[:OWNER]


def new_key() -> Secret:
    """A key that nobody can guess."""
    return Secret(secrets.token_urlsafe(24))


def named(several: Secret) -> list[Secret]:
    """The keys in a setting, separated by blanks, commas or line ends.

    Raises SettingsError if one is too short.
    """
    keys = [Secret(key) for key in re.split(r"[\s,]+", several.reveal()) if key]
    if any(len(key.reveal()) < SHORTEST for key in keys):
        message = (
            f"api_key has a key of fewer than {SHORTEST} characters, which is easy to guess; to make one: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
        )
        raise SettingsError(message)
    return keys


def own(path: Path) -> tuple[Secret, bool]:
    """The key stored at `path`, and whether it is new; only the file's owner can read it.

    Raises SettingsError if the file can neither be read nor created, or holds no usable key.
    """
    key = new_key()
    try:
        make_private(path.parent)
        with suppress(FileExistsError):
            # Created with its mode, so that others can never read it.
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(f"{key.reveal()}\n")
            return key, True
        stored = Secret(path.read_text(encoding="utf-8", errors="replace").strip())
    except OSError as failure:
        message = f"the key in {path} cannot be read or created: {failure.strerror}"
        raise SettingsError(message) from None
    if len(stored.reveal()) < SHORTEST:
        # A full disk leaves an empty file, and an empty key would let everybody in.
        message = f"the key in {path} has fewer than {SHORTEST} characters; delete the file to get a new key"
        raise SettingsError(message)
    return stored, False
