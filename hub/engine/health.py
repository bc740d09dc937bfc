"""Health: how each connection is, its circuit breaker and its pace.

The breaker opens after failures in a row and lets one probe through when its time is up. State is kept in the database (a
page shows it); the pace is of this process and steady time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from hub.clock import Monotonic, from_text, to_text
from hub.engine.events import queries
from hub.errors import Verdict
from hub.sdk.rate import Rate
from hub.store import Session, Space, Unit

State = Literal["ok", "failing", "open", "needs_reconnecting"]

_FAILURES_MOST = 5
_OPEN_FOR = timedelta(minutes=1)
_OPEN_FOR_MOST = timedelta(minutes=30)
_RECONNECT_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection has answered of late."""

    connection: str
    state: State = "ok"
    failures: int = 0
    open_until: datetime | None = None
    last_ok_at: datetime | None = None
    last_heard_at: datetime | None = None
    last_error: str = ""

    def worked(self, now: datetime) -> Health:
        """A call succeeded."""
        return replace(self, state="ok", failures=0, open_until=None, last_ok_at=now, last_error="")

    def failed(self, now: datetime, verdict: Verdict, error: str) -> Health:
        """A call failed. A lasting failure says nothing about the platform: it answered."""
        if verdict == "lasting":
            return replace(self, failures=0, last_error=error) if self.state == "ok" else self.worked(now)
        failures = self.failures + 1
        if verdict == "reconnect":
            return replace(
                self, state="needs_reconnecting", failures=failures, open_until=now + _RECONNECT_FOR, last_error=error
            )
        if self.state == "open" and self.is_closed_to_calls(now):
            return replace(self, last_error=error)  # it was under way when the breaker opened, and says nothing new
        if failures < _FAILURES_MOST:
            return replace(self, state="failing", failures=failures, last_error=error)
        pause = min(_OPEN_FOR * 2 ** min(failures - _FAILURES_MOST, 10), _OPEN_FOR_MOST)
        return replace(self, state="open", failures=failures, open_until=now + pause, last_error=error)

    def is_closed_to_calls(self, now: datetime) -> bool:
        """True while nothing may be asked of the platform."""
        return self.open_until is not None and now < self.open_until

    @property
    def is_probing(self) -> bool:
        """True when the next call is a probe: one at a time."""
        return self.open_until is not None


def _load(session: Session, connections: Collection[str]) -> Mapping[str, Health]:
    return {
        row["connection"]: Health(
            connection=row["connection"],
            state=row["state"],
            failures=row["failures"],
            open_until=from_text(row["open_until"]) if row["open_until"] else None,
            last_ok_at=from_text(row["last_ok_at"]) if row["last_ok_at"] else None,
            last_heard_at=from_text(row["last_heard_at"]) if row["last_heard_at"] else None,
            last_error=row["last_error"],
        )
        for row in session.rows(queries.health_of, connections=list(connections))
    }


def _row(_: str, health: Health) -> tuple[object, ...]:
    times = [to_text(at) if at else None for at in (health.open_until, health.last_ok_at, health.last_heard_at)]
    return (health.connection, health.state, health.failures, *times, health.last_error)


HEALTH: Space[str, Health] = Space("health", _load, save=queries.save_health, row=_row, missing=Health, lane="health:{}".format)


def health_of(unit: Unit, connection: str) -> Health:
    """How the connection is."""
    return unit.get(HEALTH, connection) or Health(connection)


class Pace:
    """A token bucket for each connection: no more calls at once, and on average, than its rate allows."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def has(self, connection: str, rate: Rate | None) -> bool:
        """True when a call might be made now."""
        return rate is None or self._tokens(connection, rate, self._monotonic()) >= 1

    def take(self, connection: str, rate: Rate | None) -> bool:
        """True when a call may be made now; it counts."""
        if rate is None:
            return True
        now = self._monotonic()
        tokens = self._tokens(connection, rate, now)
        taken = tokens >= 1
        self._buckets[connection] = (tokens - 1 if taken else tokens, now)
        return taken

    def _tokens(self, connection: str, rate: Rate, now: float) -> float:
        most = float(rate.calls)
        tokens, since = self._buckets.get(connection, (most, now))
        return min(most, tokens + (now - since) * rate.calls / rate.seconds)
