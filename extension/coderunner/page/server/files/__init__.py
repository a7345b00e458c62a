"""The routes of a chat's files: list, upload, download, rename, delete."""
