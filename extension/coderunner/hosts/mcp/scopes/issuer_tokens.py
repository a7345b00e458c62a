"""Access tokens of an OAuth issuer (RFC 9068), which are verified here and go no further."""

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from mcp.server.auth.provider import AccessToken, TokenVerifier

from coderunner.access.api_keys import OWNER
from coderunner.hosts.mcp.scopes.issuer_keys import IssuerKeys
from coderunner.hosts.mcp.scopes.scopes import SCOPES

log = logging.getLogger(__name__)

ALGORITHMS = (*("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"),)
"""Signatures with a public key; with any other, whoever knows the public key could sign."""
LEEWAY = 30.0
"""Seconds by which clocks may differ."""
LONGEST = 16_000
"""Characters of a token."""
REQUIRED = ("exp", "iss", "aud", "sub")


class IssuerTokens(TokenVerifier):
    """Verifies that a token is the issuer's, for this server, and not over."""

    def __init__(self, issuer: str, resource: str, keys: IssuerKeys | None = None) -> None:
        """`resource`: the address of this server, for which a token must be (RFC 8707)."""
        self._issuer, self._resource = issuer, resource.rstrip("/")
        self._keys = keys or IssuerKeys(issuer)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whose a token is, and what it allows, without itself; None where it is not accepted."""
        if len(token) > LONGEST:
            return None
        try:
            claims = await self._claims(token)
        except (PyJWTError, ValueError, RecursionError, ArithmeticError) as refused:
            # Nothing of the token is said: it may be a good one, for somebody else.
            log.info("A token is not accepted (%s)", type(refused).__name__)
            return None
        return AccessToken(
            token="",
            client_id=_owner(self._issuer, str(claims["sub"])),
            scopes=[each for each in SCOPES if each in _scopes(claims)],
            expires_at=int(claims["exp"]),
            resource=self._resource,
        )

    async def _claims(self, token: str) -> dict[str, Any]:
        head = jwt.get_unverified_header(token)
        if head.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError("its algorithm is not one of a public key")
        key = await self._keys.find(str(head.get("kid") or ""))
        if key is None:
            raise jwt.InvalidKeyError("its key is not one of the issuer's")
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=ALGORITHMS,
            issuer=self._issuer,
            audience=[self._resource, f"{self._resource}/"],
            leeway=LEEWAY,
            options={"require": [*REQUIRED]},
        )
        return claims


def _owner(issuer: str, subject: str) -> str:
    """A name for a person; nobody's key has the same."""
    return hashlib.sha256(f"person of {issuer}\n{subject}".encode("utf-8", "replace")).hexdigest()[:OWNER]


def _scopes(claims: Mapping[str, object]) -> list[str]:
    """The scopes of a token: a text (RFC 8693), or a list as some issuers have it."""
    told = claims.get("scope", claims.get("scp"))
    if isinstance(told, str):
        return told.split()
    return [str(each) for each in told] if isinstance(told, list) else []
