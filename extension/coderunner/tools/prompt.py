"""What a model is told of the tools that its code can call. Pure."""

from collections.abc import Sequence

from coderunner.tools.tool import Tool

MOST = 4_000
"""Characters of the list: about a thousand tokens, paid with each request."""
HEAD = (
    "Blocks can call these functions of `tools`, which needs no import; each gives a Python value, and "
    "raises tools.ToolError when it fails:"
)
MORE = "… and {count} more: print(dir(tools)) lists all, and help(tools.name) describes one."


def words(tools: Sequence[Tool]) -> str:
    """The functions with their signatures, one on each line; empty where there are none.

    Where all do not fit, what they do is left out, and after that the last of them.
    """
    if not tools:
        return ""
    said = [f"tools.{tool.signature}" + (f": {tool.summary}" if tool.summary else "") for tool in tools]
    if sum(map(len, said)) > MOST:
        said = [f"tools.{tool.signature}" for tool in tools]
    kept: list[str] = []
    for line in said:
        if sum(map(len, kept)) + len(line) > MOST:
            break
        kept.append(line)
    rest = [MORE.format(count=len(said) - len(kept))] if len(kept) < len(said) else []
    return "\n".join([HEAD, *kept, *rest])
