"""What all tools have in common: their arguments, and who calls them."""

from dataclasses import dataclass
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.requests import Request

from coderunner.hosts.mcp.cell_report import CellReport
from coderunner.hosts.mcp.scopes.scopes import ALL, Scopes
from coderunner.runner import unfenced
from coderunner.text.surrogates import whole

DEFAULT_SESSION = "default"

RUNS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
)
ENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)

CallContext = Context[Any, Any]
ToolResult = Annotated[CallToolResult, CellReport]
Whole = BeforeValidator(lambda text: whole(text) if isinstance(text, str) else text)
"""Joins surrogate pairs, which pydantic rejects, and replaces lone surrogates."""


def _or(absent: object) -> BeforeValidator:
    """Treat null or an empty text as an absent argument: some clients send every argument of a tool."""
    return BeforeValidator(lambda value: absent if value is None or value == "" else value)


Code = Annotated[
    str,
    Whole,
    Field(description="the code; empty: wait for running code, or get later output of the session"),
    _or(""),
    AfterValidator(unfenced),
]
Name = Annotated[
    str,
    Field(description="session name that a call returned; empty: the default session, or a new one"),
    _or(""),
]
Match = Annotated[
    str, Whole, Field(description="a part of a variable's name or type; empty: all variables"), _or("")
]
Seconds = Annotated[
    float,
    Field(
        description="seconds that this call waits, while the code keeps running; 0: the default",
        ge=0,
        le=3600,
    ),
    _or(0),
]


def asks(ctx: CallContext) -> bool:
    """Whether the client can ask its user something."""
    can = ctx.client_capabilities
    return can is not None and can.elicitation is not None


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells whose a request is."""

    alone: str = ""
    """The name of the only client, if requests do not name theirs."""

    def owner(self, ctx: CallContext) -> str:
        """The owner of a request: the transport has checked its key."""
        return self.owner_of(ctx.request_context.request)

    def owner_of(self, request: Request | None) -> str:
        """The owner of an HTTP request, or of whatever the only client asks."""
        if self.alone:
            return self.alone
        if request is None:
            raise ToolError("this call does not identify its client")
        return str(request.scope["user"].display_name)

    def scopes(self, request: Request | None) -> Scopes:
        """What the client of a request may do; a call of nobody is refused for that."""
        if self.alone or request is None:
            return ALL
        return frozenset(request.scope["user"].scopes)

    def session(self, name: str) -> str:
        """The session that a call means; empty if it has to name one."""
        return name or (DEFAULT_SESSION if self.alone else "")
