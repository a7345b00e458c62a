"""The cookie of a browser that has been let in: signed, so that nothing has to be remembered for it."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from coderunner.access.origins import Scope, host_of, root_of
from coderunner.secret_value import Secret

LASTS = 30 * 86_400
"""Seconds that a browser stays logged in after its last visit, as with Jupyter."""

RENEWED = 86_400
"""Seconds after which a visit gets a new cookie."""

MOST = 10
"""Cookies of our name that are looked at: a browser may send several, and anybody any number."""


class LoginCookies:
    """Makes and knows cookies that are signed with one key: they outlive a restart if the key does."""

    def __init__(self, key: Secret, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    def derived(self, purpose: str) -> str:
        """A secret for another purpose, the same for the same key; no cookie can be told from it."""
        return self._signature(purpose, "")

    def header(self, scope: Scope) -> bytes:
        """A Set-Cookie header for the browser that sent a request.

        No script can read it, and no other site makes the browser send it.
        """
        said = f"{int(self._clock())}.{secrets.token_hex(8)}"
        value = f"{said}.{self._signature('cookie', said)}"
        path = f"{root_of(scope)}/"
        return f"{_name(scope)}={value}; Max-Age={LASTS}; Path={path}; HttpOnly; SameSite=Strict".encode()

    def age(self, scope: Scope) -> float | None:
        """Seconds since the cookie of a request was made; None if it has no valid one."""
        ages = [age for value in self._sent(scope) if (age := self._age(value)) is not None]
        return min(ages, default=None)

    def _age(self, value: str) -> float | None:
        said, _, signature = value.rpartition(".")
        if not hmac.compare_digest(self._signature("cookie", said).encode(), signature.encode()):
            return None
        age = self._clock() - int(said.partition(".")[0])
        return age if age < LASTS else None

    def _signature(self, purpose: str, said: str) -> str:
        return hmac.new(self._key.reveal().encode(), f"{purpose}:{said}".encode(), hashlib.sha256).hexdigest()

    def _sent(self, scope: Scope) -> list[str]:
        name = _name(scope)
        return [value for key, value in _cookies(scope) if key == name][:MOST]


def _cookies(scope: Scope) -> Iterator[tuple[str, str]]:
    for header, value in scope["headers"]:
        if header.lower() == b"cookie":
            for each in value.decode("latin-1").split(";"):
                name, _, content = each.strip().partition("=")
                yield name, content


def _name(scope: Scope) -> str:
    """The cookie's name: browsers send a cookie to every port of a host, so the name has the port.

    That of the address that the browser knows: through a tunnel it is another one than ours.
    """
    port = None
    with suppress(ValueError):
        port = urlsplit(f"//{host_of(scope)}").port
    return f"coderunner-{port or (443 if scope.get('scheme') in ('https', 'wss') else 80)}"
