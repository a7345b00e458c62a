"""A small OAuth issuer with keys of its own: metadata, public keys, and tokens for clients that it knows."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class Issuer:
    """Knows a client `bot`, whose secret is `secret`."""

    url: str = ""
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"one": new_key()})
    asked: list[str] = field(default_factory=list)
    """The paths of all requests, and the resources for which tokens were asked."""

    def token(self, resource: str, scope: str = "read run", *, kid: str = "one", **claims: Any) -> str:
        """A token of one hour; `claims` replace its own, and None leaves one out."""
        now = int(time.time())
        usual = {"iss": self.url, "sub": "alice", "aud": resource, "scope": scope or None, "exp": now + 3600}
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(said, self.keys[kid], "RS256", {"kid": kid, "typ": "at+jwt"})

    def public(self, kid: str = "one") -> bytes:
        return self.keys[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/oauth-authorization-server", self._metadata),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def _keys(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        public = {kid: json.loads(RSAAlgorithm.to_jwk(key.public_key())) for kid, key in self.keys.items()}
        return JSONResponse({"keys": [{**each, "kid": kid, "use": "sig"} for kid, each in public.items()]})

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        resource, scope = str(form["resource"]), str(form.get("scope") or "")
        self.asked.append(f"{resource} {scope}")
        token = {"access_token": self.token(resource, scope), "token_type": "Bearer", "expires_in": 3600}
        return JSONResponse({**token, "scope": scope})
