"""Orders: what a provider says it sold is kept as it was told last, whether or not that is news to recipes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from hub.engine.spend.rows import ORDERS, Order, Sum, sum_of
from hub.sdk import Connector, RewardOrder
from hub.sdk.trigger import Pull
from hub.store import Unit


class Heard(NamedTuple):
    """An order as it stood at a moment."""

    connection: str
    fact: RewardOrder
    at: datetime


def keep(unit: Unit, heard: Sequence[Heard]) -> None:
    """Keep what is newer than what is known."""
    unit.want(ORDERS, [(one.connection, one.fact.order_id) for one in heard])
    for one in heard:
        key = (one.connection, one.fact.order_id)
        known = unit.get(ORDERS, key)
        if known is None or known.seen_at <= one.at:
            unit.put(ORDERS, key, _as_told(one, known))


def pull_of(connector: Connector) -> Pull | None:
    """What asks a provider for its orders; None where it tells of none."""
    pulls = (pull for pull in connector.pulls.values() if issubclass(connector.triggers[pull.trigger].gives, RewardOrder))
    return next(pulls, None)


def _as_told(one: Heard, known: Order | None) -> Order:
    fact = one.fact
    ordered_at = fact.ordered_at or (known.ordered_at if known is not None else fact.occurred_at) or one.at
    paid_in = fact.paid_in or ""
    return Order(
        connection=one.connection,
        order_id=fact.order_id,
        call_id=fact.call_key,
        state=fact.state,
        worth=sum_of(fact.amount, fact.currency),
        cost=sum_of(fact.total, paid_in),
        fees=sum_of(fact.fees, paid_in),
        refunded=sum_of(fact.refunded, paid_in) or Sum(0, paid_in),
        ordered_at=ordered_at,
        seen_at=one.at,
    )
