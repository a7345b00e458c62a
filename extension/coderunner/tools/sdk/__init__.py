"""The MCP SDK, whichever of its two generations is installed: text-generation-webui pins the first one."""
