"""The MCP server with what each client may do of it: a tool without its scope is none for that client."""

from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.types import CallToolResult, InputRequiredResult
from pydantic import AnyUrl, ValidationError

from coderunner.hosts.mcp.arguments import Callers
from coderunner.hosts.mcp.file_server import FileServer
from coderunner.hosts.mcp.scopes.scopes import Scopes, lacking, needed, of_resources
from coderunner.text.terminal_text import visible_line

PAGES = "ui://"
"""The beginning of resources that are programs of the server's own, for everybody."""
MOST, LONGEST = 8, 40
"""Names of unknown arguments in a sentence, and characters of each."""


class ScopedServer(FileServer):
    """A server for clients of which not all may do everything."""

    _callers = Callers()
    _attached = False

    def keep_scopes(self, callers: Callers, *, attached: bool) -> None:
        """Let clients do what their scopes say; comes before all else that lists tools and resources.

        `attached`: kernels are a person's own.
        """
        self._callers, self._attached = callers, attached

        async def tell(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
            told = await call_next(ctx)
            if not isinstance(told, dict) or ctx.method not in ("tools/list", "resources/list"):
                return told
            has = callers.scopes(ctx.request)
            if ctx.method == "resources/list":
                return told if of_resources(attached=attached) <= has else {**told, "resources": []}
            tools = [each for each in told["tools"] if needed(each["name"], attached=attached) <= has]
            return {**told, "tools": tools}

        self.middleware.append(tell)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool that the client may use, with arguments that it has."""
        needs = needed(name, attached=self._attached)
        if sentence := lacking(name, needs, self._has(context)):
            raise ToolError(sentence)
        takes = {tool.name: tool.input_schema.get("properties", {}) for tool in await self.list_tools()}
        if name in takes and (sentence := _surplus(name, arguments, takes[name])):
            raise ToolError(sentence)
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as refused:
            if not isinstance(refused.__cause__, ValidationError):
                raise
            raise ToolError(_unfit(name, refused.__cause__, takes.get(name, ()))) from None

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource that the client may read."""
        needs = of_resources(attached=self._attached)
        if not str(uri).startswith(PAGES) and (
            sentence := lacking("this resource", needs, self._has(context))
        ):
            raise ResourceError(sentence)
        return await super().read_resource(uri, context)

    def _has(self, context: Context[Any, Any] | None) -> Scopes:
        return self._callers.scopes(context.request_context.request if context is not None else None)


def _unfit(tool: str, refused: ValidationError, takes: Iterable[str]) -> str:
    """What is said of arguments that a tool cannot take; nothing of their values."""
    said = dict.fromkeys(map(_why, refused.errors(include_url=False, include_input=False)))
    return f"{tool} was not called: {', '.join(list(said)[:MOST])}; it takes {', '.join(takes)}"


def _why(error: Mapping[str, Any]) -> str:
    name = visible_line(".".join(map(str, error["loc"])))[:LONGEST]
    if error["type"] == "missing":
        return f"the argument {name} is missing"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name} {message[:1].lower()}{message[1:]}"


def _surplus(tool: str, arguments: Iterable[str], takes: Iterable[str]) -> str:
    """What is said of arguments that a tool does not have; empty where there are none."""
    known = list(takes)
    more = [visible_line(each)[:LONGEST] for each in arguments if each not in known]
    word = "argument" if len(more) == 1 else "arguments"
    what = f"takes {', '.join(known)}" if known else "takes none"
    return f"{tool} has no {word} {', '.join(more[:MOST])}; it {what}" if more else ""
