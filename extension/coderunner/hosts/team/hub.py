"""The app for several people as a service of a JupyterHub: the Hub says who somebody is, by its OAuth.

The `jupyterhub` package does what the Hub decides: its addresses, scopes and tokens, from the environment
that a Hub gives to its services. A person's token stays here; the browser has the number of a session.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from jupyterhub.services.auth import HubOAuth
from starlette.responses import RedirectResponse
from tornado.web import HTTPError

from coderunner.access.origins import Receive, Scope, Send, own_path, root_of
from coderunner.errors import SettingsError
from coderunner.hosts.team import server
from coderunner.hosts.team.reverse_proxy import NotAdmittedError, OwnServer, Person
from coderunner.private_process import forget_variables
from coderunner.secret_value import Secret
from coderunner.settings.settings import Settings

TOKEN = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - its name
CALLBACK = "/oauth_callback"
SESSION, BEGUN = "coderunner-session", "coderunner-login"
"""Cookies: of who is logged in, and of who is just logging in."""
SECONDS = 600
"""For a login."""
FRESH = 60
"""Seconds for which the Hub is not asked again about a token: whoever is logged out there is so here then."""
MOST = 10_000
"""Sessions and logins that are known; beyond that, the oldest are forgotten."""

AGAIN = "You are not logged in. Reload the page to log in at the Hub."
NOT_ALLOWED = "The Hub does not let you use this service; ask whoever runs it."
NOT_BEGUN = "This login was not begun here, or took too long. Open CodeRunner again."
SILENT = "The Hub does not say who you are at the moment. Try again in a minute."


@dataclass(frozen=True, slots=True)
class _Login:
    """A login that has begun."""

    verifier: str
    onward: str
    """Path and query to go to afterwards, of our own."""


def run(settings: Settings) -> None:
    """Run the app as a service of a Hub until Ctrl-C or SIGTERM.

    Raises SettingsError if the settings do not allow it.
    """
    settings = as_service(settings)
    server.allow(settings, apart=own_servers())
    server.serve_people(settings, HubAdmission(settings.public_url))


def as_service(settings: Settings) -> Settings:
    """The settings, with what the Hub decides for its service. Raises SettingsError."""
    prefix, own = os.environ.get("JUPYTERHUB_SERVICE_PREFIX"), os.environ.get("JUPYTERHUB_SERVICE_URL")
    if not prefix or not own or not os.environ.get(TOKEN):
        raise SettingsError(
            "hub is set, but this process is no service of a JupyterHub, which sets "
            f"JUPYTERHUB_SERVICE_PREFIX, JUPYTERHUB_SERVICE_URL and {TOKEN}; "
            "start it from c.JupyterHub.services"
        )
    public = settings.public_url or os.environ.get("JUPYTERHUB_PUBLIC_URL", "")
    decided: dict[str, object] = {"base_path": prefix.rstrip("/"), "public_url": public.rstrip("/")}
    if settings.socket is None:
        address = urlsplit(own)
        decided |= {"host": address.hostname or "127.0.0.1", "port": address.port or 80}
    return settings.model_copy(update=decided)


def own_servers() -> bool:
    """Whether the Hub may give tokens with which a person's own server can be used."""
    try:
        scopes = json.loads(os.environ.get("JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES") or "[]")
    except ValueError:
        return False
    return _serves(scopes if isinstance(scopes, list) else [])


class HubAdmission:
    """Lets in whom the Hub lets use this service. Takes the service's token out of the environment."""

    def __init__(self, public_url: str) -> None:
        """`public_url`: the address at which browsers reach the Hub, whatever its path."""
        self._hub = HubOAuth(api_token=os.environ[TOKEN], cache_max_age=FRESH)
        forget_variables([TOKEN])
        parts = urlsplit(public_url)
        self._origin, self._secure = f"{parts.scheme}://{parts.netloc}", parts.scheme == "https"
        self._begun: dict[str, _Login] = {}
        self._sessions: dict[str, Secret] = {}

    def prove(self, scope: Scope) -> None:
        """Nothing: what asks for this holds no data."""

    async def admit(self, scope: Scope, receive: Receive, send: Send) -> Person | None:
        """The person of a request; None if it has been answered. Raises NotAdmittedError."""
        if own_path(scope) == CALLBACK and scope["type"] == "http":
            await self._end_login(scope, receive, send)
            return None
        session = self._sessions.get(_cookie(scope, SESSION))
        if session is not None and (user := await self._user(session)) is not None:
            return self._person(user, session)
        if not _opens_a_page(scope):
            raise NotAdmittedError(AGAIN)
        await self._begin_login(scope, receive, send)
        return None

    async def _user(self, token: Secret) -> Mapping[str, Any] | None:
        """What the Hub says of a token's user; None if it does not take the token."""
        try:
            user: Mapping[str, Any] | None = await self._hub.user_for_token(token.reveal(), sync=False)
        except HTTPError:
            # Without `from`: the original error may hold the token.
            raise NotAdmittedError(SILENT) from None
        if user is not None and not self._hub.check_scopes(self._hub.access_scopes, user):
            raise NotAdmittedError(NOT_ALLOWED)
        return user if user is not None and user.get("kind") == "user" else None

    def _person(self, user: Mapping[str, Any], token: Secret) -> Person:
        name = str(user["name"])
        if not _serves(user.get("scopes") or ()):
            return Person(name)
        place = f"{self._origin}{self._hub.hub_prefix.removesuffix('hub/')}user/{quote(name, safe='@')}"
        return Person(name, OwnServer(place, token))

    async def _begin_login(self, scope: Scope, receive: Receive, send: Send) -> None:
        verifier, challenge, method = self._hub.generate_pkce_code_challenge()
        query = scope.get("query_string", b"").decode("latin-1")
        state = secrets.token_urlsafe(24)
        onward = f"{root_of(scope)}{quote(own_path(scope), safe='/')}"
        _remember(self._begun, state, _Login(verifier, f"{onward}?{query}" if query else onward))
        asked = urlencode({"state": state, "code_challenge": challenge, "code_challenge_method": method})
        answer = RedirectResponse(
            f"{self._hub.login_url}&{asked}", 303, headers={"Cache-Control": "no-store"}
        )
        self._set(answer, scope, BEGUN, state, SECONDS)
        await answer(scope, receive, send)

    async def _end_login(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        state, code = query.get("state", [""])[-1], query.get("code", [""])[-1]
        # Both: a login that another browser has begun must not become this one's.
        begun = self._begun.pop(state, None) if state == _cookie(scope, BEGUN) else None
        if begun is None or not code:
            raise NotAdmittedError(NOT_BEGUN)
        try:
            token = Secret(await self._hub.token_for_code(code, code_verifier=begun.verifier, sync=False))
        except HTTPError:
            raise NotAdmittedError(NOT_BEGUN) from None
        if await self._user(token) is None:
            raise NotAdmittedError(NOT_ALLOWED)
        session = secrets.token_urlsafe(32)
        _remember(self._sessions, session, token)
        answer = RedirectResponse(begun.onward, 303, headers={"Cache-Control": "no-store"})
        self._set(answer, scope, SESSION, session, None)
        answer.delete_cookie(BEGUN, path=f"{root_of(scope)}/")
        await answer(scope, receive, send)

    def _set(
        self, answer: RedirectResponse, scope: Scope, name: str, value: str, seconds: int | None
    ) -> None:
        answer.set_cookie(
            name,
            value,
            max_age=seconds,
            path=f"{root_of(scope)}/",
            secure=self._secure,
            httponly=True,
            # Not strict: a link from elsewhere leads through the login and back.
            samesite="lax",
        )


def _serves(scopes: Any) -> bool:  # noqa: ANN401 - of the Hub
    """Whether a token with these scopes lets its bearer use a person's server."""
    return any(str(scope).startswith("access:servers") for scope in scopes)


def _opens_a_page(scope: Scope) -> bool:
    accepted = b"".join(value for name, value in scope["headers"] if name == b"accept")
    return scope.get("method") == "GET" and b"text/html" in accepted


def _cookie(scope: Scope, name: str) -> str:
    """The value of a cookie; empty if it is not sent."""
    for header, sent in scope["headers"]:
        if header == b"cookie":
            try:
                found = SimpleCookie(sent.decode("latin-1")).get(name)
            except CookieError:
                continue
            if found is not None:
                return found.value
    return ""


def _remember(known: dict[str, Any], key: str, value: object) -> None:
    known[key] = value
    while len(known) > MOST:
        del known[next(iter(known))]
