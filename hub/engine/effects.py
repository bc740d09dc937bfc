"""Effects: what a fact does by being there, before any recipe is asked: consent, activity, clawback, opening balances."""

from __future__ import annotations

from typing import Literal

from hub.engine import purchases
from hub.engine.batch import Batch
from hub.engine.events import READY, UNCLAIMED, Event
from hub.engine.health import HEALTH, health_of
from hub.engine.refunds import take_back
from hub.engine.rows import OpeningBalance
from hub.programme import arrival
from hub.sdk import facts as words


def apply(batch: Batch, event: Event) -> None:
    """Do what the event's fact says by itself. Parked when that needs a person."""
    work = batch.work_for(event, key=f"{event.connection}/{event.trigger}/{event.key}")
    purchases.add(batch, event)
    arrival.take_note(work, lambda code, member_id: _claim(batch, code, member_id))
    fact = event.fact
    if isinstance(fact, words.Refund):
        take_back(batch, event, work)
    elif isinstance(fact, OpeningBalance) and event.member_id is not None:
        source = work.source("brought along from an earlier programme")
        batch.book.adjust(event.member_id, fact.points, key=f"{work.key}/opening", source=source, expires_at=fact.expires_at)
    elif isinstance(fact, words.ConnectionRevoked):
        health = health_of(batch.unit, event.connection)
        reason = f"the platform took the access back: {fact.reason}".rstrip(": ")
        batch.unit.put(HEALTH, event.connection, health.failed(batch.now, "reconnect", reason))


def _claim(batch: Batch, code: str, member_id: str) -> Literal["attached", "unknown", "taken"]:
    """Attach the unclaimed sale whose order, payment or receipt has this code."""
    taken = False
    for event_id in batch.events.named(code):
        sale = batch.events.by_id(event_id)
        if sale is None or not isinstance(sale.fact, words.Sale):
            continue
        if sale.state == UNCLAIMED:
            sale = batch.events.held(sale)
        if sale.state != UNCLAIMED:
            taken = True
            continue
        batch.events.save(sale._replace(lane=member_id, member_id=member_id, state=READY, note="claimed by its code"))
        return "attached"
    return "taken" if taken else "unknown"
