"""Readings: the hub's vitals, read from its databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.clock import Clock, from_text, to_text
from hub.engine import calls, events, runs
from hub.engine.cursors import INBOX
from hub.engine.events import queries
from hub.engine.inbox import Inbox
from hub.engine.spend.standing import differing_now
from hub.engine.timers import held_timers
from hub.engine.vitals import Check, Snapshot
from hub.store import Store
from hub.store.tally import tallies

_ROOM_LEAST = 100 * 10**6
_SILENCE_MOST = timedelta(seconds=60)


def checks(store: Store, inbox_store: Store, clock: Clock) -> list[Check]:
    """Whether the databases answer and are up to date, what timers do, and when a worker was last heard of."""
    behind = [*store.missing_steps(), *inbox_store.missing_steps()]
    told = f"not taken yet: {', '.join(behind)}" if behind else "up to date"
    found = [Check("store", ok=True), Check("migrations", ok=not behind, detail=told)]
    room = inbox_store.room_bytes()
    if room is not None:
        found.append(Check("disk", ok=room >= _ROOM_LEAST, detail=f"{room // 10**6:,} MB are free", vital=False))
    return found if behind else [*found, _timers(store), _workers(store, clock)]


def _timers(store: Store) -> Check:
    with store.read() as session:
        held = held_timers(session).values()
    failing = "; ".join(f"{one.name} broke off {one.failures} times in a row, see `hub held`" for one in held)
    return Check("timers", ok=not held, detail=failing or "all in time", vital=False)


def _workers(store: Store, clock: Clock) -> Check:
    with store.read() as session:
        row = session.row(queries.workers_seen, since=to_text(clock.now() - _SILENCE_MOST))
    assert row is not None
    if row["seen_at"] is None:
        return Check("worker", ok=False, detail="none is there", vital=False)
    silence = max(0, int((clock.now() - from_text(row["seen_at"])).total_seconds()))
    there = f"{row['number']} there, " if row["number"] > 1 else ""
    return Check("worker", ok=row["number"] > 0, detail=f"{there}seen {silence} seconds ago", vital=False)


def snapshot(store: Store, inbox: Inbox, measured: Sequence[Store], clock: Clock) -> Snapshot:
    """The counts that metrics show."""
    with store.read() as session:
        place = session.row(queries.cursors, names=[INBOX])
        counted = tallies(session)
        open_events = {events.STATES[row["state"]]: row["number"] for row in session.rows(queries.count_events)}
        open_runs = {runs.STATES[row["state"]]: row["number"] for row in session.rows(queries.count_runs)}
        outbox = {(row["connection"], calls.STATES[row["state"]]): row["number"] for row in session.rows(queries.count_calls)}
        held = {timer.name: timer.failures for timer in held_timers(session).values()}
        breakers = {row["connection"]: row["state"] for row in session.rows(queries.all_health)}
        ready = session.row(queries.oldest_ready)
        differing = differing_now(session)
    return Snapshot(
        events={**counted.get("event", {}), **open_events},
        lag_seconds=_age(inbox.oldest_after(int(place["value"]) if place is not None else 0), clock),
        lane_lag_seconds=_age(from_text(ready["recorded_at"]) if ready is not None else None, clock),
        runs={**counted.get("run", {}), **open_runs},
        steps=counted.get("step", {}),
        outbox=outbox,
        breakers=breakers,
        postings=counted.get("posting", {}),
        missed=counted.get("missed", {}),
        spend={(name, kind): number for name, one in differing.items() for kind, number in one.kinds.items()},
        timers=held,
        database_bytes={one.name: one.size_bytes() for one in measured},
        oldest_delivery_seconds=_age(inbox.oldest_after(0), clock),
    )


def _age(moment: datetime | None, clock: Clock) -> float:
    """In seconds; 0 when there is nothing."""
    return max(0.0, (clock.now() - moment).total_seconds()) if moment is not None else 0
