"""Timekeeper: lets time pass, for the one worker who has the place of it: each timer in a transaction of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub import log
from hub.engine.batch import Batch
from hub.engine.intake import finish
from hub.engine.schedule import Schedule
from hub.engine.timers import Timer
from hub.engine.transactions import Transactions
from hub.store import OutOfReach, Session, Store

_LOG = log.get(__name__)
_MOST = 500
_TIME = "time"
"""The lane of timers: should two workers let time pass at once, because one was cut off, they do it one after the other."""


class Timekeeper:
    """The timers of a schedule and their transactions."""

    def __init__(self, transactions: Transactions, store: Store, schedule: Schedule) -> None:
        self._transactions = transactions
        self._store = store
        self._schedule = schedule

    def begin(self) -> None:
        """Let every timer that never ran start now."""

        def begin(batch: Batch) -> None:
            batch.unit.session.lock([_TIME])
            self._schedule.begin(batch)

        self._transactions.do(begin)

    def next_due(self, session: Session) -> datetime | None:
        """When the next timer is to be worked."""
        return self._schedule.timers.next_due(session)

    def work(self, now: datetime) -> bool:
        """Do what is due; False when nothing was."""
        with self._store.read() as session:
            due = self._schedule.timers.due(session, now)
        for timer in due:
            with self._transactions.held_up_by(lambda batch, why, timer=timer: self._set_aside(batch, timer, why)):  # type: ignore[misc]
                self._let_pass(timer)
        return bool(due)

    def _let_pass(self, timer: Timer) -> None:
        try:
            self._transactions.do(lambda batch: self._work(batch, timer, _MOST))
        except OutOfReach:
            raise
        except Exception:
            if timer.give_up is None:
                raise
            _LOG.exception("what is due cannot be done together; it is done one by one", timer=timer.name)
            self._one_by_one(timer, timer.give_up)

    def _one_by_one(self, timer: Timer, give_up: Callable[[Batch, str], None]) -> None:
        """What stands for itself is done by itself; what cannot be done is held alone."""
        did = True
        while did:
            with self._transactions.held_up_by(give_up):
                did = self._transactions.do(lambda batch: self._work(batch, timer, 1))

    def _work(self, batch: Batch, timer: Timer, most: int) -> bool:
        batch.unit.session.lock([_TIME])
        did = timer.work(batch, most)
        finish(batch, [], self._transactions)
        self._schedule.timers.worked(batch, timer)
        return did

    def _set_aside(self, batch: Batch, timer: Timer, why: str) -> None:
        self._schedule.timers.set_aside(batch, timer, why)
