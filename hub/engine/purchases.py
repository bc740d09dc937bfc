"""Purchases: counts what members have bought and not given back, each piece of business once.

An order that is paid in several payments is one purchase; of one that two platforms tell, the money of the first counts.
"""

from __future__ import annotations

from decimal import Decimal

from hub.engine.batch import Batch
from hub.engine.events import Event
from hub.engine.overlap import is_told_otherwise, related
from hub.errors import Parked
from hub.programme.settings import Programme
from hub.sdk.facts import Sale
from hub.sdk.values import exponent


def add(batch: Batch, event: Event) -> None:
    """Count a sale of a member, before its recipes are asked."""
    sale = event.fact
    if not isinstance(sale, Sale) or event.member_id is None or sale.amount <= 0:
        return
    first = _first(batch, event)
    spent = 0 if is_told_otherwise(event, first) else _minor(sale.amount, sale.currency, batch.programme)
    batch.roll.count_purchases(event.member_id, 1 if first is event else 0, spent, at=event.occurred_at)


def take_off(batch: Batch, event: Event, before: Decimal, returned: Decimal) -> None:
    """Take off what came back of a sale: the money, and the purchase when that was all of it.

    before, returned: all that had come back until now, and with it.
    """
    sale = event.fact
    if not isinstance(sale, Sale) or event.member_id is None or sale.amount <= 0:
        return
    first = _first(batch, event)
    if is_told_otherwise(event, first):
        return
    is_over = before < sale.amount <= returned and first is event
    money = min(returned, sale.amount) - min(before, sale.amount)
    batch.roll.count_purchases(event.member_id, -1 if is_over else 0, -_minor(money, sale.currency, batch.programme))


def _first(batch: Batch, event: Event) -> Event:
    """The sale of the member by which the hub heard of this business: the event itself, or one that was recorded before."""
    told = (one for one in related(batch, event) if isinstance(one.fact, Sale) and one.member_id == event.member_id)
    return min((event, *told), key=lambda one: one.id)


def _minor(amount: Decimal, currency: str, programme: Programme) -> int:
    """An amount in minor units of the programme's currency; 0 where there is no rate for it."""
    try:
        own = programme.in_own_currency(amount, currency)
    except Parked:
        return 0
    return round(own.scaleb(exponent(programme.currency)))
