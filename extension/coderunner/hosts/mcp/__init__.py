"""An MCP server: a program that speaks the Model Context Protocol runs Python in kernels of ours, by tools.

`run` starts it, on the standard streams of the program that wants it or at an address of its own.
"""

from coderunner.hosts.mcp.server import run

__all__ = ["run"]
