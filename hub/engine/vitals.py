"""Vitals: what the hub says of its own state, for health checks and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. detail: what was found, in a few words. vital: without it the web cannot do its work."""

    name: str
    ok: bool
    detail: str = ""
    vital: bool = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counts at one moment.

    events, runs, steps: by state or outcome. lag_seconds: how long the oldest delivery has waited to be admitted.
    lane_lag_seconds: how long the oldest admitted event has waited to be worked, but for parked lanes. outbox: calls
    by (connection, state). breakers: the state of each connection (ok, failing, open, needs_reconnecting). postings: of the
    ledger, by kind. missed: facts that webhooks left out, by connection. spend: differences with what providers say they sold,
    by (connection, kind). timers: failures in a row of those that are set
    aside. database_bytes: by file. oldest_delivery_seconds: how far back the inbox goes.
    """

    events: Mapping[str, int] = field(default_factory=dict)
    lag_seconds: float = 0
    lane_lag_seconds: float = 0
    runs: Mapping[str, int] = field(default_factory=dict)
    steps: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[tuple[str, str], int] = field(default_factory=dict)
    breakers: Mapping[str, str] = field(default_factory=dict)
    postings: Mapping[str, int] = field(default_factory=dict)
    missed: Mapping[str, int] = field(default_factory=dict)
    spend: Mapping[tuple[str, str], int] = field(default_factory=dict)
    timers: Mapping[str, int] = field(default_factory=dict)
    database_bytes: Mapping[str, int] = field(default_factory=dict)
    oldest_delivery_seconds: float = 0
