"""Lanes: works the events that are ready, in order within each lane; any number of workers take lanes side by side."""

from __future__ import annotations

from collections.abc import Collection

from hub import log
from hub.engine.batch import Batch
from hub.engine.events import Event, queries
from hub.engine.transactions import Transactions
from hub.engine.workshop import Workshop
from hub.store import OutOfReach

_LOG = log.get(__name__)
_EVENTS_MOST = 500


class Lanes:
    """The ready events of a hub, as one worker takes them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def work(self) -> bool:
        """Work the oldest ready events of lanes that nobody else has; False when there were none."""
        claimed: list[Event] = []

        def together(batch: Batch) -> None:
            claimed[:] = claim(batch, _EVENTS_MOST)
            Workshop(batch).work(claimed)

        try:
            self._transactions.do(together)
        except OutOfReach:
            raise
        except Exception:  # noqa: BLE001 - one event must not hold up the others
            _LOG.exception("a batch could not be written; its events are worked one by one", count=len(claimed))
            self._transactions.each(claimed, self._work_first, _park_first)
        return bool(claimed)

    def _work_first(self, batch: Batch, event: Event) -> None:
        Workshop(batch).work(first_of(batch, event.lane))


def claim(batch: Batch, most: int) -> list[Event]:
    """The oldest ready events of lanes that nobody else has, in order; the lanes are ours until the batch is written."""
    session, after = batch.unit.session, ""
    while rows := session.rows(queries.lanes_ready, after=after, most=most):
        taken = session.try_lock({row["lane"] for row in rows})
        if found := _ready_in(batch, taken, most):  # read again: another worker may have worked there until now
            return found
        after = rows[-1]["id"]
    return []


def first_of(batch: Batch, lane: str) -> list[Event]:
    """The oldest ready event of a lane, if there is one, in a list; the lane is ours."""
    batch.unit.session.lock([lane])
    return _ready_in(batch, [lane], 1)


def _ready_in(batch: Batch, lanes: Collection[str], most: int) -> list[Event]:
    if not lanes:
        return []
    found = [batch.events.from_row(row) for row in batch.unit.session.rows(queries.events_ready, lanes=list(lanes), most=most)]
    if found:
        batch.ids.pass_by(found[-1].id)
    return found


def _park_first(batch: Batch, event: Event, why: str) -> None:
    for first in first_of(batch, event.lane):
        Workshop(batch).park(first, why)
