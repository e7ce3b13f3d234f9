"""The counters: what GET /metrics says, in Prometheus's format."""

import os
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

# the folder in which several workers share their counts, so that each reports those of all
SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Counters:
    """What one process counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "serve_requests", "Requests answered", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "serve_predict_seconds",
            "Seconds from a prediction's request to its answer",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.rows = Counter(
            "serve_rows", "Rows predicted", ["model_version"], registry=self.registry
        )
        self.logged = Counter(
            "serve_log_rows",
            "Rows for the inference log: written, or lost to a full memory or disk",
            ["outcome"],
            registry=self.registry,
        )
        self.reloads = Counter(
            "serve_reloads",
            "Versions that an alias named anew",
            ["alias", "outcome"],
            registry=self.registry,
        )
        self.model_version = Gauge(
            "serve_model_version",
            "The version that is served",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        # to look up the counter of some labels takes longer than to count
        self.requests_of = cache(self.requests.labels)
        self.rows_of = cache(self.rows.labels)
        for outcome in ("written", "full", "disk"):
            self.logged.labels(outcome)

    def count_logged(self, outcome: str, rows: int) -> None:
        """Count rows of the inference log by what became of them."""
        self.logged.labels(outcome).inc(rows)

    def text(self) -> bytes:
        """Return the counts of all workers in Prometheus's format."""
        registry = self.registry
        if SHARED_METRICS in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)
