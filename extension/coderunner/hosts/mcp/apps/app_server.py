"""The MCP server with the extension MCP Apps; a client that does not declare it sees nothing of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp.server import MCPServer
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult
from pydantic import AnyUrl

from coderunner.hosts.mcp.apps import app_page, app_tool
from coderunner.hosts.mcp.apps.app_tool import AppTool

MODEL = {"ui": {"visibility": ["model"]}}
"""Of a tool that no page calls: a page shows what code made."""


@dataclass(frozen=True, slots=True)
class _Extension:
    """What a client that declares the extension is told besides."""

    run: str
    """The name of the tool that runs code."""

    def told(self, method: str, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer to a request."""
        match method:
            case "initialize" | "server/discover":
                can = result.get("capabilities", {})
                known = {**can.get("extensions", {}), EXTENSION_ID: {"mimeTypes": [APP_MIME_TYPE]}}
                return {**result, "capabilities": {**can, "extensions": known}}
            case "tools/list":
                return {**result, "tools": [self._tool(each) for each in result["tools"]]}
        return result

    def _tool(self, tool: Mapping[str, Any]) -> Mapping[str, Any]:
        ui: dict[str, Any] = {"visibility": ["app"]} if tool["name"] == app_tool.NAME else MODEL["ui"]
        if tool["name"] == self.run:
            ui = {"resourceUri": app_page.PAGE, **ui}
        return {**tool, "_meta": {**tool.get("_meta", {}), "ui": ui}}


class AppServer(MCPServer[Any]):
    """A server whose outputs are shown live by hosts that can."""

    def serve_apps(self, tool: AppTool, run: str) -> None:
        """Add the page and its tool; `run` is the name of the tool whose calls it shows."""
        self.add_tool(tool.block_page, app_tool.NAME)
        extension = _Extension(run)

        async def tell(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
            told = await call_next(ctx)
            if not isinstance(told, dict):
                return told
            if _declared(ctx):
                return dict(extension.told(ctx.method, told))
            if ctx.method == "tools/list":
                return {**told, "tools": [each for each in told["tools"] if each["name"] != app_tool.NAME]}
            return told

        self.middleware.append(tell)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; the page's own is none for a client without pages."""
        if name == app_tool.NAME and not (context is not None and client_supports_apps(context)):
            raise ToolError(f"Unknown tool: {name}")
        return await super().call_tool(name, arguments, context)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource: also the page and its programs, which are in no list."""
        if context is not None and client_supports_apps(context):
            address = str(uri)
            if address == app_page.PAGE:
                return [ReadResourceContents(app_page.page(), APP_MIME_TYPE)]
            if (text := app_page.programs().get(address)) is not None:
                return [ReadResourceContents(text, app_page.kind(address))]
        return await super().read_resource(uri, context)


def _declared(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether the client declares the extension: in a handshake it does so with this very request."""
    if ctx.method != "initialize":
        return client_supports_apps(ctx)
    match ctx.params:
        case {"capabilities": {"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": list(kinds)}}}}:
            return APP_MIME_TYPE in kinds
    return False
