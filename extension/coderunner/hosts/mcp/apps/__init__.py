"""Outputs that hosts of MCP Apps show live: the page, what it is told, and the tool that it calls."""
