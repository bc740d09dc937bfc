"""Worker: the loop that changes `hub.db`: admits, works, talks to platforms and lets time pass.

Everything that it does is a transaction that ends with the database one step further; killing it between any two loses
nothing. It sleeps on a bell and wakes for the next moment that is due. Where a database takes several workers, each takes its
places among them: the calls of a connection are made by one, and one lets time pass; lanes and inbox are taken as they come.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from hub import log
from hub.clock import Clock, to_text
from hub.engine.batch import Batch
from hub.engine.calling import Calling
from hub.engine.commands import Commands
from hub.engine.events import queries
from hub.engine.inbox import Inbox
from hub.engine.intake import Intake
from hub.engine.lanes import Lanes
from hub.engine.outbox import Outbox
from hub.engine.plans import Plans
from hub.engine.schedule import Schedule
from hub.engine.timekeeper import Timekeeper
from hub.engine.transactions import Transactions
from hub.ledger import seal
from hub.sdk import Connection
from hub.store import OutOfReach, Store
from hub.store.lock import WORKER, Places
from hub.store.wake import Bell

_LOG = log.get(__name__)
_CALLER = "caller:"
_SLEEP_SECONDS_MOST = 5.0
_PACE_SECONDS = 0.05
_OTHERS_SECONDS = 1.0
_LANE_SECONDS = 0.1
_TROUBLE_SECONDS, _TROUBLE_SECONDS_MOST = 1.0, 15.0
_LOOK_EVERY = timedelta(seconds=2)
_CHECKPOINT_EVERY = timedelta(minutes=5)
_BEAT_EVERY = timedelta(seconds=10)
_FORGOTTEN_AFTER = timedelta(days=1)


class Worker:
    """Works until it is told to stop. ring: wakes all workers of the database."""

    def __init__(
        self,
        *,
        name: str,
        store: Store,
        clock: Clock,
        transactions: Transactions,
        places: Places,
        plans: Plans,
        inbox: Inbox,
        commands: Commands,
        connections: Mapping[str, Connection],
        outbox: Outbox,
        schedule: Schedule,
        bell: Bell,
        ring: Callable[[], None],
    ) -> None:
        self._name = name
        self._store = store
        self._clock = clock
        self._transactions = transactions
        self._places = places
        self._plans = plans
        self._intake = Intake(transactions, inbox, commands, connections)
        self._lanes = Lanes(transactions)
        self._calling = Calling(transactions, outbox, connections)
        self._outbox = outbox
        self._time = Timekeeper(transactions, store, schedule)
        self._bell = bell
        self._ring = ring
        self._connections: frozenset[str] | None = None
        self._unbegun: set[str] = set()
        self._next_due: datetime | None = None
        self._is_left = False
        self._look_at = clock.now()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then what has been begun is finished and noted."""
        checkpoint_at, beat_at, pause = self._clock.now() + _CHECKPOINT_EVERY, self._clock.now(), _TROUBLE_SECONDS
        while not stop.is_set():
            try:
                if not self.step():
                    self._bell.wait(self._rest())
                if self._clock.now() >= beat_at:
                    self._transactions.do(self._beat)
                    beat_at = self._clock.now() + _BEAT_EVERY
                if self._clock.now() >= checkpoint_at:
                    self._tidy_up()
                    checkpoint_at = self._clock.now() + _CHECKPOINT_EVERY
            except Exception:  # noqa: BLE001 - a full disk or a lost database must not end the worker; nothing is lost meanwhile
                _LOG.exception("the worker is in trouble and tries again")
                stop.wait(pause)
                pause = min(2 * pause, _TROUBLE_SECONDS_MOST)
            else:
                pause = _TROUBLE_SECONDS
        self.close()

    def close(self) -> None:
        """Finish the calls that are being made, and note what became of them."""
        self._outbox.close()
        with suppress(OutOfReach):  # what could not be noted is taken up by whoever works next
            while self._calling.record():
                pass
            self._transactions.do(self._end)

    def seal(self) -> None:
        """Bind the newest transactions of the ledger into a block."""
        self._transactions.do(lambda batch: seal(batch.unit, batch.now), alone=True)

    def drain(self) -> int:
        """Work everything that is due at the clock's time, calls included; gives how many rounds had work."""
        rounds = 0
        while True:
            if self.step():
                rounds += 1
            elif self._outbox.in_flight:
                self._calling.record(wait_seconds=_SLEEP_SECONDS_MOST)
            elif self._outbox.is_paced or self._is_left:
                self._bell.wait(_PACE_SECONDS)
            elif (due := self.next_due()) is None or due > self._clock.now():
                return rounds

    def step(self) -> bool:
        """One round; True when there was anything to do."""
        self._take_places()
        if self._clock.now() >= self._look_at:
            self._next_due = None  # what was worked meanwhile may be due earlier than what was known
            self._look_at = self._clock.now() + _LOOK_EVERY
        did = self._calling.record()
        with self._store.read() as session:
            seen = session.row(queries.state_of_work)
            call_due = self._outbox.next_due(session, self._clock.now())
        assert seen is not None
        # What waits in a lane goes before what comes to it.
        is_ready = seen["ready"] is not None
        did |= (is_ready and self._lanes.work()) or self._admit(int(seen["place"] or 0))
        self._is_left = not did and (is_ready or self._intake.is_left)  # another worker is at it, or the lane would be ours
        if call_due is not None and call_due <= self._clock.now():
            did |= self._calling.claim()
        else:
            self._outbox.is_paced = False  # what was left for a moment cannot be made now: its breaker has opened meanwhile
        did |= self._let_time_pass()
        return did

    def next_due(self) -> datetime | None:
        """When time will next set something off here, calls that wait for their next attempt included."""
        with self._store.read() as session:
            moments = [self._outbox.next_due(session, self._clock.now())]
            if WORKER in self._places.held:
                moments.append(self._time.next_due(session))
        known = [moment for moment in moments if moment is not None]
        self._next_due = min(known) if known else None
        return self._next_due

    def _take_places(self) -> None:
        """See which places are ours; begin in those that are new, with what was left there."""
        if self._connections is None:
            self._connections = self._transactions.do(self._start)
            self._unbegun.update(self._places.held)  # taken when this worker joined
        fresh = self._places.take([WORKER, *(_CALLER + name for name in sorted(self._connections))])
        self._unbegun.update(fresh)
        self._unbegun.intersection_update(self._places.held)
        callers = [name.removeprefix(_CALLER) for name in self._places.held if name.startswith(_CALLER)]
        self._outbox.serve(callers)
        if not self._unbegun:
            return
        if WORKER in self._unbegun:
            self._time.begin()
        self._calling.take_up([name for name in callers if _CALLER + name in self._unbegun])
        self._unbegun.clear()
        self._next_due = None

    def _start(self, batch: Batch) -> frozenset[str]:
        """Keep the recipes; gives the connections that calls may be made for."""
        self._plans.keep_versions(batch.unit, batch.now)
        called = {row["connection"] for row in batch.unit.session.rows(queries.connections_called)}
        return frozenset(called | self._outbox.connections)

    def _admit(self, place: int) -> bool:
        admitted = self._intake.work(place)
        if admitted and self._transactions.is_shared:
            self._ring()  # there are lanes to take
        return admitted

    def _let_time_pass(self) -> bool:
        if WORKER not in self._places.held or (self._next_due is not None and self._next_due > self._clock.now()):
            return False
        worked = self._time.work(self._clock.now())
        self._next_due = None
        if not worked:
            with self._store.read() as session:
                self._next_due = self._time.next_due(session)
        return worked

    def _rest(self) -> float:
        if self._outbox.is_paced:
            return _PACE_SECONDS
        if self._outbox.in_flight:
            return _SLEEP_SECONDS_MOST
        due = self.next_due()
        most = _OTHERS_SECONDS if self._transactions.is_shared else _SLEEP_SECONDS_MOST
        if self._is_left:
            most = _LANE_SECONDS
        return most if due is None else min(most, max(0.0, (due - self._clock.now()).total_seconds()))

    def _tidy_up(self) -> None:
        if WORKER in self._places.held:
            self.seal()
            self._store.checkpoint()

    def _beat(self, batch: Batch) -> None:
        batch.unit.append(queries.see_worker, (self._name, to_text(batch.now)))

    def _end(self, batch: Batch) -> None:
        batch.unit.append(queries.forget_workers, (self._name, to_text(batch.now - _FORGOTTEN_AFTER)))
