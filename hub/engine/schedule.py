"""Schedule: what time sets off: watches, expiry of lots, sleeping runs, and polls of platforms.

Each reader has a cursor that moves in the transaction of what it found, and every occurrence has a key of its own: so any
downtime is caught up with, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel

from hub.clock import from_text, to_text
from hub.engine import runs
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, Call
from hub.engine.catalogue import BUILT_IN, Catalogue
from hub.engine.cursors import CURSORS, move_time, time_of
from hub.engine.events import queries
from hub.engine.plans import Plans, watch_settings
from hub.engine.runner import Runner
from hub.engine.runs import RUNS, Run
from hub.engine.timers import Timer, Timers
from hub.ledger import next_expiry
from hub.programme.expiry import expire_due
from hub.programme.facts import HubFact
from hub.programme.settings import Programme
from hub.recipes.model import PlannedWhen
from hub.sdk import Connection, Window
from hub.sdk.trigger import Pull
from hub.sdk.watch import Watch
from hub.store import Session, Unit

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
        more: Sequence[Timer] = (),
    ) -> None:
        """hears_webhooks: platforms can reach us; a poll then looks only once a day for what those that tell did not tell.

        more: timers of others; they are worked last.
        """
        self._programme = programme
        self._watched = [_watched(catalogue, when) for when in plans.watched()]
        self._hears_webhooks = hears_webhooks
        self._pulls = [
            (connection, pull) for connection in connections.values() for pull in connection.connector.pulls.values()
        ]

        self._cursors = [watched.cursor for watched in self._watched]
        self._cursors += [_asked(connection, pull) for connection, pull in self._pulls]
        self.timers = Timers(
            [
                *(Timer(one.cursor, partial(self._tick, one), partial(self._sweep, one)) for one in self._watched),
                Timer("expiry", lambda unit: next_expiry(unit.session), _expire),
                Timer("waits", _next_wake, _wake, _hold_first),
                *(Timer(_asked(*one), partial(self._poll_due, *one), partial(self._poll, *one)) for one in self._pulls),
                *more,
            ]
        )

    def begin(self, batch: Batch) -> None:
        """A timer that never ran starts now: what fell due before it existed is not made up for."""
        self.timers.begin(batch)
        for watched in self._watched:
            if time_of(batch.unit, watched.cursor) is None:
                move_time(batch.unit, watched.cursor, batch.now)
        for connection, pull in self._pulls:
            if time_of(batch.unit, _asked(connection, pull)) is None:
                self._poll(connection, pull, batch)

    def _asked_next(self, connection: Connection, pull: Pull, last: datetime) -> datetime:
        usual = pull.every.after(last, self._programme.zone)
        hears = self._hears_webhooks and not pull.always and connection.connector.hears(pull.trigger, connection.settings)
        return max(usual, last + _RECONCILED_EVERY) if hears else usual

    def _cursor(self, unit: Unit, name: str) -> datetime | None:
        unit.want(CURSORS, self._cursors)
        return time_of(unit, name)

    def _tick(self, watched: _Watched, unit: Unit) -> datetime | None:
        since = self._cursor(unit, watched.cursor)
        if since is None:
            return None
        return watched.watch.next_due(_handed(unit, self._programme), since, watched.settings)

    def _sweep(self, watched: _Watched, batch: Batch, most: int) -> bool:
        since, due = time_of(batch.unit, watched.cursor), self._tick(watched, batch.unit)
        if since is None or due is None or due > batch.now:
            return False
        window = Window(since, batch.now)
        told = list(watched.watch.sweep(_handed(batch.unit, self._programme), window, watched.settings))
        facts = [fact for fact in told if isinstance(fact, HubFact)]
        batch.events.want([(BUILT_IN, watched.topic, fact.key) for fact in facts], [])
        for fact in facts:
            batch.record_own(fact, trigger=watched.topic, occurred_at=fact.occurred_at or batch.now)
        if None in told:
            return True  # the window is not done
        move_time(batch.unit, watched.cursor, batch.now)
        return True

    def _poll_due(self, connection: Connection, pull: Pull, unit: Unit) -> datetime | None:
        last = self._cursor(unit, _asked(connection, pull))
        return self._asked_next(connection, pull, last) if last is not None else None

    def _poll(self, connection: Connection, pull: Pull, batch: Batch, most: int = 1) -> bool:
        asked = time_of(batch.unit, _asked(connection, pull))
        if asked is not None and self._asked_next(connection, pull, asked) > batch.now:
            return False
        move_time(batch.unit, _asked(connection, pull), batch.now)
        ask_pull(batch, connection.name, pull.name)
        return True


def _expire(batch: Batch, most: int) -> bool:
    return expire_due(batch.unit, batch.book, batch.tell, batch.now, most) > 0


def _next_wake(unit: Unit) -> datetime | None:
    row = unit.session.row(queries.next_wake)
    return from_text(row["wake_at"]) if row is not None else None


def _to_wake(batch: Batch, most: int) -> list[Run]:
    """The runs whose time has come, earliest first."""
    session, asked = batch.unit.session, {"now": to_text(batch.now), "most": most}
    rows = session.rows(queries.runs_to_wake, **asked)
    if session.lock({row["lane"] for row in rows}):
        held = {row["lane"] for row in rows}  # one of them may have gone on while we waited for its lane
        rows = [row for row in session.rows(queries.runs_to_wake, **asked) if row["lane"] in held]
    found = [runs.from_row(row) for row in rows]
    for run in found:
        batch.unit.know(RUNS, run.id, run)
    return found


def _wake(batch: Batch, most: int) -> bool:
    due, runner = _to_wake(batch, most), Runner(batch)
    for run in due:
        runner.wake(run)
    return bool(due)


def _hold_first(batch: Batch, why: str) -> None:
    for run in _to_wake(batch, 1):
        batch.unit.put(RUNS, run.id, run.moved(runs.HELD, batch.now, note=why))


def ask_pull(batch: Batch, connection: str, pull: str, since: datetime | None = None) -> Call:
    """Ask a platform for its records since its cursor, or since the moment given."""
    now = batch.now
    asked: dict[str, Any] = {} if since is None else {"since": since.isoformat(), "is_history": True}
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
