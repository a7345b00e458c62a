"""What a JupyterHub means that answers for a person's server: it knows who asks, and how servers stand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tornado.httpclient import HTTPResponse

from coderunner.errors import KernelError, NotAJupyterServer, ServerRefused, ServerStopped, ServerUnreachable
from coderunner.kernel.connections.servers.refusals import (
    because,
    jupyverse,
    no_service,
    parsed,
    redirected,
)
from coderunner.kernel.connections.servers.rest_connection import RestConnection

MARK = "X-JupyterHub-Version"
"""The header in every answer of a Hub, and of the servers that it starts."""

STARTS = ("servers", "start:servers")
"""The scopes of a Hub with either of which a token may start servers."""

_SERVER = re.compile(r"(.*?)/user/([^/]+)(?:/([^/]+))?")
_HUB = re.compile(r"(.*?)/hub(?:/.*)?")


NOT_ALLOWED = "this token cannot start it, for which it needs the scope servers"


@dataclass(frozen=True, slots=True)
class HubServer:
    """A person's server, as its address says it; no owner: it is the address of a Hub itself."""

    hub: str
    """The address of the Hub, without a slash at its end."""
    owner: str = ""
    name: str = ""
    """Empty: the person's default server."""

    @property
    def path(self) -> str:
        """The server's part of an address."""
        return "/".join(quote(part) for part in ("user", self.owner, self.name) if part)

    @property
    def about(self) -> str:
        """Where the Hub tells about its owner."""
        return f"{self.hub}/hub/api/users/{quote(self.owner, safe='')}"

    @property
    def control(self) -> str:
        """Where the Hub starts it, and tells how it starts."""
        return f"{self.about}/servers/{quote(self.name, safe='')}" if self.name else f"{self.about}/server"

    @property
    def home(self) -> str:
        """The page where a person starts and stops it."""
        return f"{self.hub}/hub/home"

    def startable(self, scopes: object) -> bool:
        """Return whether a token with these scopes may have it started; a Hub before 2.0 names none."""
        if not isinstance(scopes, list):
            return True
        told = [str(each).partition("!") for each in scopes]
        mine = ("", f"user={self.owner}", f"server={self.owner}/{self.name}")
        # Who belongs to a group is the Hub's to know.
        return any(
            scope in STARTS and (which in mine or which.startswith("group=")) for scope, _, which in told
        )

    def __str__(self) -> str:
        """The server for a person."""
        return f"the server {self.name!r} of {self.owner}" if self.name else f"the server of {self.owner}"


def may_be_server(url: str) -> bool:
    """Return whether an address could be that of a person's server on a Hub."""
    return _SERVER.fullmatch(urlsplit(url).path) is not None


def server_of(url: str, response: HTTPResponse) -> HubServer | None:
    """Return which server a Hub answered for; None where it is no Hub's answer."""
    if MARK not in response.headers:
        return None
    path = urlsplit(url).path
    origin = url.removesuffix(path) if path else url
    if found := _SERVER.fullmatch(path):
        return HubServer(origin + found[1], unquote(found[2]), unquote(found[3] or ""))
    leads = redirected(url, response.headers.get("Location", ""))
    for each in (path, leads.path if leads else ""):
        if found := _HUB.fullmatch(each):
            return HubServer(origin + found[1])
    return HubServer(url)


async def explain(rest: RestConnection, response: HTTPResponse) -> KernelError | None:
    """Say what a Hub means by an answer that is not what we asked for; None where it is no Hub's.

    Of a jupyverse, which answers otherwise than a Jupyter Server too, it is said what it is.
    """
    server = server_of(rest.url, response)
    if server is None:
        return jupyverse(rest.url, response)
    if server.owner and not await _in_its_place(rest, server, response):
        return None
    answer = await rest.fetch_at(f"{server.hub}/hub/api/user")
    who = parsed(answer)
    if answer.code >= 500:
        return ServerUnreachable(no_service(server.hub, answer))
    if answer.code != 200 or not isinstance(who, dict):
        return _unknown(server, token=bool(rest.where.token))
    name = str(who.get("name", ""))
    if not server.owner:
        return NotAJupyterServer(_address_of_hub(rest.url, server.hub, name))
    told = parsed(await rest.fetch_at(f"{server.about}?include_stopped_servers=1"))
    servers = told.get("servers") if isinstance(told, dict) else None
    startable = server.startable(who.get("scopes"))
    if isinstance(servers, dict):
        if server.name and server.name not in servers:
            return ServerUnreachable(_lacks(server, servers))
        refused = response.code in (401, 403)
        return await _state(rest, server, servers.get(server.name), startable=startable, refused=refused)
    if server.owner != name:
        return ServerRefused(
            f"the token is {name}'s and does not reach {server}; use {server.hub}/user/{quote(name)}"
        )
    # The token may not see how its own server stands; one that runs has refused it by itself.
    refused = response.code in (401, 403)
    return await _state(rest, server, {"ready": refused}, startable=startable, refused=refused)


async def _in_its_place(rest: RestConnection, server: HubServer, response: HTTPResponse) -> bool:
    """Return whether somebody else answered for a server; one that runs says itself what it does not have.

    That is the Hub, or in place of a named server the person's default one, below whose address it is.
    """
    if response.code == 404 and server.name:
        return (await rest.fetch("GET", "api")).code != 200
    return response.code in (301, 302, 303, 307, 401, 403, 424)


def _lacks(server: HubServer, servers: Mapping[object, object]) -> str:
    named = [repr(str(each)) for each in servers if each]
    there = ", ".join([*named, f"the default one, {server.hub}/user/{quote(server.owner)}"])
    lacks = f"has no server {server.name!r} of {server.owner}"
    return f"the JupyterHub at {server.hub} {lacks}; there are: {there}"


def _unknown(server: HubServer, *, token: bool) -> ServerRefused:
    wrong = "does not accept the token" if token else "requires a token and none is set"
    return ServerRefused(f"the JupyterHub at {server.hub} {wrong}; get one at {server.hub}/hub/token")


def _address_of_hub(url: str, hub: str, name: str) -> str:
    mine = f"{hub}/user/{quote(name)}" if name else f"{hub}/user/NAME"
    return f"{url} is a JupyterHub; use the address of your own server, {mine}"


async def _state(
    rest: RestConnection, server: HubServer, model: object, *, startable: bool, refused: bool
) -> KernelError:
    """Say how a server stands that does not do what we ask; `refused`: it answered so itself."""
    pending = model.get("pending") if isinstance(model, dict) else None
    ready = isinstance(model, dict) and bool(model.get("ready"))
    # Where the Hub answered in its place and says now that it runs, it has come up in between.
    if pending == "spawn" or (ready and not refused):
        told = f"{server} is still starting on {server.hub}; try again in a minute"
        return ServerStopped(told, standing="starting", startable=startable)
    if pending == "stop":
        told = f"{server} is stopping on {server.hub}; start it again at {server.home}"
        return ServerStopped(told, standing="stopping", startable=startable)
    if ready:
        return ServerRefused(
            f"the token does not reach {server}, which runs; it needs the scope access:servers, "
            f"get another at {server.hub}/hub/token"
        )
    said = await rest.fetch_at(f"{server.hub}/hub/{server.path}/api")
    reason = because(parsed(said)).removeprefix(": ")
    reason = reason or f"{server} does not run; start it at {server.home}"
    return ServerStopped(
        reason if startable else f"{reason}; {NOT_ALLOWED}", standing="stopped", startable=startable
    )
