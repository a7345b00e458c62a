"""The tool that the page calls, and no model: it watches blocks, and says what is done to their widgets."""

from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from coderunner.hosts.mcp.apps.app_blocks import AppBlocks
from coderunner.hosts.mcp.apps.app_lines import WAIT, Told, ToolLines

NAME = "block_page"
RESTS = 0.5
"""Seconds to wait where no news is expected."""
SAID = 1000
"""Messages in one call."""


class Answer(BaseModel):
    """What the page is told."""

    line: str = ""
    messages: list[Told] = Field(default_factory=list)
    over: bool = Field(default=False, description="No news of the block are expected.")
    text: str = Field(default="", description="A loader's.")


class AppTool:
    """The tool, for all clients."""

    def __init__(self, blocks: AppBlocks, owner: Callable[[Context[Any, Any]], str]) -> None:
        """`owner` tells whose a call is."""
        self._blocks, self._owner = blocks, owner
        self._lines = ToolLines(blocks.subscriptions)

    async def block_page(
        self,
        ctx: Context[Any, Any],
        line: str = "",
        say: Annotated[list[Told], Field(max_length=SAID)] = [],  # noqa: B006 - never changed
        wait: str = "",
        loader: str = "",
    ) -> Answer:
        """For the page that shows a block: says something on its line, waits for news of a block, or loads.

        Without a line it opens one.
        """
        owner = self._owner(ctx)
        if loader:
            return Answer(text=self._blocks.subscriptions.loader(loader, owner) or "")
        name = line or self._lines.open(owner)
        opened = self._lines.find(owner, name)
        if opened is None:
            raise ToolError("the line is closed; open another one")
        try:
            opened.hear(say)
        except ValueError:
            raise ToolError("the page said something invalid") from None
        if not wait:
            return Answer(line=name)
        within = RESTS if self._blocks.rests(owner, wait) else WAIT
        messages = await opened.take(within)
        return Answer(line=name, messages=messages, over=self._blocks.rests(owner, wait))
