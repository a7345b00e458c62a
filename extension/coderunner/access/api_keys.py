"""The keys to a door that has no face: who may use it, and who is who.

Whoever has a key runs code. Each key is somebody: what belongs to one is never given to another.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from coderunner.errors import SettingsError
from coderunner.private_folders import make_private
from coderunner.secret import Secret

SHORTEST = 16
"""Characters of a key that is set by hand: fewer can be guessed over a network."""

OWNER = 16
"""Characters of an owner's name: 64 bits tell any number of keys apart."""


class ApiKeys:
    """The keys that open a door."""

    def __init__(self, keys: Sequence[Secret]) -> None:
        self._keys = {owner(key): key for key in keys}

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def owner(self, authorization: str) -> str | None:
        """Who sends this Authorization header; None where it names no key of ours.

        Takes as long for a key that is nearly right as for any other.
        """
        scheme, _, given = authorization.partition(" ")
        fit = [
            name
            for name, key in self._keys.items()
            if hmac.compare_digest(key.reveal().encode(), given.strip().encode())
        ]
        return fit[0] if fit and scheme.casefold() == "bearer" else None


def owner(key: Secret) -> str:
    """A name for whoever has `key`, which does not give the key away."""
    return hashlib.sha256(b"owner of " + key.reveal().encode()).hexdigest()[:OWNER]


def named(several: Secret) -> list[Secret]:
    """The keys in a setting, one a line or separated by blanks or commas.

    Raises SettingsError where one is too short.
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
    """The key that is kept at `path`, and whether it was made just now; only its owner can read the file.

    Raises SettingsError where the file can neither be read nor made, or holds no such key.
    """
    key = Secret(secrets.token_urlsafe(24))
    try:
        make_private(path.parent)
        with suppress(FileExistsError):
            # Made with its mode, so that there is no moment in which others can read it.
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(f"{key.reveal()}\n")
            return key, True
        kept = Secret(path.read_text(encoding="utf-8", errors="replace").strip())
    except OSError as failure:
        message = f"the key in {path} cannot be read or created: {failure.strerror}"
        raise SettingsError(message) from None
    if len(kept.reveal()) < SHORTEST:
        # A disk that was full leaves an empty file, and an empty key would let everybody in.
        message = f"the key in {path} has fewer than {SHORTEST} characters; delete the file to get a new key"
        raise SettingsError(message)
    return kept, False
