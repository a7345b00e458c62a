"""A program that calls the tools of servers by whichever SDK it finds, and prints what came of it as JSON."""

import asyncio
import json
import sys
from importlib.metadata import version

from coderunner.tools.tool import Tool
from coderunner.tools.tool_servers import read_tool_servers
from coderunner.tools.toolbox import Toolbox

CALLS: tuple[tuple[str, dict[str, object]], ...] = (
    ("shop_add", {"a": 1, "b": 2}),
    ("web_add", {"a": 2, "b": 3}),
    ("shop_search", {"query": "tides", "limit": 1}),
    ("shop_chart", {"title": "Tides"}),
    ("shop_fail", {"why": "closed"}),
    ("shop_leave", {}),
    ("shop_list_files", {}),
    ("web_authorization", {}),
)


async def main() -> None:
    """Call each tool of the servers that the first argument names."""
    box = Toolbox(read_tool_servers(json.loads(sys.argv[1])), asks=False)
    offer = await box.offer()
    said: dict[str, object] = {}
    for name, arguments in CALLS:
        tool = offer.find(name)
        answer = await box.call(tool, arguments) if isinstance(tool, Tool) else tool
        said[name] = [answer.value, answer.error]
    await box.close()
    schemas = [sorted(tool.schema.get("required", [])) for tool in offer.tools]  # type: ignore[call-overload]
    told = {"calls": said, "schemas": schemas, "failures": offer.failures, "sdk": version("mcp")}
    sys.stdout.write(json.dumps(told))


asyncio.run(main())
