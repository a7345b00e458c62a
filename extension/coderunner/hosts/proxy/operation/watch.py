"""Sees every request and block, and tells metrics and log of it."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coderunner.errors import (
    CodeRunnerError,
    EndpointRefused,
    EndpointUnreachable,
    ModelError,
    ReplyBrokenOff,
)
from coderunner.hosts.proxy.operation import event_log
from coderunner.hosts.proxy.operation.metrics import Metrics
from coderunner.hosts.proxy.operation.request_facts import RequestFacts, facts_of, shown_model
from coderunner.hosts.proxy.team.limiter import Reached
from coderunner.runner import Result

KINDS: Mapping[type[CodeRunnerError], str] = {
    EndpointUnreachable: "unreachable",
    EndpointRefused: "refused",
    ReplyBrokenOff: "broken_off",
}
"""What metrics call a failure of the endpoint; all others are `failed`."""

NO_STATUS = 499
"""For a request whose client left before the response began: what nginx logs."""


class Watch:
    """What happens in one proxy. Its methods may be called from any thread."""

    def __init__(self, kernels: Callable[[], Mapping[str, int]]) -> None:
        """`kernels` gives the kernels that live now, by the member's name."""
        self.metrics = Metrics(kernels)

    @contextmanager
    def reply(self) -> Generator[None]:
        """A reply is being written."""
        with self.metrics.replies.track_inprogress():
            yield

    def block(self, facts: RequestFacts, result: Result, seconds: float | None) -> None:
        """A block has ended; without `seconds` it was not run."""
        outcome = result.status.value
        self.metrics.block(facts.user, outcome, seconds)
        facts.blocks += seconds is not None
        event_log.tell(
            "block",
            {
                "user": facts.user,
                "conversation": facts.conversation,
                "outcome": outcome,
                "seconds": None if seconds is None else round(seconds, 4),
                "outputs": len(result.outputs),
            },
        )

    def tokens(self, facts: RequestFacts, prompt: int, completion: int, *, estimated: bool) -> None:
        """Tokens were used for a request."""
        facts.prompt_tokens += prompt
        facts.completion_tokens += completion
        facts.estimated = facts.estimated or estimated
        self.metrics.tokens(facts.user, prompt, completion)

    def limited(self, facts: RequestFacts, reached: Reached) -> None:
        """A limit refused a request or a block, or ended a reply."""
        facts.limit = reached.kind
        self.metrics.limited(facts.user, reached.kind)

    def failed(self, facts: RequestFacts, failure: Exception) -> None:
        """A reply or a request that is passed on has failed."""
        facts.error = type(failure).__name__
        if isinstance(failure, ModelError):
            self.metrics.upstream_error(KINDS.get(type(failure), "failed"))


class Watched:
    """ASGI middleware: tells the watch of every request."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self._app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, first = time.monotonic(), NO_STATUS, 0.0
        facts = facts_of(scope)

        async def seen(message: Message) -> None:
            nonlocal status, first
            if message["type"] == "http.response.start":
                status, first = message["status"], time.monotonic() - began
            await send(message)

        try:
            await self._app(scope, receive, seen)
        except Exception as failure:
            status, facts.error = 500, type(failure).__name__
            raise
        finally:
            self._tell(facts, status, time.monotonic() - began, first)

    def _tell(self, facts: RequestFacts, status: int, seconds: float, first: float) -> None:
        self._watch.metrics.request(facts, status, seconds)
        event_log.tell(
            "request",
            {
                "route": facts.route,
                "status": status,
                "user": facts.user,
                "conversation": facts.conversation,
                "model": shown_model(facts.model),
                "seconds": round(seconds, 4),
                "first_byte_seconds": round(first, 4),
                "blocks": facts.blocks,
                "prompt_tokens": facts.prompt_tokens,
                "completion_tokens": facts.completion_tokens,
                "tokens_estimated": facts.estimated,
                "limit": facts.limit,
                "resumed": facts.resumed,
                "error": facts.error,
            },
        )
