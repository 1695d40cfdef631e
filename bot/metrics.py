"""What the web process counts, and what the database says, as Prometheus reads it.

Counters start at zero with the process; the gauges are read from the store at each scrape, so they
are about all processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.store.rows import Standing, TrialState
from bot.store.trainings import LIVE, OUTCOMES
from bot.survey import newest_backup, survey

if TYPE_CHECKING:
    from bot.alarms import State
    from bot.settings import Settings
    from bot.store import Store

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LANES = ("fast", "slow")
_STATES = ("waiting", "running", "done", "dead")
_OUTCOMES = ("intended", "applied", "abandoned", "undone")


class Metrics:
    """The metrics of one web process, in a registry of their own."""

    def __init__(self, settings: Settings, store: Store, *, now: Callable[[], float]) -> None:
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
        self.registry.register(StoreCollector(settings, store, now=now))

    def render(self) -> bytes:
        """The text of `GET /metrics`, of type CONTENT_TYPE."""
        return generate_latest(self.registry)


class StoreCollector(Collector):
    """Queue, heartbeats, decisions and alarms, read from the store when somebody asks."""

    def __init__(self, settings: Settings, store: Store, *, now: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Gauges, as they are at this moment. Of a database that cannot be read, only that."""
        states = survey(self._settings, self._store, now=self._now())
        yield self._alarms(states)
        if any(each.key == "database" and each.severity != "ok" for each in states):
            return
        yield from self._queue()
        yield from self._heartbeats()
        yield from self._decisions()
        yield from self._upkeep()

    def _alarms(self, states: list[State]) -> Metric:
        alarms = GaugeMetricFamily(
            "labelwright_alarm", "1 where something needs the operator, else 0.", labels=["alarm"]
        )
        for state in states:
            alarms.add_metric([state.key], float(state.severity != "ok"))
        return alarms

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

        live = GaugeMetricFamily(
            "labelwright_live_labels",
            "Labels by what live precision says of them.",
            labels=["state"],
        )
        states = self._store.live.counts()
        for state in get_args(Standing):
            live.add_metric([state], states.get(state, 0))
        yield live

        trials = GaugeMetricFamily(
            "labelwright_trials",
            "Versions that the gate refused and new issues judge, or judged, in the shadow.",
            labels=["state"],
        )
        found = self._store.trials.counts()
        for each in get_args(TrialState):
            trials.add_metric([each], found.get(each, 0))
        yield trials

    def _upkeep(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "labelwright_capped_actors",
            "Actors over the cap of label events, of whom the operator has not decided.",
            value=len(self._store.actors.capped()),
        )
        trainings = GaugeMetricFamily(
            "labelwright_trainings", "Trainings that are kept, by state.", labels=["state"]
        )
        found = self._store.trainings.counts()
        for state in (*LIVE, *OUTCOMES):
            trainings.add_metric([state], found.get(state, 0))
        yield trainings
        yield GaugeMetricFamily(
            "labelwright_failed_trainings",
            "Repositories of which the last training failed.",
            value=len(self._store.signs.failed_trainings()),
        )
        backup = newest_backup(self._settings, self._store)
        if backup is not None:
            yield GaugeMetricFamily(
                "labelwright_backup_age_seconds",
                "Time since the newest backup of the database.",
                value=max(0.0, self._now() - backup),
            )
