"""Outbox: makes the calls that wait, in a pool, and notes what became of them.

A call is noted as begun before it is made and as done with the next segment of its run, in one transaction each; no
transaction is open while a platform answers. So a crash leaves either a call that was not begun, or one that may have been
made: that is repeated, looked up, or held for a person, as its action declares.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from hub import log
from hub.clock import from_text, to_text
from hub.engine import calls, gate
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.calls import CALLS, UNCERTAIN, Call
from hub.engine.events import Event, queries
from hub.engine.health import HEALTH, Pace, health_of
from hub.engine.inbox import Delivery
from hub.engine.performer import Outcome, Performer
from hub.engine.refunds import RETURNED
from hub.engine.runner import Runner
from hub.engine.runs import RUNS, WAITING
from hub.engine.schedule import pull_since, pulled_until
from hub.errors import CallFailed
from hub.sdk import Connection
from hub.store import Session, Unit

AT_ONCE_PER_CONNECTION = 24
"""Calls in the air: enough for 200 a second of a platform that takes a tenth of a second to answer."""

_LOG = log.get(__name__)
_CLAIMED_MOST = 64
_KEPT_MOST = 500  # at once; the door's deliveries go by the same way and must not find it full


@dataclass(slots=True)
class _Flight:
    """How many calls a connection has in the air."""

    number: int = 0


class Outbox:
    """The calls of one worker. Only the worker's thread touches the database; the pool only asks and tells."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        performer: Performer,
        pace: Pace,
        ring: Callable[[], None],
        keep: Callable[[Sequence[Delivery]], object],
    ) -> None:
        """keep: puts deliveries into the inbox; it returns when they are on the disk."""
        self._connections = connections
        self._performer = performer
        self._keep = keep
        self._pace = pace
        self._ring = ring
        # As many threads, at the most, as there can be calls: one platform that is silent takes none from another.
        self._pool = ThreadPoolExecutor(AT_ONCE_PER_CONNECTION * max(1, len(connections)), thread_name_prefix="call")
        self._told: queue.SimpleQueue[list[Outcome]] = queue.SimpleQueue()
        self._flying: dict[str, _Flight] = {}
        self.is_paced = False
        """Whether calls that are due were left for a moment, to keep to a connection's rate."""

    @property
    def in_flight(self) -> int:
        """How many calls are being made."""
        return sum(flight.number for flight in self._flying.values())

    def next_due(self, session: Session, now: datetime) -> datetime | None:
        """When the next call can be made: due, and of a connection that takes calls then."""
        unit = Unit(session)
        unit.want(HEALTH, list(self._connections))
        shut = {name: health_of(unit, name).open_until for name in self._connections}
        until = {name: moment for name, moment in shut.items() if moment is not None and moment > now}
        row = session.row(queries.next_call, closed=list(until))
        moments = [from_text(row["due_at"])] if row is not None else []
        if until:
            rows = session.rows(queries.next_calls_of, connections=list(until))
            moments += [max(from_text(one["due_at"]), until[one["connection"]]) for one in rows]
        return min(moments) if moments else None

    def recover(self, batch: Batch) -> int:
        """Take up the calls that a worker began and never reported of; gives how many there were.

        That says nothing about the platforms: no breaker opens for it.
        """
        rows = batch.unit.session.rows(queries.calls_begun)
        for row in rows:
            call = calls.from_row(row)
            if call.note.startswith(calls.RESTORED):  # too long ago for any platform to know it again
                self._hold(batch, call, call.note)
            else:
                self._note_failure(batch, call, CallFailed("the worker was stopped while the call was made", "uncertain"))
        return len(rows)

    def claim(self, batch: Batch) -> list[list[Call]]:
        """Note as begun what may be asked now, in groups that go out as one; call `launch` once that is committed."""
        paced = [name for name in self._connections if not self._pace.has(name, self._performer.rate_of(name))]
        waiting = batch.unit.session.rows(queries.next_calls_of, connections=paced) if paced else []
        self.is_paced = any(from_text(row["due_at"]) <= batch.now for row in waiting)
        # What cannot be asked now is not even looked at, else its calls would stand before those of all others.
        closed = [*self._closed(batch), *paced, *(name for name in self._connections if not self._has_room(batch, name, {}))]
        rows = batch.unit.session.rows(queries.calls_due, now=to_text(batch.now), closed=closed, most=_CLAIMED_MOST)
        due = [calls.from_row(row) for row in rows]
        self._preload(batch, due)
        gate.want(batch, [self._performer.address_of(call) for call in due if call.kind != "alert"])
        groups: dict[tuple[str, str], list[Call]] = {}
        ready: list[list[Call]] = []
        taken: dict[str, int] = {}
        for call in due:
            if not self._has_room(batch, call.connection, taken):
                continue
            if self._gate(batch, call):
                continue
            most = self._performer.batch_of(call)
            group = groups.get((call.connection, call.name))
            if most > 1 and group is not None and len(group) < most:
                group.append(call)
            else:
                if not self._pace.take(call.connection, self._performer.rate_of(call.connection)):
                    self.is_paced = True
                    continue
                taken[call.connection] = taken.get(call.connection, 0) + 1
                group = groups[call.connection, call.name] = [call]
                ready.append(group)
            batch.unit.put(CALLS, call.id, self._begun(batch, call))
        return [[batch.unit.get(CALLS, call.id) or call for call in group] for group in ready]

    def launch(self, groups: Sequence[list[Call]]) -> None:
        """Make the calls; what becomes of them waits in `told`."""
        for group in groups:
            self._flying.setdefault(group[0].connection, _Flight()).number += 1
            self._pool.submit(self._make, group)

    def told(self, *, wait_seconds: float = 0) -> list[Outcome]:
        """What has been told since the last time; waits so long for the first, where asked to."""
        found: list[Outcome] = []
        try:
            group = self._told.get(timeout=wait_seconds) if wait_seconds else self._told.get_nowait()
            while True:
                found += group
                self._flying[group[0].call.connection].number -= 1
                group = self._told.get_nowait()
        except queue.Empty:
            return found

    def tell_again(self, outcomes: Sequence[Outcome]) -> None:
        """What could not be noted is told once more at the next look."""
        for outcome in outcomes:
            self._flying[outcome.call.connection].number += 1
            self._told.put([outcome])

    def give_up(self, batch: Batch, outcome: Outcome, why: str) -> None:
        """Hold a call of which nothing else can be noted."""
        batch.unit.put(CALLS, outcome.call.id, outcome.call.held(batch.now, why))

    def record(self, batch: Batch, outcomes: Sequence[Outcome], admission: Admission) -> list[Event]:
        """Note what became of calls and let their runs go on; gives the events that platforms told of."""
        runner = Runner(batch)
        self._preload(batch, [outcome.call for outcome in outcomes])
        events: list[Event] = []
        for outcome in outcomes:
            call = outcome.call
            if outcome.error is not None:
                health = health_of(batch.unit, call.connection)
                batch.unit.put(HEALTH, call.connection, health.failed(batch.now, outcome.error.verdict, str(outcome.error)))
                self._note_failure(batch, call, outcome.error)
                continue
            batch.unit.put(HEALTH, call.connection, health_of(batch.unit, call.connection).worked(batch.now))
            done = call.done(batch.now, outcome.result)
            batch.unit.put(CALLS, done.id, done)
            if call.is_action:
                self._go_on(batch, runner, done, "done", outcome.result or {})
                continue
            events += admission.place_told(call.connection, outcome.told, call.input.get("delivery"), batch.now)
            if call.kind == "pull":
                since = datetime.fromisoformat(str(call.input["since"]))
                pulled_until(batch.unit, call.connection, call.name, since, call.changed_at)
        return events

    def close(self) -> None:
        """Wait for the calls that are being made; what they tell is lost only to this process, not to the database."""
        self._pool.shutdown(wait=True)

    def _begun(self, batch: Batch, call: Call) -> Call:
        if call.kind == "pull" and "since" not in call.input:
            since = pull_since(batch.unit, call.connection, call.name, batch.now)
            call = call._replace(input={**call.input, "since": since.isoformat()})
        return call.begun(batch.now)

    def _preload(self, batch: Batch, concerned: Sequence[Call]) -> None:
        """Read in sets what the runs of these calls will ask for."""
        members = [call.member_id for call in concerned if call.member_id]
        batch.unit.want(RUNS, [call.run_id for call in concerned if call.run_id])
        events = [call.event_id for call in concerned if call.event_id]
        batch.events.want_ids(events)
        batch.unit.want(RETURNED, events)
        batch.roll.want_members(members)
        batch.book.want_balances(members)

    def _make(self, group: list[Call]) -> None:
        try:
            outcomes = self._performer.perform(group)
            # Before the cursor passes them; a crash in between brings them again, as the same deliveries.
            unread = [record for outcome in outcomes for record in outcome.unread]
            for start in range(0, len(unread), _KEPT_MOST):
                self._keep(unread[start : start + _KEPT_MOST])
        except Exception as error:  # noqa: BLE001 - a thread of the pool must always tell
            _LOG.exception("a call broke off", connection=group[0].connection, call=group[0].id)
            failure = CallFailed(log.in_words(error), "uncertain")
            outcomes = [Outcome(call, error=failure) for call in group]
        self._told.put(outcomes)
        self._ring()

    def _closed(self, batch: Batch) -> list[str]:
        batch.unit.want(HEALTH, list(self._connections))
        now = batch.now
        return [name for name in self._connections if health_of(batch.unit, name).is_closed_to_calls(now)]

    def _has_room(self, batch: Batch, connection: str, taken: Mapping[str, int]) -> bool:
        flying = self._flying.get(connection, _Flight()).number + taken.get(connection, 0)
        most = 1 if health_of(batch.unit, connection).is_probing else AT_ONCE_PER_CONNECTION
        return flying < most

    def _gate(self, batch: Batch, call: Call) -> bool:
        """True when the messaging gate keeps the call back; then its run goes on without it."""
        if call.kind == "alert":
            return False  # the owner is no member; what is sent to them has its own limit
        why = gate.why_not(batch, call, *self._performer.address_of(call))
        if not why:
            return False
        refused = call.refused(batch.now, why)
        batch.unit.put(CALLS, call.id, refused)
        self._go_on(batch, Runner(batch), refused, "blocked", None)  # who reads its result is passed over
        return True

    def _note_failure(self, batch: Batch, call: Call, error: CallFailed) -> None:
        uncertain = error.verdict == "uncertain" and not self._performer.may_repeat(call)
        delay = calls.delay_after(call.attempts, batch.random, error.retry_after_seconds)
        # A doubt stays until the call is done: what fails after it may have been the look whether it was.
        doubt = error.verdict == "uncertain" or call.note.startswith(UNCERTAIN)
        note = f"{UNCERTAIN}{error}" if doubt else str(error)
        if error.verdict != "lasting" and not uncertain and delay is not None:
            batch.unit.put(CALLS, call.id, call.again(batch.now, batch.now + delay, note))
        else:
            self._hold(batch, call, note)

    def _hold(self, batch: Batch, call: Call, note: str) -> None:
        held = call.held(batch.now, note)
        batch.unit.put(CALLS, call.id, held)
        self._go_on(batch, Runner(batch), held, "failed", None)
        _LOG.warning("a call is held for a person", connection=call.connection, call=call.id, reason=note)

    def _go_on(self, batch: Batch, runner: Runner, call: Call, outcome: str, gave: Mapping[str, object] | None) -> None:
        run = batch.unit.get(RUNS, call.run_id) if call.run_id else None
        if run is not None and run.state == WAITING and run.position == call.step:
            runner.resume(run, outcome, gave, given=call.input, why=call.note)
