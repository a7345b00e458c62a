"""A Jupyter server without sessions, as kernel_gateway is: what it answers there is HTTP 500."""

from typing import Any

from jupyter_server.services.sessions.sessionmanager import SessionManager


class NoSessions(SessionManager):
    """Lists no sessions and creates none."""

    async def create_session(self, *_: Any, **__: Any) -> dict[str, Any]:
        raise NotImplementedError

    async def list_sessions(self) -> list[dict[str, Any]]:
        return []
