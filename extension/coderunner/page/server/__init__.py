"""The server of a page: routes, one WebSocket for each page, and static files."""
