"""The numbers of a proxy for Prometheus.

No label has more values than there are users, routes and outcomes.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from coderunner.access.authentication import CHALLENGE
from coderunner.hosts.proxy.operation.request_facts import RequestFacts
from coderunner.secret_value import Secret

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Bounds: a small block takes 10 ms, a reply minutes."""


class Metrics:
    """The numbers since the start of this proxy. Its methods may be called from any thread."""

    def __init__(self, kernels: Callable[[], Mapping[str, int]]) -> None:
        """`kernels` gives the kernels that live now, by the member's name."""
        self.registry = registry = CollectorRegistry()
        user = ("user",)
        self._requests = Counter(
            "coderunner_requests",
            "Requests answered, by route, HTTP status and user.",
            ("route", "status", "user"),
            registry=registry,
        )
        self._seconds = Histogram(
            "coderunner_request_seconds",
            "Seconds from a request to the end of its response.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._blocks = Counter(
            "coderunner_blocks",
            "Blocks that ran or were to run, by how that ended.",
            ("outcome", "user"),
            registry=registry,
        )
        self._block_seconds = Histogram(
            "coderunner_block_seconds",
            "Seconds from a closed block to its result.",
            buckets=SECONDS,
            registry=registry,
        )
        self._tokens = Counter(
            "coderunner_tokens",
            "Tokens of prompts and replies, some estimated.",
            ("kind", "user"),
            registry=registry,
        )
        self._limits = Counter(
            "coderunner_limits_reached",
            "Requests and blocks refused by a limit.",
            ("limit", "user"),
            registry=registry,
        )
        self._errors = Counter(
            "coderunner_upstream_errors", "Failures of the endpoint, by kind.", ("kind",), registry=registry
        )
        self.replies = Gauge("coderunner_replies", "Replies being written.", registry=registry)
        self.waiting = Gauge(
            "coderunner_blocks_waiting", "Blocks waiting for their kernel.", registry=registry
        )
        registry.register(_Kernels(kernels, user))
        ProcessCollector(registry=registry)

    def request(self, facts: RequestFacts, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(facts.route, str(status), facts.user).inc()
        self._seconds.labels(facts.route).observe(seconds)

    def block(self, user: str, outcome: str, seconds: float | None) -> None:
        """A block has ended; None: it was not run."""
        self._blocks.labels(outcome, user).inc()
        if seconds is not None:
            self._block_seconds.observe(seconds)

    def tokens(self, user: str, prompt: int, completion: int) -> None:
        """Tokens were used."""
        self._tokens.labels("prompt", user).inc(prompt)
        self._tokens.labels("completion", user).inc(completion)

    def limited(self, user: str, limit: str) -> None:
        """A limit refused something."""
        self._limits.labels(limit, user).inc()

    def upstream_error(self, kind: str) -> None:
        """The endpoint failed."""
        self._errors.labels(kind).inc()


@dataclass(frozen=True, slots=True)
class _Kernels(Collector):
    """The kernels of each user, counted when they are asked for."""

    kernels: Callable[[], Mapping[str, int]]
    labels: tuple[str, ...]

    def collect(self) -> Iterable[Metric]:
        """The one gauge."""
        family = GaugeMetricFamily("coderunner_kernels", "Kernels in use, by user.", labels=self.labels)
        for user, kernels in self.kernels().items():
            family.add_metric([user], kernels)
        yield family


@dataclass(frozen=True, slots=True)
class MetricsApp:
    """The ASGI app of `/metrics`, for whoever has the key of the metrics."""

    metrics: Metrics
    key: Secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, given = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
        digests = [hashlib.sha256(each.encode()).digest() for each in (given.strip(), self.key.reveal())]
        answer: Response
        if scheme.casefold() != "bearer" or not hmac.compare_digest(*digests):
            answer = PlainTextResponse("Send the key of the metrics.\n", 401, CHALLENGE)
        elif scope["method"] not in ("GET", "HEAD"):
            answer = PlainTextResponse("Only GET is answered here.\n", 405)
        else:
            answer = Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)
        await answer(scope, receive, send)
