"""The tool with which a model has its user allow what the sandbox refused."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from pydantic import BaseModel, Field

from coderunner.hosts.mcp.arguments import CallContext, Callers, Name, asks
from coderunner.hosts.mcp.client_sessions import ClientSessions
from coderunner.outputs import Refusal
from coderunner.text.terminal_text import visible_line

NAME = "request_access"
NOTHING = "the sandbox has refused nothing to the latest code of session {name!r} that could be allowed"
NOBODY = "this client cannot ask its user; they can allow it with a setting of CodeRunner"
CHANGED = "other code of this session has run since the user was asked; call this again"


class Permission(BaseModel):
    """The user's decision about what the sandbox refused."""

    allow: bool = Field(default=False, title="Allow it")


def access_tool(sessions: ClientSessions, callers: Callers) -> Callable[..., Coroutine[Any, Any, str]]:
    """The tool for a server whose only client is this user's own."""
    asked: dict[str, list[Refusal]] = {}
    """What the user was asked, by the session: other code may run until they answer."""

    def refused(ctx: CallContext, name: str) -> list[Refusal]:
        if not (found := sessions.refused(callers.owner(ctx), name)):
            raise ToolError(NOTHING.format(name=name))
        if asked.setdefault(name, found) != found:
            del asked[name]
            raise ToolError(CHANGED)
        return found

    async def permission(ctx: CallContext, session: Name = "") -> Elicit[Permission]:
        if not asks(ctx):
            raise ToolError(NOBODY)
        offers = [visible_line(each.offer) for each in refused(ctx, callers.session(session))]
        return Elicit("\n".join(dict.fromkeys(offers)), Permission)

    async def request_access(
        ctx: CallContext,
        permitted: Annotated[ElicitationResult[Permission], Resolve(permission)],
        session: Name = "",
    ) -> str:
        """Ask the user to allow what the sandbox refused to the latest code of a session.

        If they do, run that code again. If not, do not try another way.
        """
        name = callers.session(session)
        found = refused(ctx, name)
        del asked[name]
        if not (isinstance(permitted, AcceptedElicitation) and permitted.data.allow):
            raise ToolError("the user did not allow it; do not try another way")
        opened = await sessions.opened(callers.owner(ctx), name)
        await sessions.allow(opened, found)
        return " ".join(dict.fromkeys(visible_line(each.granted) for each in found))

    return request_access
