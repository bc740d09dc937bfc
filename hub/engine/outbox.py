"""Outbox: makes the calls that wait, in a pool, and notes what became of them.

A call is noted as begun before it is made and as done with the next segment of its run, in one transaction each; no
transaction is open while a platform answers. So a crash leaves either a call that was not begun, or one that may have been
made: that is repeated, looked up, or held for a person, as its action declares.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from hub import log
from hub.clock import from_text, to_text
from hub.engine import calls, gaps, gate
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.calls import BEGUN, CALLS, UNCERTAIN, Call
from hub.engine.events import Event, queries
from hub.engine.health import HEALTH, Pace, health_of
from hub.engine.inbox import Delivery
from hub.engine.mirrors.outgoing import KINDS as MIRRORING
from hub.engine.mirrors.outgoing import Outgoing
from hub.engine.performer import Outcome, Performer
from hub.engine.refunds import RETURNED
from hub.engine.runner import Runner
from hub.engine.runs import RUNS, WAITING
from hub.engine.schedule import pull_since, pulled_until
from hub.engine.spend.checking import listed
from hub.errors import CallFailed
from hub.sdk import Connection
from hub.sdk.network import CALLS_AT_ONCE
from hub.store import Session, Unit

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
        *,
        keep: Callable[[Sequence[Delivery]], object],
        mirrors: Outgoing,
    ) -> None:
        """keep: puts deliveries into the inbox; it returns when they are on the disk."""
        self._connections = connections
        self._performer = performer
        self._keep = keep
        self._mirrors = mirrors
        self._pace = pace
        self._ring = ring
        # As many threads, at the most, as there can be calls: one platform that is silent takes none from another.
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE * max(1, len(connections)), thread_name_prefix="call")
        self._told: queue.SimpleQueue[list[Outcome]] = queue.SimpleQueue()
        self._flying: dict[str, _Flight] = {}
        self._served: list[str] = []
        self._claimed: list[list[Call]] = []
        self._made: set[tuple[str, int]] = set()
        self.is_paced = False
        """Whether calls that are due were left for a moment, to keep to a connection's rate."""

    @property
    def connections(self) -> frozenset[str]:
        """The names of all connections that there are."""
        return frozenset(self._connections)

    def serve(self, connections: Collection[str]) -> None:
        """Make the calls of these connections, and of no others: nobody else makes them now."""
        self._served = sorted(connections)

    @property
    def in_flight(self) -> int:
        """How many calls are being made."""
        return sum(flight.number for flight in self._flying.values())

    def next_due(self, session: Session, now: datetime) -> datetime | None:
        """When the next call can be made: due, and of a connection that takes calls then."""
        if self._claimed:
            return now
        unit = Unit(session)
        unit.want(HEALTH, self._served)
        shut = {name: health_of(unit, name).open_until for name in self._served}
        until = {name: moment for name, moment in shut.items() if moment is not None and moment > now}
        return min((max(due_at, until.get(name, due_at)) for name, due_at in self._next_calls(session).items()), default=None)

    def recover(self, batch: Batch, connections: Collection[str]) -> int:
        """Take up the calls of these connections that another worker began and never reported of; gives how many there were.

        That says nothing about the platforms: no breaker opens for it.
        """
        batch.unit.session.lock([calls.lane_of(name) for name in connections])
        rows = batch.unit.session.rows(queries.calls_begun, connections=list(connections))
        begun = [call for call in map(calls.from_row, rows) if (call.id, call.attempts) not in self._made]
        self._preload(batch, begun)
        for call in begun:
            if call.note.startswith(calls.RESTORED):  # too long ago for any platform to know it again
                self._hold(batch, call, call.note)
            else:
                self._note_failure(batch, call, CallFailed("the worker was stopped while the call was made", "uncertain"))
        return len(begun)

    def claim(self, batch: Batch) -> None:
        """Note as begun what may be asked now, in groups that go out as one; `launch` makes them, once that is committed."""
        ready = self._begun_after_all(batch)
        due = self._mirrors.ready(batch, self._due(batch))
        batch.events.want_ids([call.event_id for call in due if call.event_id])
        gate.want(batch, [self._performer.address_of(call) for call in due if call.kind != "alert"])
        groups: dict[tuple[str, str], list[Call]] = {}
        kept_back: list[tuple[Call, str]] = []
        taken: dict[str, int] = {}
        for call in due:
            if not self._has_room(batch, call.connection, taken):
                continue
            if why := self._why_not(batch, call):
                kept_back.append((call, why))
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
        self._keep_back(batch, kept_back)
        self._claimed = [[batch.unit.get(CALLS, call.id) or call for call in group] for group in ready]

    def launch(self) -> bool:
        """Make the calls that were claimed; what becomes of them waits in `told`. False when there were none."""
        groups, self._claimed = self._claimed, []
        for group in groups:
            self._flying.setdefault(group[0].connection, _Flight()).number += 1
            self._made.update((call.id, call.attempts) for call in group)
            self._pool.submit(self._make, group)
        return bool(groups)

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
        if self._still_ours(batch, [outcome]):
            batch.unit.put(CALLS, outcome.call.id, outcome.call.held(batch.now, why))

    def record(self, batch: Batch, outcomes: Sequence[Outcome], admission: Admission) -> list[Event]:
        """Note what became of calls and let their runs go on; gives the events that platforms told of."""
        runner, events = Runner(batch), []
        outcomes = self._still_ours(batch, outcomes)
        self._preload(batch, [outcome.call for outcome in outcomes])
        for outcome in outcomes:
            call = outcome.call
            if outcome.error is not None:
                health = health_of(batch.unit, call.connection)
                batch.unit.put(HEALTH, call.connection, health.failed(batch.now, outcome.error.verdict, str(outcome.error)))
                self._note_failure(batch, call, outcome.error)
                continue
            batch.unit.put(HEALTH, call.connection, health_of(batch.unit, call.connection).worked(batch.now))
            if call.kind in MIRRORING:
                self._mirrors.done(batch, call, outcome.shown)
                continue
            done = call.done(batch.now, outcome.result)
            batch.unit.put(CALLS, done.id, done)
            if call.is_action:
                self._mirrors.acted(batch, call)
                self._go_on(batch, runner, done, "done", outcome.result or {})
                continue
            if listed(batch.unit, call, outcome.told):
                continue
            before = len(admission.new)
            delivery = call.input.get("delivery")
            events += admission.place_told(call.connection, outcome.told, delivery, batch.now, asked_at=call.changed_at)
            if call.kind == "pull":
                since = datetime.fromisoformat(str(call.input["since"]))
                pulled_until(batch.unit, call.connection, call.name, since, call.changed_at)
                gaps.note(batch, call, self._connections.get(call.connection), admission.new[before:])
        return events

    def close(self) -> None:
        """Wait for the calls that are being made; what they tell is lost only to this process, not to the database."""
        self._pool.shutdown(wait=True)

    def noted(self, outcomes: Sequence[Outcome]) -> None:
        """What became of these calls is written."""
        self._made.difference_update((outcome.call.id, outcome.call.attempts) for outcome in outcomes)

    def _still_ours(self, batch: Batch, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Without the calls that another worker has taken up meanwhile, because this one was cut off."""
        batch.unit.session.lock([calls.lane_of(outcome.call.connection) for outcome in outcomes])
        batch.unit.want(CALLS, [outcome.call.id for outcome in outcomes])
        ours = [outcome for outcome in outcomes if _is_begun(batch.unit.get(CALLS, outcome.call.id), outcome.call)]
        if len(ours) < len(outcomes):
            _LOG.warning(
                "calls were taken up by another worker; what became of them here is left out", count=len(outcomes) - len(ours)
            )
        return ours

    def _begun_after_all(self, batch: Batch) -> list[list[Call]]:
        """The groups that were claimed last, where it was not known whether the commit was made, and it was."""
        last = [call for group in self._claimed for call in group]
        batch.unit.session.lock([calls.lane_of(call.connection) for call in last])
        batch.unit.want(CALLS, [call.id for call in last])
        return [group for group in self._claimed if all(_is_begun(batch.unit.get(CALLS, call.id), call) for call in group)]

    def _due(self, batch: Batch) -> list[Call]:
        session = batch.unit.session
        called = {name for name, due_at in self._next_calls(session).items() if due_at <= batch.now}
        paced = {name for name in called if not self._pace.has(name, self._performer.rate_of(name))}
        self.is_paced = bool(paced)
        # What cannot be asked now is not even looked at, else its calls would stand before those of all others.
        able = [name for name in self._open(batch) if name in called - paced and self._has_room(batch, name, {})]
        session.lock([calls.lane_of(name) for name in able])
        asked = {"now": to_text(batch.now), "most": _CLAIMED_MOST}
        rows = [row for name in able for row in session.rows(queries.calls_due, connection=name, **asked)]
        rows.sort(key=lambda row: (row["due_at"], row["id"]))
        return [calls.from_row(row) for row in rows[:_CLAIMED_MOST]]

    def _next_calls(self, session: Session) -> dict[str, datetime]:
        """When the next call is due of each connection that is served and has any."""
        rows = session.rows(queries.next_calls)
        return {row["connection"]: from_text(row["due_at"]) for row in rows if row["connection"] in self._served}

    def _begun(self, batch: Batch, call: Call) -> Call:
        if call.kind == "pull" and "since" not in call.input:
            since = pull_since(batch.unit, call.connection, call.name, batch.now)
            call = call._replace(input={**call.input, "since": since.isoformat()})
        return call.begun(batch.now)

    def _preload(self, batch: Batch, concerned: Sequence[Call]) -> None:
        """Read in sets what the runs of these calls will ask for."""
        members = [call.member_id for call in concerned if call.member_id and call.run_id]
        batch.unit.session.lock({call.lane for call in concerned if call.run_id})
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

    def _open(self, batch: Batch) -> list[str]:
        batch.unit.want(HEALTH, self._served)
        return [name for name in self._served if not health_of(batch.unit, name).is_closed_to_calls(batch.now)]

    def _has_room(self, batch: Batch, connection: str, taken: Mapping[str, int]) -> bool:
        flying = self._flying.get(connection, _Flight()).number + taken.get(connection, 0)
        most = 1 if health_of(batch.unit, connection).is_probing else CALLS_AT_ONCE
        return flying < most

    def _why_not(self, batch: Batch, call: Call) -> str:
        """Why the messaging gate keeps the call back; empty when it does not."""
        if call.kind == "alert":
            return ""  # the owner is no member; what is sent to them has its own limit
        return gate.why_not(batch, call, *self._performer.address_of(call))

    def _keep_back(self, batch: Batch, kept_back: Sequence[tuple[Call, str]]) -> None:
        """The messaging gate lets these calls not out; their runs go on without them."""
        self._preload(batch, [call for call, _ in kept_back])
        for call, why in kept_back:
            refused = call.refused(batch.now, why)
            batch.unit.put(CALLS, call.id, refused)
            self._go_on(batch, Runner(batch), refused, "blocked", None)  # who reads its result is passed over

    def _note_failure(self, batch: Batch, call: Call, error: CallFailed) -> None:
        if call.kind in MIRRORING and self._mirrors.failed(batch, call, error):
            return
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
        if call.kind in MIRRORING:
            self._mirrors.held(batch, call, note)
        self._go_on(batch, Runner(batch), held, "failed", None)
        _LOG.warning("a call is held for a person", connection=call.connection, call=call.id, reason=note)

    def _go_on(self, batch: Batch, runner: Runner, call: Call, outcome: str, gave: Mapping[str, object] | None) -> None:
        run = batch.unit.get(RUNS, call.run_id) if call.run_id else None
        if run is not None and run.state == WAITING and run.position == call.step:
            runner.resume(run, outcome, gave, given=call.input, why=call.note)


def _is_begun(kept: Call | None, call: Call) -> bool:
    """True when the call is still the one that this worker has begun."""
    return kept is not None and (kept.state, kept.attempts) == (BEGUN, call.attempts)
