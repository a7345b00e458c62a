"""An MCP server: its tools let clients of the Model Context Protocol run Python in kernels.

`run` starts it, on stdin and stdout or at an address of its own.
"""

from coderunner.hosts.mcp.server import run

__all__ = ["run"]
