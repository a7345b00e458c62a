"""The person whom a reverse proxy names in a header, believed only if the proxy proves itself.

It does so by a secret that it sends along, or by having come through a Unix socket, which the rights of files
keep others from. An address proves nothing: every program of this machine has that of loopback.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field

from coderunner.access.origins import Receive, Scope, Send
from coderunner.secret_value import Secret

SECRET_HEADER = "X-CodeRunner-Proxy-Secret"  # noqa: S105 - its name
LONGEST = 256
"""Characters of a name: an address of e-mail has at most 254, and whoever sends more means no good."""

NOT_FROM_PROXY = (
    "CodeRunner is reached through its reverse proxy only; this request does not come from there."
)
NO_NAME = "The reverse proxy did not say who you are: each request must have the header {header} once."
NOT_A_NAME = (
    "The reverse proxy sent a name that is none: the header {header} must have 1 to {longest} characters of "
    "UTF-8, and no control characters."
)


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A Jupyter server of a person's own, and what it takes."""

    url: str
    token: Secret


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name. Names are compared as they are: one more letter is another person."""

    name: str
    server: OwnServer | None = field(default=None, compare=False)
    """Where their code runs, if not where everybody's does."""

    @property
    def folder(self) -> str:
        """A name for the person's files that no other person has, and that holds nothing of the name."""
        return hashlib.sha256(self.name.encode()).hexdigest()


class NotAdmittedError(Exception):
    """A request that is not let in; its text is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class ReverseProxy:
    """What is known of the reverse proxy before the app."""

    header: str
    """The header in which it names the person."""
    secret: Secret
    """What it proves itself with; empty: only the proxy can open the socket that we listen on."""

    def prove(self, scope: Scope) -> None:
        """Raise NotAdmittedError unless the request comes from the proxy.

        Takes as long for a secret that is nearly right as for any other.
        """
        if not self.secret:
            return
        sent = _all(scope, SECRET_HEADER)
        if len(sent) != 1 or not hmac.compare_digest(sent[0], self.secret.reveal().encode()):
            raise NotAdmittedError(NOT_FROM_PROXY)

    async def admit(self, scope: Scope, _receive: Receive, _send: Send) -> Person:
        """The person of a request; raises NotAdmittedError if there is none."""
        return self.person(scope)

    def person(self, scope: Scope) -> Person:
        """The person of a request that comes from the proxy; raises NotAdmittedError if there is none."""
        self.prove(scope)
        sent = _all(scope, self.header)
        if len(sent) != 1 or not sent[0].strip():
            raise NotAdmittedError(NO_NAME.format(header=self.header))
        name = _text(sent[0])
        if not 0 < len(name) <= LONGEST or not all(map(_may_be_in_a_name, name)):
            raise NotAdmittedError(NOT_A_NAME.format(header=self.header, longest=LONGEST))
        return Person(name)


def _text(sent: bytes) -> str:
    """What was sent, as text; empty if it is none."""
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return ""


def _may_be_in_a_name(character: str) -> bool:
    """Not control characters, not those that cannot be seen or change the direction of what stands around."""
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


def _all(scope: Scope, name: str) -> list[bytes]:
    wanted = name.lower().encode()
    return [value for key, value in scope["headers"] if key.lower() == wanted]
