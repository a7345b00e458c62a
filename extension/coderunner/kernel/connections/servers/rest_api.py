"""The REST interface of a Jupyter server.

The token goes into one header and nowhere else. Redirects are not followed, replies are bounded in size and
time, certificates are always verified.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from tornado.httpclient import HTTPResponse

from coderunner.errors import (
    KernelError,
    KernelNotStarted,
    NoSuchKernelSpec,
    NotAJupyterServer,
    NotPermitted,
    ServerUnreachable,
)
from coderunner.kernel.connections.servers.hub import explain
from coderunner.kernel.connections.servers.refusals import (
    bad_token,
    because,
    no_lists,
    no_service,
    no_word_of_kernels,
    not_permitted,
    parsed,
    refusal,
    unreachable,
)
from coderunner.kernel.connections.servers.rest_connection import Method, RestConnection

OF_KERNELS = frozenset({"api/kernels", "api/kernelspecs", "api/sessions"})
"""What a server that has its kernels on a gateway asks that for."""
AT_FIRST = 6.0
"""Seconds for such an answer, which takes milliseconds as a rule, until the server is asked who it is."""
AT_ONCE = 2.0
"""Seconds for that: it asks nobody."""
FAILED = 500
"""The first status of those that say that it cannot do what it is asked."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: its status, and its JSON or None."""

    status: int
    json: object


class RestApi(RestConnection):
    """Talks to one Jupyter server; raises KernelError, with one sentence that says what to do."""

    async def ask(self, method: Method, path: str, content: object = None, *, within: float = 0.0) -> Reply:
        """Give the server's answer where it is one of a Jupyter server that lets us in: 2xx, 404, or 5xx.

        `within`: seconds for it, where they are not those of every request.
        """
        response = await self._answer(method, path, content, within)
        if response.code == 599:
            raise unreachable(self.url, response.error)
        token = bool(self.where.token)
        trouble = refusal(self.url, response, token=token)
        if trouble is None and response.code in (401, 403):
            if await self.admits():
                raise not_permitted(self.url, method, path, response)
            trouble = bad_token(self.url, token=token)
        if trouble is not None or response.code >= 400:
            # In place of a server that does not run, or not for us, its Hub answers.
            trouble = await explain(self, response) or trouble
        if trouble is not None:
            raise trouble
        return Reply(response.code, parsed(response))

    async def _answer(self, method: Method, path: str, content: object, within: float) -> HTTPResponse:
        """What the server answers; raises ServerUnreachable.

        One that is quick to say what it is, and says nothing of its kernels, waits for somebody else: behind
        it is a gateway, for which it has more patience than a person.
        """
        asked = asyncio.ensure_future(self.fetch(method, path, content, within=within))
        try:
            if method == "GET" and path in OF_KERNELS:
                await asyncio.wait([asked], timeout=AT_FIRST)
                if not asked.done() and await self._says_what_it_is() and not asked.done():
                    raise no_word_of_kernels(self.url)
            return await asked
        finally:
            asked.cancel()

    async def _says_what_it_is(self) -> bool:
        with suppress(ServerUnreachable):
            return (await self.fetch("GET", "api", within=AT_ONCE)).code < FAILED
        return False

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
