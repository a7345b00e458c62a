"""The MCP server, and what it serves of files: tools, and resources that are as many as there are files."""

from collections.abc import Iterable
from inspect import getdoc
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.types import InputRequiredResult
from pydantic import AnyUrl

from coderunner.hosts.mcp.apps.app_server import AppServer
from coderunner.hosts.mcp.arguments import CHANGES, READS, Callers
from coderunner.hosts.mcp.file_tools import FileTools
from coderunner.hosts.mcp.files.file_content import as_text
from coderunner.hosts.mcp.files.file_uris import TEMPLATE, mime_type, named


class FileServer(AppServer):
    """A server whose resources are also the files of sessions, each with a type of its own."""

    def serve_files(self, tools: FileTools, callers: Callers) -> None:
        """Add the tools and the resources."""
        for tool, title, does in (
            (tools.upload, "Send a file", CHANGES),
            (tools.download, "Read a file", READS),
            (tools.files, "List files", READS),
        ):
            self.add_tool(tool, title=title, description=getdoc(tool), annotations=does)
        self.resource(TEMPLATE, name="file", mime_type="application/octet-stream")(tools.resource)

        async def list_files(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
            listed = await call_next(ctx)
            if ctx.method != "resources/list" or not isinstance(listed, dict):
                return listed
            files = await tools.resources(callers.owner_of(ctx.request))
            shown = [file.model_dump(mode="json", by_alias=True, exclude_none=True) for file in files]
            return {**listed, "resources": [*listed["resources"], *shown]}

        self.middleware.append(list_files)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource: a file as text if it is such, and of the type that its name tells."""
        contents = await super().read_resource(uri, context)
        file = named(str(uri))
        if file is None or isinstance(contents, InputRequiredResult):
            return contents
        return [_typed(each.content, mime_type(file[1])) for each in contents]


def _typed(content: str | bytes, kind: str) -> ReadResourceContents:
    text = as_text(content, whole=True) if isinstance(content, bytes) else content
    return ReadResourceContents(content if text is None else text, kind)
