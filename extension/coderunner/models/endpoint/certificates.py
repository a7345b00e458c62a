"""The certificates that are trusted, for every connection to a model."""

import ssl
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
else:
    try:
        import httpx2 as httpx
    except ImportError:
        import httpx


@cache
def certificates() -> ssl.SSLContext:
    """Read them once: that takes longer than a whole request on this machine."""
    return httpx.create_ssl_context()
