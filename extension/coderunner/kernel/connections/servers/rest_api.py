"""The REST interface of a Jupyter server.

The token goes into one header and nowhere else. Redirects are not followed, replies are bounded in size and
time, certificates are always verified.
"""

import json
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from coderunner.errors import (
    KernelError,
    KernelNotStarted,
    NoSuchKernelSpec,
    NotAJupyterServer,
    NotPermitted,
    SettingsError,
)
from coderunner.kernel.connections.servers.refusals import (
    bad_token,
    because,
    no_lists,
    no_service,
    not_permitted,
    parsed,
    refusal,
    unreachable,
)
from coderunner.kernel.kernel_location import Server
from coderunner.kernel.server_address import normalise

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection: a server that takes longer cannot be worked with."""
LARGEST_REPLY = 8 * 1024 * 1024
"""Bytes of a reply: the kernel specs of a large server, with their icons, are a tenth of it."""

Method = Literal["GET", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: its status, and its JSON or None."""

    status: int
    json: object


class RestApi:
    """Talks to one Jupyter server; raises KernelError, with one sentence that says what to do."""

    def __init__(self, where: Server) -> None:
        try:
            self.url = normalise(where.url)
        except SettingsError as error:
            raise NotAJupyterServer(str(error)) from None
        self.where = where
        self.patience = where.patience
        self._http = AsyncHTTPClient(force_instance=True, max_body_size=LARGEST_REPLY)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def request(self, url: str, method: Method = "GET", body: str | None = None) -> HTTPRequest:
        """Return a request with the token in its header."""
        headers = {"Accept": "application/json"}
        if self.where.token:
            headers["Authorization"] = f"token {self.where.token.reveal()}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        return HTTPRequest(
            url,
            method=method,
            body=body,
            headers=headers,
            allow_nonstandard_methods=True,
            follow_redirects=False,
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=self.patience.request,
            ca_certs=self.where.ca_file or None,
        )

    async def anonymous(self, url: str) -> HTTPResponse:
        """Return what a stranger without a token is answered at an address."""
        request = self.request(url)
        request.headers.pop("Authorization", None)
        return await self._fetch(request)

    async def fetch(
        self, method: Method, path: str, content: object = None, *, within: float = 0.0
    ) -> HTTPResponse:
        """Return whatever the server answers, errors too; raises ServerUnreachable where nothing does."""
        body = None if content is None else json.dumps(content)
        request = self.request(f"{self.url}/{path}", method, body)
        request.request_timeout = within or self.patience.request
        return await self._fetch(request)

    async def _fetch(self, request: HTTPRequest) -> HTTPResponse:
        try:
            return await self._http.fetch(request, raise_error=False)
        except Exception as error:
            raise unreachable(self.url, error) from None

    async def ask(self, method: Method, path: str, content: object = None, *, within: float = 0.0) -> Reply:
        """Give the server's answer where it is one of a Jupyter server that lets us in: 2xx, 404, or 5xx.

        `within`: seconds for it, where they are not those of every request.
        """
        response = await self.fetch(method, path, content, within=within)
        if response.code == 599:
            raise unreachable(self.url, response.error)
        trouble = refusal(self.url, response, token=bool(self.where.token))
        if trouble is not None:
            raise trouble
        if response.code in (401, 403):
            if await self.admits():
                raise not_permitted(self.url, method, path, response)
            raise bad_token(self.url, token=bool(self.where.token))
        return Reply(response.code, parsed(response))

    async def admits(self) -> bool:
        """Return whether the server knows the token: one that it knows need not be allowed everything.

        Gateways forbid lists, and an authorizer whatever it likes; what they let everybody know who is let in
        at all is which kernels are installed, or who one is.
        """
        for path in ("api/kernelspecs", "api/me"):
            if (await self.fetch("GET", path)).code == 200:
                return True
        return False

    # --- what we ask it for

    async def kernel_specs(self) -> list[str]:
        """Return the names of the server's kernel specs, its default first; none where it does not tell."""
        try:
            return list(await self._languages())
        except NotPermitted:
            return []

    async def _languages(self) -> dict[str, str]:
        """Return the language of each kernel spec, in lower case; the server's default first."""
        reply = await self.ask("GET", "api/kernelspecs")
        specs = reply.json if isinstance(reply.json, dict) else {}
        names = specs.get("kernelspecs")
        if reply.status != 200 or not isinstance(names, dict):
            raise NotAJupyterServer(
                f"{self.url} is not a Jupyter server, or the base path is wrong: api/kernelspecs answers "
                f"HTTP {reply.status}; copy the address of the Jupyter page from your browser"
            )
        default = specs.get("default")
        first = sorted((str(name) for name in names), key=lambda name: (name != default, name))
        return {name: _language(names[name]) for name in first}

    async def require_kernel_spec(self, name: str) -> str:
        """Return the language of a kernel spec; raises NoSuchKernelSpec, with the names there are.

        It is empty where the server does not say which there are: then its start tells.
        """
        try:
            languages = await self._languages()
        except NotPermitted:
            return ""
        if name not in languages:
            known = ", ".join(languages) or "none"
            raise NoSuchKernelSpec(f"kernel {name!r} is not installed on this server; it has: {known}")
        return languages[name]

    async def sessions(self) -> list[dict[str, object]]:
        """Return the server's sessions, none where it has no such list; raises NotPermitted."""
        return await self._list("api/sessions")

    async def kernels(self) -> list[dict[str, object]]:
        """Return the server's kernels; raises NotPermitted."""
        return await self._list("api/kernels")

    async def _list(self, path: str) -> list[dict[str, object]]:
        try:
            reply = await self.ask("GET", path)
        except NotPermitted as error:
            # Who says what it is by a route of its own is no plain gateway.
            api, me = [await self.fetch("GET", each) for each in ("api", "api/me")]
            raise no_lists(self.url, parsed(api), plain=me.code == 404) or error from None
        listed = reply.json if reply.status == 200 and isinstance(reply.json, list) else []
        return [each for each in listed if isinstance(each, dict)]

    async def kernel(self, kernel: str) -> dict[str, object] | None:
        """Return what the server says about a kernel; None where it has none of that id."""
        reply = await self.ask("GET", f"api/kernels/{quote(kernel, safe='')}")
        if reply.status == 404:
            return None
        return reply.json if isinstance(reply.json, dict) else {}

    async def outage(self) -> str:
        """Return why the server does not reach its kernels, empty where it does or does not say.

        One that has them on a gateway goes on to say what it knew of a kernel when the gateway is gone; it
        cannot list any.
        """
        try:
            response = await self.fetch("GET", "api/kernels")
        except KernelError:
            return ""
        told = response.code in (502, 503, 504) and because(parsed(response))
        return no_service(self.url, response) if told else ""

    def failed(self, what: str, reply: Reply) -> KernelNotStarted:
        """Return the error for something that the server did not do."""
        return KernelNotStarted(
            f"{self.url} did not {what} (HTTP {reply.status}{because(reply.json)}); see the server's log"
        )


def _language(model: object) -> str:
    spec = model.get("spec") if isinstance(model, dict) else None
    language = spec.get("language") if isinstance(spec, dict) else None
    return language.lower() if isinstance(language, str) else ""
