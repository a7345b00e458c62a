"""Tools of MCP servers, which code may call: which there are, what they take, and how they are asked."""
