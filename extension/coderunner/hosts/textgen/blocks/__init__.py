"""Blocks in the webui's page: their approvals, their buttons, and the routes of their outputs."""
