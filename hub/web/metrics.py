"""Metrics: counts of this process and of the databases, in Prometheus's text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.engine.vitals import Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The numbers of one web process, with a registry of their own. snapshot: the numbers of the databases, when asked."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "hub_deliveries",
            "Deliveries that came to this process, by connection and what became of them",
            ("connection", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "hub_delivery_seconds", "How long a delivery took to be answered", buckets=_SECONDS, registry=self._registry
        )
        self._registry.register(_FromSnapshot(snapshot))
        self._count = cache(lambda connection, outcome: self._deliveries.labels(connection, outcome).inc)

    def observe(self, connection: str, outcome: str, seconds: float) -> None:
        """One delivery was answered."""
        self._count(connection, outcome)()
        self._seconds.observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class _FromSnapshot(Collector):
    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> list[Metric]:
        """Nothing: the databases are asked when somebody reads, not when the process starts."""
        return []

    def collect(self) -> Iterator[Metric]:
        now = self._snapshot()
        yield _gauges("hub_events", "Events, by state", "state", now.events)
        yield GaugeMetricFamily("hub_lag_seconds", "How long the oldest delivery has waited for the worker", now.lag_seconds)
        yield GaugeMetricFamily(
            "hub_lane_lag_seconds", "How long the oldest admitted event has waited to be worked", now.lane_lag_seconds
        )
        yield _gauges("hub_runs", "Runs of recipes, by state", "state", now.runs)
        yield _gauges("hub_steps", "Steps of runs, by outcome", "outcome", now.steps)
        outbox = GaugeMetricFamily("hub_outbox", "Calls to platforms, by connection and state", labels=("connection", "state"))
        for (connection, state), count in sorted(now.outbox.items()):
            outbox.add_metric((connection, state), count)
        yield outbox
        breaker = GaugeMetricFamily("hub_connection_state", "1 for the state of a connection", labels=("connection", "state"))
        for connection, state in sorted(now.breakers.items()):
            breaker.add_metric((connection, state), 1)
        yield breaker
        postings = CounterMetricFamily("hub_ledger_postings", "Transactions in the ledger, by kind", labels=("kind",))
        for kind, count in sorted(now.postings.items()):
            postings.add_metric((kind,), count)
        yield postings
        missed = CounterMetricFamily(
            "hub_missed_facts", "Facts that webhooks left out and that asking has brought", labels=("connection",)
        )
        for connection, count in sorted(now.missed.items()):
            missed.add_metric((connection,), count)
        yield missed
        spend = GaugeMetricFamily(
            "hub_spend_differences", "Where what was bought is not what a provider sold", labels=("connection", "kind")
        )
        for (connection, kind), count in sorted(now.spend.items()):
            spend.add_metric((connection, kind), count)
        yield spend
        yield _gauges("hub_timer_failures", "How often in a row a timer that is set aside broke off", "timer", now.timers)
        yield GaugeMetricFamily(
            "hub_oldest_delivery_seconds", "How old the oldest raw delivery is", now.oldest_delivery_seconds
        )
        yield _gauges("hub_database_bytes", "Space that the databases take, by file", "file", now.database_bytes)


def _gauges(name: str, sentence: str, label: str, counts: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, sentence, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family
