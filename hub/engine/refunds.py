"""Refunds: finds the sale that a refund gives back, sums what was given back so far, and has points taken back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from hub.engine import purchases
from hub.engine.batch import Batch
from hub.engine.events import DONE, Event, queries
from hub.engine.hindsight import reevaluation
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
    refund, sale = event.fact, sale_of(batch, event)
    assert isinstance(refund, Refund)
    if sale is not None and isinstance(sale.fact, Sale):
        before = from_minor(batch.unit.get(RETURNED, sale.id) or 0, sale.fact.currency)
        returned = _returned_so_far(batch, sale, sale.fact, refund)
        purchases.take_off(batch, sale, before, returned)
        again = reevaluation(batch, sale, [*_refunds_of(batch, sale), refund])
        clawback.claw_back(work, refund.refund_id, clawback.awards_of(batch.unit, sale.id), returned, again)


def take_back_late(batch: Batch, event: Event, key: str) -> None:
    """Take back what a sale has earned only after it was given back: its recipe had waited."""
    sale = event.fact
    if not isinstance(sale, Sale) or not (returned := batch.unit.get(RETURNED, event.id)):
        return
    refunds = _refunds_of(batch, event)
    again = reevaluation(batch, event, refunds)
    named = ", ".join(refund.refund_id for refund in refunds)
    awards = clawback.awards_of(batch.unit, event.id)
    clawback.claw_back(batch.work_for(event, key=key), named, awards, from_minor(returned, sale.currency), again)


def _refunds_of(batch: Batch, sale: Event) -> list[Refund]:
    """The refunds of a sale that have been worked."""
    about = map(batch.events.by_id, batch.events.about(sale.things))
    known = [one for one in about if one is not None and one.state == DONE and gives_back(one, sale)]
    return [one.fact for one in known if isinstance(one.fact, Refund)]


def sale_of(batch: Batch, refund: Event) -> Event | None:
    """The sale that a refund gives back, when it is there."""
    about = map(batch.events.by_id, batch.events.about(refund.things))
    return next((event for event in about if event is not None and gives_back(refund, event)), None)


def gives_back(refund: Event, event: Event) -> bool:
    """True when the event is the sale that the refund refers to.

    They share a reference, and of no kind do they name different ones: an order may have been paid in several payments.
    """
    if not isinstance(event.fact, Sale):
        return False
    named, shared = _by_kind(refund), _by_kind(event)
    common = named.keys() & shared.keys()
    return bool(common) and all(named[kind] & shared[kind] for kind in common)


def _by_kind(event: Event) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for connection, kind, name in event.things:
        found.setdefault((connection, kind), set()).add(name)
    return found


def _returned_so_far(batch: Batch, event: Event, sale: Sale, refund: Refund) -> Decimal:
    known = batch.unit.get(RETURNED, event.id) or 0
    if refund.whole:
        total = max(known, to_minor(sale.amount, sale.currency))
    elif refund.currency != sale.currency:
        raise Parked(
            f"Refund {refund.refund_id} is in {refund.currency} and its sale was in {sale.currency}, so nobody can say what "
            "part of it was given back. Adjust the points by hand, then drop this event."
        )
    else:
        total = known + to_minor(refund.amount, refund.currency)
    batch.unit.put(RETURNED, event.id, total)
    return from_minor(total, sale.currency)


def _load(session: Session, sales: Collection[str]) -> Mapping[str, int]:
    return {row["event_id"]: row["returned"] for row in session.rows(queries.returns_of, event_ids=list(sales))}


RETURNED: Space[str, int] = Space(
    "sale_return", _load, save=queries.save_return, row=lambda event_id, returned: (event_id, returned)
)
"""The sum of all refunds of a sale so far, in minor units of the sale's currency."""
