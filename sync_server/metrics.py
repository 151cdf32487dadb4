"""Figures for Prometheus."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class _Result(Struct):
    result: str = "unknown"


_results = msgspec.json.Decoder(_Result)

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "regtui_requests", "Requests.", ["method", "path", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "regtui_request_seconds",
            "Time until a request was answered.",
            ["method", "path"],
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._running = Gauge(
            "regtui_requests_running", "Requests being answered.", registry=self._registry
        )
        self._operations = Counter(
            "regtui_operations", "Verdicts given by sync.", ["result"], registry=self._registry
        )
        self._pages = Counter(
            "regtui_sync_pages", "Pages of newer documents.", registry=self._registry
        )
        self._documents = Counter(
            "regtui_sync_documents", "Documents sent.", registry=self._registry
        )

        self._events = Counter(
            "regtui_webhook_events", "Events sent.", ["result"], registry=self._registry
        )
        self._queue = Gauge(
            "regtui_webhook_queue", "Events kept.", ["state"], registry=self._registry
        )

    def sent(self, result: str) -> None:
        """Count an event that was sent: `delivered`, `failed` (it is sent again) or `dead`."""
        self._events.labels(result).inc()

    def queued(self, counts: Mapping[str, int]) -> None:
        """Note how many events wait, and how many are dead."""
        for state, count in counts.items():
            self._queue.labels(state).set(count)

    def begun(self) -> None:
        """Count a request that began."""
        self._running.inc()

    def ended(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request that ended."""
        self._running.dec()
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def synced(self, verdicts: Iterable[bytes], documents: int) -> None:
        """Count what a sync answered."""
        self._pages.inc()
        self._documents.inc(documents)
        for verdict in verdicts:
            self._operations.labels(_results.decode(verdict).result).inc()

    def text(self) -> bytes:
        """Return the figures in the format of Prometheus."""
        return generate_latest(self._registry)
