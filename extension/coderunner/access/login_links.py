"""Links that let one browser in each, as a terminal prints them."""

import hmac
import secrets
from urllib.parse import parse_qsl, urlencode

from coderunner.secret_value import Secret

PARAMETER = "token"
"""The parameter of a link's address, named as Jupyter names it."""

MOST = 50
"""Unused links that are still good: a person who presses Enter for a while loses only the oldest."""


class LoginLinks:
    """The links of one start that nobody has used yet. May be used from any thread."""

    def __init__(self) -> None:
        self._unused: list[Secret] = []

    def new(self, address: str) -> Secret:
        """A link to the app at `address`, which has no slash at its end; it is good for one `redeem`."""
        token = Secret(secrets.token_urlsafe(24))
        self._unused = [*self._unused[1 - MOST :], token]
        return Secret(f"{address}/?{PARAMETER}={token.reveal()}")

    def redeem(self, token: str) -> bool:
        """Whether `token` is that of an unused link, which is used from now on.

        Takes as long for a token that is nearly right as for any other.
        """
        given = token.encode(errors="replace")
        found = [each for each in self._unused if hmac.compare_digest(each.reveal().encode(), given)]
        try:
            for each in found:
                self._unused.remove(each)
        except ValueError:  # another thread was first
            return False
        return bool(found)


def taken_out(query: str) -> tuple[str | None, str]:
    """The token in the query of an address, None if there is none, and the query without it."""
    pairs = parse_qsl(query, keep_blank_values=True)
    tokens = [value for name, value in pairs if name == PARAMETER]
    rest = urlencode([(name, value) for name, value in pairs if name != PARAMETER])
    return (tokens[-1] if tokens else None), rest
