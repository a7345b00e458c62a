"""Whether the proxy lives, and whether it can serve. Both without a key, so neither says anything else."""

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from coderunner.errors import CodeRunnerError, EndpointFailed, RecordsUnavailable
from coderunner.models.endpoint.client import Client
from coderunner.runner import Records

HEALTH, READY = "/healthz", "/readyz"

KEPT = 5.0
"""Seconds for which an answer counts: whoever asks often costs the endpoint nothing."""
PATIENCE = 5.0
"""Seconds for the endpoint, and for the records."""

OK, FAILS, STOPPING = "ok", "unavailable", "stopping"


class Health:
    """The ASGI app of both routes."""

    def __init__(
        self, client: Client, records: Records, stopping: Callable[[], bool], *, kept: float = KEPT
    ) -> None:
        self._client = client
        self._records = records
        self._stopping = stopping
        self._kept = kept
        self._asking = asyncio.Lock()
        self._reading: asyncio.Task[object] | None = None
        self._known: Mapping[str, str] = {}
        self._since = -kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == HEALTH:
            answer = JSONResponse({"status": OK})
        else:
            checks = {**await self._checks(), "proxy": STOPPING if self._stopping() else OK}
            ready = set(checks.values()) == {OK}
            answer = JSONResponse({"ready": ready, **checks}, 200 if ready else 503)
        await answer(scope, receive, send)

    async def _checks(self) -> Mapping[str, str]:
        async with self._asking:
            if time.monotonic() - self._since >= self._kept:
                upstream, records = await asyncio.gather(self._upstream(), self._database())
                self._known = {"upstream": upstream, "records": records}
                self._since = time.monotonic()
            return self._known

    async def _upstream(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._client.ask("models")
        except EndpointFailed as failure:
            # It answers; some endpoints list no models.
            return OK if failure.status < 500 else FAILS
        except (CodeRunnerError, TimeoutError):
            return FAILS
        return OK

    async def _database(self) -> str:
        # A database that does not answer holds one thread, not one for each question.
        if (reading := self._reading) is None or reading.done():
            reading = self._reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait_for(asyncio.shield(reading), PATIENCE)
        except (RecordsUnavailable, TimeoutError):
            return FAILS
        return OK

    async def _read(self) -> object:
        return await asyncio.to_thread(self._records.outputs, "")
