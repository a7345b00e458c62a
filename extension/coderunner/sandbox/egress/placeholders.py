"""Secrets of the code: placeholders inside, values outside, put in and taken out on the way. Pure.

The values are in requests to their own host only, in headers only, and over TLS only.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from secrets import token_hex

from coderunner.sandbox.egress.http_heads import Headers, Malformed
from coderunner.sandbox.egress.targets import Target
from coderunner.settings.code_secrets import CodeSecret

LARGEST = 65_536
"""Bytes of a request's headers with the values put in."""


class Placeholders:
    """The secrets of one process, and what stands for each."""

    def __init__(
        self, secrets: Iterable[CodeSecret] = (), logins: Mapping[str, CodeSecret] | None = None
    ) -> None:
        """`logins` are by their placeholder already, and grant nothing."""
        own = {f"coderunner-{each.name}-{token_hex(12)}": each for each in secrets}
        self._held = own | dict(logins or {})
        self.hosts = frozenset(str(Target(each.host, each.port)) for each in own.values())
        """The hosts of the secrets, as grants: who gives code a secret for a host lets it reach that."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the code finds in its environment, also where it would inherit the value from ours."""
        return {
            name: placeholder
            for placeholder, secret in self._held.items()
            for name in (secret.variable, secret.name)
            if name
        }

    def of(self, target: Target) -> "Held | None":
        """The secrets for a target; a plain request on port 80 is for the host's port 443."""
        port = 443 if target.port == 80 else target.port
        fitting = {
            placeholder.encode(): secret.value.reveal().encode()
            for placeholder, secret in self._held.items()
            if (secret.host, secret.port) == (target.host, port)
        }
        return Held(Target(target.host, port), fitting) if fitting else None


@dataclass(frozen=True, slots=True)
class Held:
    """The secrets for one target."""

    target: Target
    """Where TLS is spoken."""
    values: Mapping[bytes, bytes]
    """By placeholder."""

    def put_in(self, headers: Headers) -> tuple[Headers, "Concealment"]:
        """Put the values into the headers of a request. Raises Malformed where they get too long.

        What comes back shows neither the values nor the headers that they are in.
        """
        concealed = {value: placeholder for placeholder, value in self.values.items()}
        changed: list[tuple[bytes, bytes]] = []
        for name, value in headers:
            filled = self._filled(value)
            if filled != value:
                concealed[filled] = value
            changed.append((name, filled))
        if sum(len(name) + len(value) for name, value in changed) > LARGEST:
            raise Malformed("its headers are too long")
        return tuple(changed), Concealment(concealed)

    def _filled(self, value: bytes) -> bytes:
        scheme, blank, credentials = value.partition(b" ")
        if blank and scheme.lower() == b"basic":
            try:
                plain = base64.b64decode(credentials, validate=True)
            except ValueError:
                return value
            filled = self._replaced(plain)
            return value if filled == plain else scheme + blank + base64.b64encode(filled)
        return self._replaced(value)

    def _replaced(self, value: bytes) -> bytes:
        for placeholder, secret in self.values.items():
            value = value.replace(placeholder, secret)
        return value


class Concealment:
    """Takes out of a response what was put into the request."""

    def __init__(self, shown_as: Mapping[bytes, bytes]) -> None:
        self._shown_as = shown_as
        self._longest = max(map(len, shown_as))
        # The longest first: of two values, one may begin as the other.
        self._any = re.compile(b"|".join(map(re.escape, sorted(shown_as, key=len, reverse=True))))
        self._tail = b""

    def conceal(self, text: bytes) -> bytes:
        """Take the values out of one text."""
        return self._any.sub(lambda found: self._shown_as[found[0]], text)

    def receive(self, piece: bytes, *, last: bool = False) -> bytes:
        """Take the values out of a stream, also where they lie across pieces."""
        text = self._tail + piece
        # A value that begins later may go on in the next piece.
        certain = len(text) if last else max(0, len(text) - self._longest + 1)
        done: list[bytes] = []
        position = 0
        for found in self._any.finditer(text):
            if found.start() >= certain:
                break
            done += (text[position : found.start()], self._shown_as[found[0]])
            position = found.end()
        kept = max(position, certain)
        done.append(text[position:kept])
        self._tail = text[kept:]
        return b"".join(done)
