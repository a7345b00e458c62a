"""What a page talks to: routes, one WebSocket a page, and the files it loads."""
