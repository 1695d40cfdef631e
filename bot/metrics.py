"""What the web process counts, and what the database says, as Prometheus reads it.

Counters start at zero with the process; the gauges are read from the store at each scrape, so they
are about all processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from bot.store import Store

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LANES = ("fast", "slow")
_STATES = ("waiting", "running", "done", "dead")
_OUTCOMES = ("intended", "applied", "abandoned", "undone")


class Metrics:
    """The metrics of one web process, in a registry of their own."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self.deliveries = Counter(
            "labelwright_deliveries",
            "Webhook deliveries taken in: result is queued, duplicate or requeued.",
            ["event", "action", "result"],
            registry=self.registry,
        )
        self.refused = Counter(
            "labelwright_refused_deliveries",
            "Webhook deliveries not taken in, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "labelwright_webhook_seconds",
            "Time from the arrival of a delivery to its answer.",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self.registry.register(StoreCollector(store, now=now))

    def render(self) -> bytes:
        """The text of `GET /metrics`, of type CONTENT_TYPE."""
        return generate_latest(self.registry)


class StoreCollector(Collector):
    """Queue, heartbeats and decisions, read from the store when somebody asks."""

    def __init__(self, store: Store, *, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Gauges, as they are at this moment."""
        yield from self._queue()
        yield from self._heartbeats()
        yield from self._decisions()

    def _queue(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("labelwright_jobs", "Jobs.", labels=["lane", "state"])
        counts = self._store.jobs.counts()
        for lane in _LANES:
            for state in _STATES:
                jobs.add_metric([lane, state], counts.get((lane, state), 0))
        yield jobs
        oldest = self._store.jobs.oldest_waiting()
        yield GaugeMetricFamily(
            "labelwright_oldest_job_seconds",
            "How long the longest-overdue waiting job has been due; 0 when none is.",
            value=0.0 if oldest is None else max(0.0, self._now() - oldest),
        )

    def _heartbeats(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "labelwright_heartbeat_age_seconds",
            "Time since the newest sign of life of a kind of process.",
            labels=["process"],
        )
        newest: dict[str, float] = {}
        for beat in self._store.heartbeats.all():
            newest[beat.process] = max(beat.at, newest.get(beat.process, beat.at))
        for process, at in sorted(newest.items()):
            ages.add_metric([process], max(0.0, self._now() - at))
        yield ages

    def _decisions(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "labelwright_decisions",
            "Decisions about issues, recorded so far.",
            value=self._store.decisions.made(),
        )
        labels = GaugeMetricFamily(
            "labelwright_labels", "Labels that we meant to add, by outcome.", labels=["outcome"]
        )
        found = self._store.decisions.outcomes()
        for outcome in _OUTCOMES:
            labels.add_metric([outcome], found.get(outcome, 0))
        yield labels
