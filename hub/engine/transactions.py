"""Transactions: makes batches and writes them; what another worker got in the way of is done again, whole.

What cannot be written together is written one by one, and what cannot be written even alone is given up for a person to see.
Never for what is nobody's fault: a lost database is waited for, a race is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeVar

from tenacity import RetryCallState, Retrying

from hub import log
from hub.engine.batch import Batch
from hub.store import Session, Store
from hub.store.session import Collided, OutOfReach

_LOG = log.get(__name__)
_TRIES_MOST = {Collided: 8, OutOfReach: 2}
_PAUSE_SECONDS = 0.01
T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item


class Transactions:
    """The transactions of one worker on `hub.db`. begin: makes a batch on a session at the clock's time.

    finish: adds what every batch must say of its changes, just before it is written.
    """

    def __init__(
        self,
        store: Store,
        begin: Callable[[Session], Batch],
        random: Random,
        finish: Callable[[Batch], object] | None = None,
    ) -> None:
        self._store = store
        self._begin = begin
        self._finish = finish
        self._random = random
        self._again = Retrying(retry=_is_worth_another_try, stop=_was_last, wait=self._pause, reraise=True)

    @property
    def is_shared(self) -> bool:
        """Whether other workers may write at the same time."""
        return self._store.is_shared

    def do(self, work: Callable[[Batch], T], *, alone: bool = False) -> T:
        """Do it in one transaction. alone: while no other one is written."""
        done: T = self._again(self._once, work, alone)
        return done

    def each(
        self,
        items: Sequence[I],
        work: Callable[[Batch, I], object],
        give_up: Callable[[Batch, I, str], None],
    ) -> None:
        """Each item in a transaction of its own; one that cannot be written is given up, with the reason."""
        for item in items:
            with self.held_up_by(lambda batch, why, item=item: give_up(batch, item, why)):  # type: ignore[misc]
                self.do(lambda batch, item=item: work(batch, item))  # type: ignore[misc]

    @contextmanager
    def held_up_by(self, give_up: Callable[[Batch, str], None]) -> Iterator[None]:
        """When the block breaks off by a fault of its own, give it up; then what comes after it can go on."""
        try:
            yield
        except OutOfReach:
            raise
        except Exception as error:  # noqa: BLE001 - a person must see it, and the next one be worked
            why = f"unexpected {log.in_words(error)}"
            _LOG.exception("something cannot be written, and is set aside", reason=why)
            self.do(lambda batch: give_up(batch, why))

    def _once(self, work: Callable[[Batch], T], alone: bool) -> T:
        with self._store.write(alone=alone) as session:
            batch = self._begin(session)
            done = work(batch)
            if self._finish is not None:
                self._finish(batch)
            batch.unit.flush()
        return done

    def _pause(self, state: RetryCallState) -> float:
        return _PAUSE_SECONDS * self._random.randrange(1, 2 ** min(state.attempt_number, 6))


def _is_worth_another_try(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    return isinstance(error, Collided | OutOfReach)


def _was_last(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome is not None else None
    return state.attempt_number >= next((most for kind, most in _TRIES_MOST.items() if isinstance(error, kind)), 1)
