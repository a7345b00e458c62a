"""A script at the very start of Gradio's page: what Gradio puts into the head comes after its own modules."""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

HEAD = b"<head>"


@dataclass(frozen=True, slots=True)
class FirstScript:
    """Adds the script to each page of the app; to be added to Gradio's app, inside of what compresses."""

    app: ASGIApp
    script: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the script in what is HTML and has a head."""
        start: MutableMapping[str, Any] | None = None

        async def with_script(event: MutableMapping[str, Any]) -> None:
            nonlocal start
            if event["type"] == "http.response.start" and _is_html(event):
                start = event
                return
            if start is not None:
                event, added = self._added(event)
                await send({**start, "headers": _longer(start["headers"], added)})
                start = None
            await send(event)

        await self.app(scope, receive, with_script if scope["type"] == "http" else send)

    def _added(self, event: MutableMapping[str, Any]) -> tuple[MutableMapping[str, Any], int]:
        """The first part of a page with the script in it, and how many bytes that adds."""
        body: bytes = event.get("body", b"")
        whole = body.replace(HEAD, HEAD + f"<script>{self.script}</script>".encode(), 1)
        return {**event, "body": whole}, len(whole) - len(body)


def _is_html(start: MutableMapping[str, Any]) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def _longer(headers: list[tuple[bytes, bytes]], added: int) -> list[tuple[bytes, bytes]]:
    return [
        (name, str(int(value) + added).encode() if name == b"content-length" else value)
        for name, value in headers
    ]
