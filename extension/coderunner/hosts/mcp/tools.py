"""The tools: what a model can do with kernels, and what the user has to approve."""

import asyncio
from inspect import getdoc
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.apps import client_supports_apps
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.types import CallToolResult
from pydantic import BaseModel, Field

from coderunner import __version__
from coderunner.errors import CodeRunnerError
from coderunner.hosts.mcp.access_tool import access_tool
from coderunner.hosts.mcp.apps.app_blocks import AppBlocks
from coderunner.hosts.mcp.apps.app_tool import AppTool
from coderunner.hosts.mcp.arguments import (
    CHANGES,
    DEFAULT_SESSION,
    ENDS,
    READS,
    RUNS,
    CallContext,
    Callers,
    Code,
    Match,
    Name,
    Seconds,
    ToolResult,
    Whole,
    asks,
)
from coderunner.hosts.mcp.background_cell import BackgroundCell
from coderunner.hosts.mcp.cell_report import RESOURCE, report
from coderunner.hosts.mcp.client_sessions import ClientSessions, ToolSession
from coderunner.hosts.mcp.file_tools import FileTools
from coderunner.hosts.mcp.scoped_server import ScopedServer
from coderunner.ids import new_id
from coderunner.languages import PYTHON, Language, tool_name
from coderunner.page.html.block_html import Setting
from coderunner.runner import RunningKernel, Variable, VariableList, unfenced, variables_in
from coderunner.secret_value import Secret

INSTRUCTIONS = (
    "Runs {language} in Jupyter kernels that keep their variables: pass the session that a call returned to "
    "the next call. Code that is still running when a call returns has not been stopped."
)
RUN = "Run {language} and get its output. Variables are kept for the next call in the same session."
CALLS = (
    " Code can also call tools of the user's MCP servers, as functions of `tools`, which needs no import: "
    "print(dir(tools)) lists them, help(tools.name) describes one."
)
NOTHING_YET = "nothing has run in session {name!r} yet, so there is nothing in it: run code with {tool} first"
INTERRUPTED = 15.0
"""Seconds for an interrupted program to end: by then, one that ignores it is stopped with its kernel."""
LISTED = 200
"""Variables in one answer: the newest."""
MATCH = 200
"""Characters of a name that is looked for."""
BLOCK = "coderunner/block"
"""Names in a result the block that a host's page shows."""
State = Literal["idle", "running", "waiting_for_input", "waiting_for_kernel"]


class Consent(BaseModel):
    """The user's decision about code."""

    run: bool = Field(default=True, title="Run this code")


class Held(BaseModel):
    """A variable."""

    name: str
    type: str
    shape: str
    """Its length, or rows and columns."""
    size: int | None
    """Bytes."""
    value: str


class Variables(BaseModel):
    """The variables of a session."""

    variables: list[Held]
    more: int
    """How many there are besides."""


class Open(BaseModel):
    """An open session."""

    session: str
    state: State
    kernel: str


class Running(BaseModel):
    """A kernel of the user's that runs on a Jupyter server, perhaps for a notebook."""

    kernel_id: str
    kernel: str
    notebook: str
    state: str
    server: str


class Listing(BaseModel):
    """What runs."""

    result: list[Open]
    kernels: list[Running]
    problem: str
    """Why the kernels are not known; empty where they are."""


async def consent(ctx: CallContext, code: Code = "") -> Consent | Elicit[Consent]:
    """Ask the user at the client, unless no new code would run."""
    if not code.strip():
        return Consent()
    if not asks(ctx):
        raise ToolError(
            "the code was not run: it needs the user's approval, and this client cannot ask for it; start "
            "the server with --approve auto to run code without asking"
        )
    return Elicit(f"Run this code?\n\n{code}", Consent)


class Tools:
    """The tools of one server, for all its clients."""

    def __init__(
        self, sessions: ClientSessions, callers: Callers, blocks: AppBlocks, language: Language = PYTHON
    ) -> None:
        self._language = language
        self._blocks = blocks
        self._sessions = sessions
        self._callers = callers

    async def run(
        self, ctx: CallContext, code: Code = "", session: Name = "", wait: Seconds = 0
    ) -> ToolResult:
        """Run code, or wait for running code."""
        code, owner = unfenced(code, self._language), self._callers.owner(ctx)
        name = self._callers.session(session) or new_id(9)
        if not code.strip():
            return await self._wait(ctx, name, self._work(owner, name), wait)
        try:
            opened = await self._sessions.opened(owner, name)
        except (ValueError, CodeRunnerError) as refused:
            raise ToolError(str(refused)) from None
        if opened.running is not None:
            raise ToolError(
                f"session {name!r} is still running code: wait with {tool_name(self._language)} and no code, "
                "or interrupt it"
            )
        shown = None
        if client_supports_apps(ctx):
            shown = self._blocks.follow(owner, opened.kernel.conversation, code)
        return await self._wait(ctx, name, self._sessions.begin(opened, code, shown), wait)

    async def run_if_allowed(
        self,
        ctx: CallContext,
        allowed: Annotated[ElicitationResult[Consent], Resolve(consent)],
        code: Code = "",
        session: Name = "",
        wait: Seconds = 0,
    ) -> ToolResult:
        """Run code if the user approves."""
        if not (isinstance(allowed, AcceptedElicitation) and allowed.data.run):
            raise ToolError("the code was not run: the user declined it")
        return await self.run(ctx, code, session, wait)

    async def send_input(
        self, text: Annotated[str, Whole], ctx: CallContext, session: Name = "", wait: Seconds = 0
    ) -> ToolResult:
        """Send a line to a program that is waiting for input (`input()`, `getpass`), and wait for it."""
        name = self._callers.session(session)
        work = self._work(self._callers.owner(ctx), name)
        if not work.answer(Secret(text)):
            raise ToolError(f"nothing in session {name!r} is waiting for input")
        return await self._wait(ctx, name, work, wait)

    async def interrupt(self, ctx: CallContext, session: Name = "") -> ToolResult:
        """Interrupt the running code of a session. Its variables are kept."""
        name = self._callers.session(session)
        work = self._work(self._callers.owner(ctx), name)
        work.stop()
        return await self._wait(ctx, name, work, INTERRUPTED)

    async def reset(self, ctx: CallContext, session: Name = "") -> str:
        """End a session and delete its variables. A later call with the same name starts a new one."""
        name = self._callers.session(session)
        if not await self._sessions.reset(self._callers.owner(ctx), name):
            raise self._unknown(self._callers.owner(ctx), name)
        left = "the attached kernel keeps running" if self._sessions.settings.attach else ""
        return f"session {name!r} has ended; {left or 'its variables are gone'}"

    async def list_sessions(self, ctx: CallContext) -> Listing:
        """List your sessions, and the kernels and notebooks that the user has running on Jupyter servers.

        To use one of those, the user starts this server with `--attach` and its notebook or id.
        """
        opened = [_open(name, each) for name, each in self._sessions.all(self._callers.owner(ctx)).items()]
        kernels, problem = [], ""
        try:
            kernels = [_running(each) for each in await self._sessions.kernels()]
        except CodeRunnerError as unknown:
            problem = str(unknown)
        return Listing(result=opened, kernels=kernels, problem=problem)

    async def variables(self, ctx: CallContext, session: Name = "", match: Match = "") -> Variables:
        """List the variables of a session: name, type, shape, bytes and the beginning of the value.

        It runs no code and also answers while code runs.
        """
        name, owner = self._callers.session(session), self._callers.owner(ctx)
        opened = self._sessions.find(owner, name)
        if opened is None:
            raise self._unknown(owner, name)
        try:
            found = await variables_in(opened.kernel, match[:MATCH])
        except CodeRunnerError as error:
            raise ToolError(str(error)) from None
        return Variables(variables=list(map(_held, found.variables[-LISTED:])), more=_left_out(found))

    async def output(self, name: str, ctx: CallContext) -> str:
        """The full text of an output that was too long for a result."""
        text = self._sessions.text(self._callers.owner(ctx), name)
        if text is None:
            raise ResourceNotFoundError(f"output {name!r} does not exist or has been dropped")
        return text

    def _work(self, owner: str, name: str) -> BackgroundCell:
        """The cell that runs in a session, or ran last."""
        opened = self._sessions.find(owner, name)
        if opened is None or opened.work is None:
            raise self._unknown(owner, name)
        return opened.work

    def _unknown(self, owner: str, name: str) -> ToolError:
        if name == DEFAULT_SESSION:
            return ToolError(NOTHING_YET.format(name=name, tool=tool_name(self._language)))
        there = ", ".join(map(repr, self._sessions.all(owner)))
        which = repr(name) if name else "without a name"
        return ToolError(
            f"there is no session {which}; {f'there are: {there}' if there else 'there are none yet'}"
        )

    async def _wait(self, ctx: CallContext, name: str, work: BackgroundCell, within: float) -> CallToolResult:
        """Wait for a cell; a cancelled call stops it."""
        owner, usual = self._callers.owner(ctx), self._sessions.settings.timeout
        try:
            await work.settle(
                within or usual, lambda seconds, words: ctx.report_progress(seconds, None, words)
            )
        except asyncio.CancelledError:
            work.stop()
            raise
        afterwards = self._sessions.afterwards(owner, name, newest=work.told or work.result is None)
        new = None if work.told else work
        work.told = work.result is not None
        told = await report(
            name,
            new,
            lambda text: self._sessions.keep_text(owner, text),
            self._sessions.ended(owner, name),
            afterwards,
            asks=bool(self._callers.alone) and asks(ctx),
        )
        return told.model_copy(update={"meta": {BLOCK: new.block}}) if new and new.block else told


def _held(each: Variable) -> Held:
    kind = each.type if each.kind == "data" else each.kind
    return Held(name=each.name, type=kind, shape=each.extent, size=each.size, value=each.value)


def _left_out(found: VariableList) -> int:
    return found.more + max(0, len(found.variables) - LISTED)


def _open(name: str, opened: ToolSession) -> Open:
    running = opened.running
    state: State = "idle" if running is None else running.state
    return Open(session=name, state=state, kernel=opened.kernel.where.kernel_name)


def _running(each: RunningKernel) -> Running:
    return Running(
        kernel_id=each.id, kernel=each.kernel_name, notebook=each.path, state=each.state, server=each.server
    )


def serving(
    sessions: ClientSessions, *, ask: bool, alone: str = "", language: Language = PYTHON
) -> MCPServer[Any]:
    """The server with all its tools; with `ask` the user has to approve all code.

    `language` is what its kernels speak, and what the tool that runs code is called after.
    """
    callers = Callers(alone)
    settings = sessions.settings
    blocks = AppBlocks(Setting(settings.timeout, scripts=settings.output_scripts, alone=True))
    tools = Tools(sessions, callers, blocks, language)
    server = ScopedServer(
        "coderunner",
        title="CodeRunner",
        version=__version__,
        instructions=INSTRUCTIONS.format(language=language.title),
        log_level="ERROR",
    )
    server.keep_scopes(callers, attached=bool(settings.attach))
    run, title = tools.run_if_allowed if ask else tools.run, language.title
    server.add_tool(
        run,
        tool_name(language),
        title=f"Run {title}",
        description=RUN.format(language=title) + (CALLS if sessions.has_tools and language == PYTHON else ""),
        annotations=RUNS,
    )
    server.add_tool(tools.send_input, title="Answer the program", annotations=RUNS)
    server.add_tool(tools.interrupt, title="Interrupt", annotations=ENDS)
    server.add_tool(tools.reset, title="End a session", annotations=ENDS)
    for tool, named in ((tools.variables, "List variables"), (tools.list_sessions, "List sessions")):
        server.add_tool(tool, title=named, description=getdoc(tool), annotations=READS)
    if alone:
        access = access_tool(sessions, callers)
        server.add_tool(access, title="Ask for access", description=getdoc(access), annotations=CHANGES)
    server.serve_files(FileTools(sessions, callers), callers)
    server.serve_apps(AppTool(blocks, callers.owner), tool_name(language))
    server.resource(f"{RESOURCE}{{name}}", name="output", mime_type="text/plain")(tools.output)
    return server
