"""What a JupyterHub means that answers for a person's server: it knows who asks, and how servers stand."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tornado.httpclient import HTTPResponse

from coderunner.errors import KernelError, NotAJupyterServer, ServerRefused, ServerUnreachable
from coderunner.kernel.connections.servers.refusals import because, jupyverse, parsed, redirected
from coderunner.kernel.connections.servers.rest_connection import RestConnection

MARK = "X-JupyterHub-Version"
"""The header in every answer of a Hub, and of the servers that it starts."""

_SERVER = re.compile(r"(.*?)/user/([^/]+)(?:/([^/]+))?")
_HUB = re.compile(r"(.*?)/hub(?:/.*)?")


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

    def __str__(self) -> str:
        """The server for a person."""
        return f"the server {self.name!r} of {self.owner}" if self.name else f"the server of {self.owner}"


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
    # A server that runs says by itself that it does not have something.
    if server.owner and response.code not in (301, 302, 303, 307, 401, 403, 424):
        return None
    answer = await rest.fetch_at(f"{server.hub}/hub/api/user")
    who = parsed(answer)
    if answer.code != 200 or not isinstance(who, dict):
        return _unknown(server, token=bool(rest.where.token))
    name = str(who.get("name", ""))
    if not server.owner:
        return NotAJupyterServer(_address_of_hub(rest.url, server.hub, name))
    told = parsed(await rest.fetch_at(f"{_about(server)}?include_stopped_servers=1"))
    if server.owner == name and not (isinstance(told, dict) and "servers" in told):
        told = who
    servers = told.get("servers") if isinstance(told, dict) else None
    if not isinstance(servers, dict):
        return ServerRefused(
            f"the token is {name}'s and does not reach {server}; use {server.hub}/user/{quote(name)}"
        )
    if server.name and server.name not in servers:
        named = ", ".join(repr(str(each)) for each in servers if each) or "none"
        lacks = f"{server.owner} has no server {server.name!r} on {server.hub}"
        return ServerUnreachable(f"{lacks}; there are: {named}")
    return await _state(rest, server, servers.get(server.name))


def _about(server: HubServer) -> str:
    return f"{server.hub}/hub/api/users/{quote(server.owner, safe='')}"


def _unknown(server: HubServer, *, token: bool) -> ServerRefused:
    wrong = "does not accept the token" if token else "requires a token and none is set"
    return ServerRefused(f"the JupyterHub at {server.hub} {wrong}; get one at {server.hub}/hub/token")


def _address_of_hub(url: str, hub: str, name: str) -> str:
    mine = f"{hub}/user/{quote(name)}" if name else f"{hub}/user/NAME"
    return f"{url} is a JupyterHub; use the address of your own server, {mine}"


async def _state(rest: RestConnection, server: HubServer, model: object) -> KernelError:
    """Say how a server stands that does not do what we ask."""
    pending = model.get("pending") if isinstance(model, dict) else None
    if pending == "spawn":
        return ServerUnreachable(f"{server} is still starting on {server.hub}; try again in a minute")
    if pending == "stop":
        return ServerUnreachable(
            f"{server} is stopping on {server.hub}; start it again at {server.hub}/hub/home"
        )
    if isinstance(model, dict) and model.get("ready"):
        return ServerRefused(
            f"the token does not reach {server}, which runs; it needs the scope access:servers, "
            f"get another at {server.hub}/hub/token"
        )
    said = await rest.fetch_at(f"{server.hub}/hub/{server.path}/api")
    reason = because(parsed(said)).removeprefix(": ")
    return ServerUnreachable(reason or f"{server} does not run; start it at {server.hub}/hub/home")
