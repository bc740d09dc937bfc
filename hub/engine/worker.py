"""Worker: the one loop that changes `hub.db`: admits, works, lets time pass, and talks to platforms.

Everything that it does is a transaction that ends with the database one step further; killing it between any two loses
nothing. It sleeps on a bell and wakes for the next moment that is due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from hub import log
from hub.clock import Clock, to_text
from hub.engine.admission import Admission
from hub.engine.batch import Batch
from hub.engine.commands import Commands
from hub.engine.cursors import CURSORS, inbox_place, move_inbox
from hub.engine.events import queries
from hub.engine.inbox import Delivery, Inbox
from hub.engine.outbox import Outbox
from hub.engine.performer import Outcome
from hub.engine.plans import Plans
from hub.engine.readings import HEARTBEAT
from hub.engine.schedule import Schedule
from hub.engine.timers import Timer
from hub.engine.workshop import Workshop
from hub.ledger import seal
from hub.sdk import Connection
from hub.store import OutOfReach, Session, Store
from hub.store.lock import LockLost
from hub.store.wake import Bell

_LOG = log.get(__name__)
_ADMITTED_MOST = 500
_READY_MOST = 200
_TIMED_MOST = 500
_SLEEP_SECONDS_MOST = 5.0
_PACE_SECONDS = 0.05
_TROUBLE_SECONDS, _TROUBLE_SECONDS_MOST = 1.0, 15.0
_ROUNDS_BETWEEN_LOOKS = 50
_CHECKPOINT_EVERY = timedelta(minutes=5)


class Worker:
    """Works until it is told to stop. begin: makes a batch on a session at the clock's time."""

    def __init__(
        self,
        *,
        store: Store,
        inbox: Inbox,
        clock: Clock,
        begin: Callable[[Session], Batch],
        plans: Plans,
        schedule: Schedule,
        outbox: Outbox,
        commands: Commands,
        connections: Mapping[str, Connection],
        bell: Bell,
    ) -> None:
        self._store = store
        self._inbox = inbox
        self._clock = clock
        self._begin = begin
        self._plans = plans
        self._schedule = schedule
        self._outbox = outbox
        self._commands = commands
        self._connections = dict(connections)
        self._bell = bell
        self._next_due: datetime | None = None
        self._started = False
        self._rounds = 0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; then what has been begun is finished and noted."""
        checkpoint_at, pause = self._clock.now() + _CHECKPOINT_EVERY, _TROUBLE_SECONDS
        while not stop.is_set():
            try:
                if not self.step():
                    self._beat()
                    self._bell.wait(self._rest())
                if self._clock.now() >= checkpoint_at:
                    self.seal()
                    self._store.checkpoint()
                    checkpoint_at = self._clock.now() + _CHECKPOINT_EVERY
            except LockLost:
                raise
            except Exception:  # noqa: BLE001 - a full disk or a lost database must not end the worker; nothing is lost meanwhile
                _LOG.exception("the worker is in trouble and tries again")
                stop.wait(pause)
                pause = min(2 * pause, _TROUBLE_SECONDS_MOST)
                continue
            pause = _TROUBLE_SECONDS
        self.close()

    def close(self) -> None:
        """Finish the calls that are being made, and note what became of them."""
        self._outbox.close()
        while self._record():
            pass

    def seal(self) -> None:
        """Bind the newest transactions of the ledger into a block."""
        with self._store.write() as session:
            batch = self._begin(session)
            seal(batch.unit, batch.now)
            batch.unit.flush()

    def drain(self) -> int:
        """Work everything that is due at the clock's time, calls included; gives how many rounds had work."""
        rounds = 0
        while True:
            if self.step():
                rounds += 1
            elif self._outbox.in_flight:
                self._record(wait_seconds=_SLEEP_SECONDS_MOST)
            elif self._outbox.is_paced:
                self._bell.wait(_PACE_SECONDS)
            elif (due := self.next_due()) is None or due > self._clock.now():
                return rounds

    def step(self) -> bool:
        """One round; True when there was anything to do."""
        self._start()
        self._rounds += 1
        if self._rounds % _ROUNDS_BETWEEN_LOOKS == 0:
            self._next_due = None  # what was worked meanwhile may be due earlier than what was known
        did = self._record()
        did |= self._ready() or self._admit()  # what waits in a lane goes before what comes to it
        did |= self._call()
        did |= self._timers()
        return did

    def next_due(self) -> datetime | None:
        """When time will next set something off, calls that wait for their next attempt included."""
        with self._store.read() as session:
            scheduled = self._schedule.timers.next_due(session)
            called = self._outbox.next_due(session, self._clock.now())
        moments = [moment for moment in (scheduled, called) if moment is not None]
        self._next_due = min(moments) if moments else None
        return self._next_due

    def _start(self) -> None:
        if self._started:
            return
        with self._store.write() as session:
            batch = self._begin(session)
            self._plans.keep_versions(batch.unit, batch.now)
            self._schedule.begin(batch)
            recovered = self._outbox.recover(batch)
            batch.unit.flush()
        self._started = True
        if recovered:
            _LOG.info("took up calls that were cut off", count=recovered)

    def _ready(self) -> bool:
        with self._store.read() as session:
            if session.row(queries.events_ready, most=1) is None:
                return False
        try:
            self._work_ready(_READY_MOST)
        except Exception:  # noqa: BLE001 - one event must not hold up the others
            _LOG.exception("a batch could not be written; its events are worked one by one")
            self._work_ready_alone()
        return True

    def _work_ready(self, most: int) -> None:
        with self._store.write() as session:
            batch = self._begin(session)
            rows = session.rows(queries.events_ready, most=most)
            Workshop(batch).work([batch.events.from_row(row) for row in rows])
            batch.unit.flush()

    def _work_ready_alone(self) -> None:
        """Work the oldest event that is ready; park it when that cannot be written."""
        try:
            self._work_ready(1)
        except OutOfReach:
            raise
        except Exception as error:  # noqa: BLE001 - a person must see it, and the next one be worked
            _LOG.exception("an event cannot be worked")
            with self._store.write() as session:
                batch = self._begin(session)
                for row in session.rows(queries.events_ready, most=1):
                    Workshop(batch).park(batch.events.from_row(row), f"unexpected {log.in_words(error)}")
                batch.unit.flush()

    def _admit(self) -> bool:
        with self._store.read() as session:
            row = session.row(queries.cursors, names=["inbox"])
        deliveries = self._inbox.after(int(row["value"]) if row else 0, _ADMITTED_MOST)
        if not deliveries:
            return False
        # A command ends its batch: what it sets free is worked before what came after it.
        commands = [place for place, delivery in enumerate(deliveries, start=1) if delivery.kind == "command"]
        deliveries = deliveries[: commands[0]] if commands else deliveries
        try:
            self._admit_together(deliveries)
        except Exception:  # noqa: BLE001 - one delivery must not hold up the others
            _LOG.exception("a batch could not be written; its deliveries are worked one by one", count=len(deliveries))
            for delivery in deliveries:
                self._admit_alone(delivery)
        if commands:
            self._next_due = None  # a timer may have been set off by hand
        return True

    def _admit_together(self, deliveries: Sequence[Delivery]) -> None:
        with self._store.write() as session:
            batch = self._begin(session)
            if inbox_place(batch.unit) >= deliveries[0].seq:
                return
            admission, workshop = Admission(batch, self._connections), Workshop(batch)
            workshop.work(admission.admit([one for one in deliveries if one.kind != "command"]))
            for command in [one for one in deliveries if one.kind == "command"]:
                workshop.work(self._commands.carry_out(batch, command))
            move_inbox(batch.unit, deliveries[-1].seq)
            batch.unit.flush()

    def _admit_alone(self, delivery: Delivery) -> None:
        try:
            self._admit_together([delivery])
        except OutOfReach:
            raise
        except Exception as error:  # noqa: BLE001 - a person must see it, and the next one be worked
            _LOG.exception("a delivery cannot be worked", delivery=delivery.id)
            with self._store.write() as session:
                batch = self._begin(session)
                note = f"unexpected {log.in_words(error)}"
                row = (delivery.id, delivery.seq, delivery.connection, "unreadable", note, to_text(batch.now))
                batch.unit.append(queries.add_receipt, row)
                move_inbox(batch.unit, delivery.seq)
                batch.unit.flush()

    def _timers(self) -> bool:
        if self._next_due is not None and self._next_due > self._clock.now():
            return False
        with self._store.read() as session:
            due = self._schedule.timers.due(session, self._clock.now())
            self._next_due = None if due else self._schedule.timers.next_due(session)
        for timer in due:
            self._time(timer)
        return bool(due)

    def _time(self, timer: Timer) -> None:
        """Let a timer do what is due, in a turn of its own; set it aside when that cannot be done."""
        try:
            try:
                self._work_timer(timer, _TIMED_MOST)
            except Exception:
                if timer.give_up is None:
                    raise
                _LOG.exception("what is due cannot be done together; it is done one by one", timer=timer.name)
                self._time_one_by_one(timer, timer.give_up)
        except Exception as error:  # noqa: BLE001 - one timer must hold up neither calls nor the others
            _LOG.exception("a timer broke off", timer=timer.name)
            with self._store.write() as session:
                batch = self._begin(session)
                self._schedule.timers.set_aside(batch, timer, f"unexpected {log.in_words(error)}")
                batch.unit.flush()

    def _time_one_by_one(self, timer: Timer, give_up: Callable[[Batch, str], None]) -> None:
        """What stands for itself is done by itself; what cannot be done is held alone."""
        did = True
        while did:
            try:
                did = self._work_timer(timer, 1)
            except OutOfReach:
                raise
            except Exception as error:  # noqa: BLE001 - a person must see it, and the next one be done
                _LOG.exception("one of what is due cannot be done", timer=timer.name)
                with self._store.write() as session:
                    batch = self._begin(session)
                    give_up(batch, f"unexpected {log.in_words(error)}")
                    batch.unit.flush()

    def _work_timer(self, timer: Timer, most: int) -> bool:
        with self._store.write() as session:
            batch = self._begin(session)
            did = timer.work(batch, most)
            Workshop(batch).work_emitted()
            self._schedule.timers.worked(batch, timer)
            batch.unit.flush()
        return did

    def _call(self) -> bool:
        with self._store.read() as session:
            due = self._outbox.next_due(session, self._clock.now())
        if due is None or due > self._clock.now():
            return False
        with self._store.write() as session:
            batch = self._begin(session)
            groups = self._outbox.claim(batch)
            Workshop(batch).work_emitted()
            batch.unit.flush()
        self._outbox.launch(groups)
        return bool(groups)

    def _record(self, *, wait_seconds: float = 0) -> bool:
        outcomes = self._outbox.told(wait_seconds=wait_seconds)
        if not outcomes:
            return False
        try:
            self._record_together(outcomes)
        except Exception:  # noqa: BLE001 - one call must not hold up the others
            _LOG.exception("answers could not be noted; they are noted one by one", count=len(outcomes))
            while outcomes:
                try:
                    self._record_alone(outcomes[0])
                except Exception:
                    self._outbox.tell_again(outcomes)  # the database is in trouble; what was told is not lost
                    raise
                outcomes = outcomes[1:]
        return True

    def _record_together(self, outcomes: Sequence[Outcome]) -> None:
        with self._store.write() as session:
            batch = self._begin(session)
            placed = self._outbox.record(batch, outcomes, Admission(batch, self._connections))
            Workshop(batch).work(placed)
            batch.unit.flush()

    def _record_alone(self, outcome: Outcome) -> None:
        try:
            self._record_together([outcome])
        except OutOfReach:
            raise
        except Exception as error:  # noqa: BLE001 - a person must see it, and the next one be noted
            _LOG.exception("what came of a call cannot be noted", call=outcome.call.id)
            with self._store.write() as session:
                batch = self._begin(session)
                self._outbox.give_up(batch, outcome, f"unexpected {log.in_words(error)}")
                batch.unit.flush()

    def _rest(self) -> float:
        if self._outbox.is_paced:
            return _PACE_SECONDS
        if self._outbox.in_flight:
            return _SLEEP_SECONDS_MOST
        due = self.next_due()
        if due is None:
            return _SLEEP_SECONDS_MOST
        return min(_SLEEP_SECONDS_MOST, max(0.0, (due - self._clock.now()).total_seconds()))

    def _beat(self) -> None:
        with self._store.write() as session:
            batch = self._begin(session)
            batch.unit.put(CURSORS, HEARTBEAT, to_text(batch.now))
            batch.unit.flush()
