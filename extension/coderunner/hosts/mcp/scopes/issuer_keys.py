"""The public keys of an OAuth issuer, as it publishes them."""

import asyncio
import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx2
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from coderunner.access.origins import LOOPBACK
from coderunner.errors import UnreadableJSON
from coderunner.text import json_reader

log = logging.getLogger(__name__)

LASTS = 600.0
"""Seconds after which the keys are asked for again."""
RESTS = 30.0
"""Seconds between two questions: whoever sends tokens with made-up keys must not have the issuer flooded."""
ANSWERS = 5.0
"""Seconds within which an issuer answers."""
LARGEST = 1_000_000
"""Bytes of an answer: a set of keys has some thousand."""
UNASKED = "The issuer %s cannot be asked for its keys, so no token is accepted: %s"


class IssuerUnusable(ValueError):
    """The issuer does not answer as one does."""


class IssuerKeys:
    """Those of one issuer; asked for when a token needs them."""

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._clock = issuer, clock
        self._keys: dict[str, PyJWK] = {}
        self._asked: float | None = None
        self._asking = asyncio.Lock()

    async def find(self, name: str) -> PyJWK | None:
        """The key of a name (`kid`), or the only one where there is no name; None where there is none."""
        async with self._asking:
            age = None if self._asked is None else self._clock() - self._asked
            if age is None or age > LASTS or (age > RESTS and self._named(name) is None):
                self._asked = self._clock()
                await self._ask()
        return self._named(name)

    def _named(self, name: str) -> PyJWK | None:
        if name:
            return self._keys.get(name)
        return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    async def _ask(self) -> None:
        try:
            local = urlsplit(self._issuer).hostname in LOOPBACK
            async with (
                asyncio.timeout(ANSWERS),
                httpx2.AsyncClient(timeout=ANSWERS, trust_env=not local) as http,
            ):
                self._keys = _keys(await _fetched(http, await self._address(http)))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, IssuerUnusable) as failure:
            # Those that are known stay: an issuer that is away for a minute turns nobody out.
            log.warning(UNASKED, self._issuer, str(failure) or type(failure).__name__)

    async def _address(self, http: httpx2.AsyncClient) -> str:
        """Where the keys are, as the issuer's metadata say (RFC 8414, and OpenID Connect's discovery)."""
        for address in _metadata(self._issuer):
            try:
                told = await _fetched(http, address)
            except IssuerUnusable:
                continue
            if told.get("issuer") != self._issuer:
                raise IssuerUnusable(f"its metadata name another issuer, {str(told.get('issuer'))[:200]!r}")
            keys = str(told.get("jwks_uri") or "")
            if not is_safe(keys):
                raise IssuerUnusable("its metadata name no address of keys that begins with https://")
            return keys
        raise IssuerUnusable("it has no metadata (/.well-known/oauth-authorization-server)")


def is_safe(address: str) -> bool:
    """Whether nobody on the way can change what an address says."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _metadata(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    root = f"{parts.scheme}://{parts.netloc}"
    return [
        f"{root}/.well-known/oauth-authorization-server{path}",
        f"{root}/.well-known/openid-configuration{path}",
        *([f"{root}{path}/.well-known/openid-configuration"] if path else []),
    ]


async def _fetched(http: httpx2.AsyncClient, address: str) -> dict[str, object]:
    data = bytearray()
    async with http.stream("GET", address) as answer:
        if answer.status_code != 200:
            raise IssuerUnusable(f"{address} answers with status {answer.status_code}")
        async for piece in answer.aiter_bytes():
            data += piece
            if len(data) > LARGEST:
                raise IssuerUnusable(f"{address} sends more than {LARGEST:,} bytes")
    try:
        told = json_reader.loads(bytes(data))
    except UnreadableJSON:
        told = None
    if not isinstance(told, dict):
        raise IssuerUnusable(f"{address} sends no JSON object")
    return told


def _keys(told: dict[str, object]) -> dict[str, PyJWK]:
    """The keys that can be used for signatures."""
    found: dict[str, PyJWK] = {}
    keys = told.get("keys")
    for each in keys if isinstance(keys, list) else ():
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") == "oct":
            continue
        try:
            found[str(each.get("kid") or "")] = PyJWK.from_dict(each)
        except PyJWTError:
            continue  # one of a kind that is not known
    return found
