"""The addresses of files as resources. Pure."""

from mimetypes import guess_type
from urllib.parse import quote, unquote

BEGINNING = "coderunner://sessions/"
TEMPLATE = f"{BEGINNING}{{session}}/files/{{+path}}"
"""RFC 6570, as clients expand it."""


def file_uri(session: str, path: str) -> str:
    """The address of a file in a session's working directory."""
    return f"{BEGINNING}{quote(session, safe='')}/files/{quote(path)}"


def named(uri: str) -> tuple[str, str] | None:
    """The session and the path that an address names; None if it is none of a file."""
    session, files, path = uri.removeprefix(BEGINNING).partition("/files/")
    return (unquote(session), unquote(path)) if uri.startswith(BEGINNING) and files and path else None


def mime_type(path: str) -> str:
    """The type of a file, as far as its name tells."""
    return guess_type(path)[0] or "application/octet-stream"
