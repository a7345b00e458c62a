"""Makes a Jupyter Server carry messages as jupyter-server-documents 0.3.3 does.

Each WebSocket has a client of its own, and all of them bear the name of the server's own session. A kernel
gives its replies, and what it asks, to the one that came last; all hear the rest. Nobody is told of a death.
"""

import asyncio
from typing import Any

from jupyter_server.services.kernels.connection.base import (
    BaseKernelWebsocketConnection,
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)
from tornado.websocket import WebSocketClosedError

CHANNELS = ("shell", "control", "stdin", "iopub")


class Bridge(BaseKernelWebsocketConnection):
    """Carries messages between one WebSocket and the kernel."""

    kernel_ws_protocol = "v1.kernel.websocket.jupyter.org"
    client: Any = None
    tasks: tuple["asyncio.Task[None]", ...] = ()

    async def connect(self) -> None:
        self.client = self.kernel_manager.client()
        self.client.start_channels(hb=False)
        self.tasks = tuple(asyncio.create_task(self.listen(name)) for name in CHANNELS)

    def disconnect(self) -> None:  # type: ignore[override]
        for task in self.tasks:
            task.cancel()
        if self.client is not None:
            self.client.stop_channels()

    def handle_incoming_message(self, incoming_msg: Any) -> None:
        name, parts = deserialize_msg_from_ws_v1(incoming_msg)
        self.client.session.send_raw(self.socket(name), parts)

    def socket(self, name: str) -> Any:
        return getattr(self.client, f"{name}_channel").socket

    async def listen(self, name: str) -> None:
        while True:
            _, parts = self.client.session.feed_identities(await self.socket(name).recv_multipart())
            try:
                message = serialize_msg_to_ws_v1(parts[1:], name)
                await self.websocket_handler.write_message(message, binary=True)
            except WebSocketClosedError:
                return
