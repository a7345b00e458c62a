"""All tools of all servers, for the code of all conversations. Lives in the I/O thread's loop."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from coderunner.errors import ToolsUnavailable
from coderunner.tools import prompt
from coderunner.tools.answer import Answer
from coderunner.tools.tool import Tool, beside, named
from coderunner.tools.tool_servers import ToolServer

if TYPE_CHECKING:
    from coderunner.tools.connection import Connection

PATIENCE = 10.0
"""Seconds that a reply waits for the servers; what they say later, code can call all the same."""
AGAIN = 30.0
"""Seconds until a server that did not answer is asked again."""
LARGE = 4_000
"""Characters of arguments beyond which they are looked at in a thread: this takes milliseconds."""
LACKING = "the mcp package is not installed; install it with: pip install 'coderunner[tools]'"


class ToolSettings(Protocol):
    """The settings that it needs."""

    @property
    def tools(self) -> tuple[ToolServer, ...]:
        """The servers."""

    @property
    def tools_approve(self) -> Literal["ask", "auto"]:
        """Whether a person is asked."""

    @property
    def max_tool_calls(self) -> int:
        """Calls of one block."""

    @property
    def tool_timeout(self) -> float:
        """Seconds of one call."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What code can call now."""

    tools: tuple[Tool, ...] = ()
    failures: tuple[str, ...] = ()
    """Why the tools of some servers are not among them, as sentences."""

    def find(self, name: str) -> Tool | Answer:
        """The tool that code calls by that name, or why there is none."""
        if (found := next((tool for tool in self.tools if tool.name == name), None)) is not None:
            return found
        known = ", ".join(tool.name for tool in self.tools[:20]) or "no tools"
        return Answer(error="; ".join((f"there is no tool {name[:60]}, but {known}", *self.failures)))


class LentTools(Protocol):
    """Tools that a client has for the code of one conversation, as long as a reply to it is written."""

    @property
    def tools(self) -> Sequence[Tool]:
        """They, without names."""

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """Have the client call a tool once, with arguments that were looked at; never fails. In any loop."""


def with_lent(offer: Offer, lent: LentTools | None) -> Offer:
    """An offer with the tools that a client has beside it."""
    return replace(offer, tools=(*offer.tools, *beside(lent.tools, offer.tools))) if lent else offer


class Toolbox:
    """The servers of one process, each connected to when its tools are first needed."""

    def __init__(
        self, servers: Sequence[ToolServer], *, asks: bool = True, most: int = 50, seconds: float = 60.0
    ) -> None:
        """`asks`: a person is asked before a conversation's first call of each tool.

        `most`: calls of one block; `seconds`: how long one call may take.
        """
        self.asks, self.most, self.seconds = asks, most, seconds
        self._servers = servers
        self._connections: dict[str, Connection] = {}
        self._listing: asyncio.Task[Offer] | None = None
        self._stale = 0.0
        self._allowed: set[tuple[str, str]] = set()

    @classmethod
    def of(cls, settings: ToolSettings, *, people: bool) -> "Toolbox | None":
        """What the settings say; None where they name no server. `people`: somebody can be asked."""
        return cls.lending(settings, people=people) if settings.tools else None

    @classmethod
    def lending(cls, settings: ToolSettings, *, people: bool = False) -> "Toolbox":
        """What the settings say, for a host whose clients lend tools of their own: it may be empty."""
        asks = people and settings.tools_approve == "ask"
        return cls(settings.tools, asks=asks, most=settings.max_tool_calls, seconds=settings.tool_timeout)

    # --- which there are --------------------------------------------------------------------------

    def warm(self) -> "asyncio.Task[Offer]":
        """Begin to ask the servers, unless that is done; gives what comes of it."""
        done = self._listing is not None and self._listing.done()
        if self._listing is None or (done and self._stale and time.monotonic() > self._stale):
            self._stale = 0.0
            self._listing = asyncio.get_running_loop().create_task(self._list())
        return self._listing

    async def offer(self) -> Offer:
        """What code can call; a server that does not answer holds this up for some seconds."""
        return await asyncio.shield(self.warm())

    async def words(self, lent: LentTools | None = None) -> str:
        """What a model is told of them, bounded; empty where there are none, or nobody knows yet."""
        listing = self.warm()
        await asyncio.wait([listing], timeout=PATIENCE)
        known = listing.result() if listing.done() and not listing.cancelled() else Offer()
        return prompt.words(with_lent(known, lent).tools)

    async def _list(self) -> Offer:
        lists = await asyncio.gather(*map(self._tools_of, self._servers), return_exceptions=True)
        found: list[Tool] = []
        failures: list[str] = []
        for listed in lists:
            if isinstance(listed, ToolsUnavailable):
                failures.append(str(listed))
            elif isinstance(listed, BaseException):
                raise listed
            else:
                found += listed
        self._stale = time.monotonic() + AGAIN if failures else 0.0
        for failure in failures:
            logging.getLogger(__name__).warning("%s", failure)
        return Offer(named(found), tuple(failures))

    async def _tools_of(self, server: ToolServer) -> list[Tool]:
        return await self._connection(server).tools()

    def _connection(self, server: ToolServer) -> "Connection":
        if server.name not in self._connections:
            try:
                from coderunner.tools.connection import Connection
            except ImportError:
                raise ToolsUnavailable(LACKING) from None
            self._connections[server.name] = Connection(server)
        return self._connections[server.name]

    # --- calls ------------------------------------------------------------------------------------

    def allowed(self, conversation: str, tool: Tool) -> bool:
        """Whether the code of a conversation may call a tool without asking."""
        return not self.asks or (conversation, tool.name) in self._allowed

    def allow(self, conversation: str, tool: Tool) -> None:
        """Have it do so from now on."""
        self._allowed.add((conversation, tool.name))

    def allowed_to(self, conversation: str) -> list[str]:
        """The names of the tools that a person has allowed to it. In any thread."""
        return sorted(tool for of, tool in self._allowed.copy() if of == conversation)

    def take_back(self, conversation: str, tool: str) -> None:
        """Have it ask before the next call of a tool, by its name. In any thread."""
        self._allowed.discard((conversation, tool))

    def forget(self, conversation: str) -> None:
        """Take back what was allowed to a conversation."""
        self._allowed = {each for each in self._allowed if each[0] != conversation}

    async def wrong(self, tool: Tool, arguments: Mapping[str, object], size: int) -> str:
        """What is wrong with arguments, as a sentence; empty where nothing is."""
        from coderunner.tools.arguments import wrong

        if size > LARGE:
            return await asyncio.to_thread(wrong, tool.schema, arguments)
        return wrong(tool.schema, arguments)

    async def call(self, tool: Tool, arguments: Mapping[str, object]) -> Answer:
        """Call a tool once, with arguments that were looked at; never fails."""
        server = next(each for each in self._servers if each.name == tool.server)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._connection(server).call(tool, arguments)
        except ToolsUnavailable as error:
            return Answer(error=str(error))
        except TimeoutError:
            limit = f"the limit is {self.seconds:g} s (setting tool_timeout)"
            return Answer(error=f"{tool.name} took too long, and was given up; {limit}")

    async def close(self) -> None:
        """End all connections."""
        if self._listing is not None:
            self._listing.cancel()
        connections, self._connections, self._listing = list(self._connections.values()), {}, None
        await asyncio.gather(*(each.close() for each in connections), return_exceptions=True)
