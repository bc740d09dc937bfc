"""Refunds: finds the sale that a refund gives back, sums what was given back so far, and has points taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from hub.engine.batch import Batch
from hub.engine.events import Event, queries
from hub.errors import Parked
from hub.programme import clawback
from hub.programme.work import Work
from hub.sdk.facts import Refund, Sale
from hub.sdk.values import from_minor, to_minor
from hub.store import Session, Space


def take_back(batch: Batch, event: Event, work: Work) -> None:
    """Do what the ledger does on a refund. A refund that refers to no sale takes nothing back.

    Parked when it is in another currency than its sale.
    """
    refund = event.fact
    assert isinstance(refund, Refund)
    for event_id in batch.events.about(event.things):
        sale = batch.events.by_id(event_id)
        if sale is not None and isinstance(sale.fact, Sale):
            returned = _returned_so_far(batch, sale, sale.fact, refund)
            clawback.claw_back(work, refund.refund_id, clawback.awards_of(batch.unit, sale.id), returned)
            return


def _returned_so_far(batch: Batch, event: Event, sale: Sale, refund: Refund) -> Decimal:
    if refund.currency != sale.currency:
        raise Parked(
            f"Refund {refund.refund_id} is in {refund.currency} and its sale was in {sale.currency}, so nobody can say what "
            "part of it was given back. Adjust the points by hand, then drop this event."
        )
    known = batch.unit.get(RETURNED, event.id) or 0
    total = known + to_minor(refund.amount, refund.currency)
    batch.unit.put(RETURNED, event.id, total)
    return from_minor(total, sale.currency)


def _load(session: Session, sales: Collection[str]) -> Mapping[str, int]:
    return {row["event_id"]: row["returned"] for row in session.rows(queries.returns_of, event_ids=list(sales))}


RETURNED: Space[str, int] = Space(
    "sale_return", _load, save=queries.save_return, row=lambda event_id, returned: (event_id, returned)
)
"""The sum of all refunds of a sale so far, in minor units of the sale's currency."""
