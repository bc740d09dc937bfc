"""Schedule: what time sets off: watches, expiry of lots, sleeping runs, and polls of platforms.

Each reader has a cursor that moves in the transaction of what it found, and every occurrence has a key of its own: so any
downtime is caught up with, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from hub.clock import from_text, to_text
from hub.engine import runs
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.catalogue import Catalogue
from hub.engine.cursors import CURSORS, move_time, time_of
from hub.engine.events import queries
from hub.engine.plans import Plans, watch_settings
from hub.engine.runner import Runner
from hub.engine.runs import RUNS
from hub.ledger import next_expiry
from hub.programme.expiry import expire_due
from hub.programme.facts import HubFact
from hub.programme.settings import Programme
from hub.recipes.model import PlannedWhen
from hub.sdk import Connection, Window
from hub.sdk.trigger import Pull
from hub.sdk.watch import Watch
from hub.store import Session, Unit

_WOKEN_MOST = 200
_EXPIRED_MOST = 500
# A poll looks back a little: platforms list what just happened only after a while.
_OVERLAP = timedelta(minutes=5)
_FIRST_LOOK_BACK = timedelta(days=1)
_RECONCILED_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A timer that recipes listen to, with its settings."""

    watch: Watch
    settings: BaseModel
    topic: str

    @property
    def cursor(self) -> str:
        return f"watch:{self.topic}"


class Schedule:
    """Finds what is due, and when the next thing will be."""

    def __init__(
        self,
        plans: Plans,
        catalogue: Catalogue,
        programme: Programme,
        connections: Mapping[str, Connection],
        *,
        hears_webhooks: bool,
    ) -> None:
        """hears_webhooks: platforms can reach us, so that a poll only looks once a day for what they did not tell."""
        self._programme = programme
        self._watched = [_watched(catalogue, when) for when in plans.watched()]
        self._hears_webhooks = hears_webhooks
        self._pulls = [
            (connection, pull) for connection in connections.values() for pull in connection.connector.pulls.values()
        ]

        self._cursors = [watched.cursor for watched in self._watched]
        self._cursors += [_asked(connection, pull) for connection, pull in self._pulls]

    def begin(self, batch: Batch) -> None:
        """A timer that never ran starts now: what fell due before it existed is not made up for."""
        for watched in self._watched:
            if time_of(batch.unit, watched.cursor) is None:
                move_time(batch.unit, watched.cursor, batch.now)
        for connection, pull in self._pulls:
            if time_of(batch.unit, _asked(connection, pull)) is None:
                self._poll(batch, connection, pull)

    def next_due(self, session: Session) -> datetime | None:
        """When the next thing falls due; None when nothing is in sight."""
        moments = [moment for moment in self._moments(session) if moment is not None]
        return min(moments) if moments else None

    def work(self, batch: Batch) -> bool:
        """Do what is due now; True when there was anything. The facts it brings are emitted."""
        swept = [self._sweep(batch, watched) for watched in self._watched]
        expired = expire_due(batch.unit, batch.book, batch.tell, batch.now, _EXPIRED_MOST)
        woken = self._wake(batch)
        polled = [self._poll(batch, connection, pull) for connection, pull in self._pulls]
        return any(swept) or expired > 0 or woken or any(polled)

    def _asked_next(self, pull: Pull, last: datetime) -> datetime:
        usual = pull.every.after(last, self._programme.zone)
        return max(usual, last + _RECONCILED_EVERY) if self._hears_webhooks else usual

    def _moments(self, session: Session) -> Iterator[datetime | None]:
        unit = Unit(session)
        unit.want(CURSORS, self._cursors)
        handed = _handed(unit, self._programme)
        for watched in self._watched:
            since = time_of(unit, watched.cursor)
            if since is not None:
                yield watched.watch.next_due(handed, since, watched.settings)
        yield next_expiry(session)
        row = session.row(queries.next_wake)
        yield from_text(row["wake_at"]) if row is not None else None
        for connection, pull in self._pulls:
            last = time_of(unit, _asked(connection, pull))
            yield self._asked_next(pull, last) if last is not None else None

    def _sweep(self, batch: Batch, watched: _Watched) -> bool:
        since = time_of(batch.unit, watched.cursor)
        if since is None or since >= batch.now:
            return False
        handed = _handed(batch.unit, self._programme)
        due = watched.watch.next_due(handed, since, watched.settings)
        if due is None or due > batch.now:
            return False
        window = Window(since, batch.now)
        found = False
        for fact in watched.watch.sweep(handed, window, watched.settings):
            assert isinstance(fact, HubFact)
            found |= batch.record_own(fact, trigger=watched.topic, occurred_at=fact.occurred_at or batch.now)
        move_time(batch.unit, watched.cursor, batch.now)
        return True

    def _wake(self, batch: Batch) -> bool:
        rows = batch.unit.session.rows(queries.runs_to_wake, now=to_text(batch.now), most=_WOKEN_MOST)
        runner = Runner(batch)
        for row in rows:
            run = runs.from_row(row)
            batch.unit.know(RUNS, run.id, run)
            runner.wake(run)
        return bool(rows)

    def _poll(self, batch: Batch, connection: Connection, pull: Pull) -> bool:
        asked = time_of(batch.unit, _asked(connection, pull))
        if asked is not None and self._asked_next(pull, asked) > batch.now:
            return False
        move_time(batch.unit, _asked(connection, pull), batch.now)
        ask_pull(batch, connection.name, pull.name)
        return True


def ask_pull(batch: Batch, connection: str, pull: str, since: datetime | None = None) -> Call:
    """Ask a platform for its records since its cursor, or since the moment given."""
    now = batch.now
    asked: dict[str, Any] = {} if since is None else {"since": since.isoformat()}
    call = Call(
        id=batch.ids.new("call"),
        kind="pull",
        connection=connection,
        name=pull,
        lane=connection,
        input=asked,
        due_at=now,
        created_at=now,
        changed_at=now,
    )
    batch.unit.put(CALLS, call.id, call)
    return call


def pull_since(unit: Unit, connection: str, pull: str, now: datetime) -> datetime:
    """From which moment on a pull asks."""
    since = time_of(unit, f"pull:{connection}:{pull}")
    return now - _FIRST_LOOK_BACK if since is None else since - _OVERLAP


def pulled_until(unit: Unit, connection: str, pull: str, since: datetime, moment: datetime) -> None:
    """A pull has brought everything between these moments; where that leaves a gap, the cursor stays before it."""
    known = time_of(unit, f"pull:{connection}:{pull}")
    if known is None or since <= known < moment:
        move_time(unit, f"pull:{connection}:{pull}", moment)


def _asked(connection: Connection, pull: Pull) -> str:
    return f"poll:{connection.name}:{pull.name}"


def _watched(catalogue: Catalogue, when: PlannedWhen) -> _Watched:
    watch = catalogue.watch(when.name)
    assert watch is not None
    return _Watched(watch, watch_settings(watch, when), when.text)


def _handed(unit: Unit, programme: Programme) -> dict[Any, Any]:
    return {Session: unit.session, Unit: unit, Programme: programme}
