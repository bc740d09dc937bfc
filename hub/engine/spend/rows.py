"""Rows: what providers say of their orders, and the differences that were found, as they are kept.

Money stands in minor units of its currency, as whole numbers; nothing here holds a code, a link or an address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Literal, NamedTuple

from hub.clock import from_text, to_text
from hub.sdk.values import exponent, from_minor
from hub.store import Row, Session, Space, load

queries = load("hub.engine.spend")

State = Literal["waiting", "sent", "failed", "cancelled"]
Kind = Literal["not_ours", "unknown_call", "twice", "unknown_order", "amount", "failed", "not_sent", "unnoticed"]
Key = tuple[str, str]
"""A connection and the provider's id of an order."""


def lane_of(connection: str) -> str:
    """The lane in which the orders and differences of a provider are changed."""
    return f"spend:{connection}"


class Sum(NamedTuple):
    """An amount in minor units of its currency. currency: empty where nobody says one; then two places are meant."""

    minor: int
    currency: str

    @property
    def exact(self) -> Decimal:
        return from_minor(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.exact:f} {self.currency}".rstrip()


def sum_of(amount: Decimal | None, currency: str | None) -> Sum | None:
    """An amount, to the smallest coin of its currency; None where there is none."""
    if amount is None:
        return None
    code = currency or ""
    return Sum(int(amount.scaleb(exponent(code)).quantize(Decimal(1), ROUND_HALF_EVEN)), code)


class Order(NamedTuple):
    """An order as its provider told it last. call_id: under whose key it was made. worth, cost, fees: None where nobody says.

    seen_at: when it stood so.
    """

    connection: str
    order_id: str
    call_id: str
    state: State
    worth: Sum | None
    cost: Sum | None
    fees: Sum | None
    refunded: Sum
    ordered_at: datetime
    seen_at: datetime

    @property
    def came_to_nothing(self) -> bool:
        """Whether nothing was sold after all."""
        return self.state in ("failed", "cancelled")


class Difference(NamedTuple):
    """Where the hub and a provider do not say the same. points: that stay redeemed for nothing.

    settled_by: who said that it is settled; empty where it is no longer so.
    """

    id: str
    connection: str
    kind: Kind
    call_id: str
    order_id: str
    ours: Sum | None
    theirs: Sum | None
    points: int
    found_at: datetime
    settled_at: datetime | None = None
    settled_by: str = ""
    note: str = ""


def order_from(row: Row) -> Order:
    """An order from its row."""
    return Order(
        connection=row["connection"],
        order_id=row["order_id"],
        call_id=row["call_id"],
        state=row["state"],
        worth=_sum(row["amount"], row["currency"]),
        cost=_sum(row["total"], row["paid_in"]),
        fees=_sum(row["fees"], row["paid_in"]),
        refunded=Sum(row["refunded"], row["paid_in"]),
        ordered_at=from_text(row["ordered_at"]),
        seen_at=from_text(row["seen_at"]),
    )


def difference_from(row: Row) -> Difference:
    """A difference from its row."""
    return Difference(
        id=row["id"],
        connection=row["connection"],
        kind=row["kind"],
        call_id=row["call_id"],
        order_id=row["order_id"],
        ours=_sum(row["ours"], row["ours_in"]),
        theirs=_sum(row["theirs"], row["theirs_in"]),
        points=row["points"],
        found_at=from_text(row["found_at"]),
        settled_at=from_text(row["settled_at"]) if row["settled_at"] else None,
        settled_by=row["settled_by"],
        note=row["note"],
    )


def _sum(minor: int | None, currency: str) -> Sum | None:
    return None if minor is None else Sum(minor, currency)


def _columns(amount: Sum | None) -> tuple[int | None, str]:
    return (None, "") if amount is None else (amount.minor, amount.currency)


def _order_row(_: Key, order: Order) -> tuple[Any, ...]:
    cost, fees = _columns(order.cost)[0], _columns(order.fees)[0]
    return (
        order.connection, order.order_id, order.call_id, order.state, *_columns(order.worth), cost, fees, order.refunded.minor,
        order.refunded.currency, to_text(order.ordered_at), to_text(order.seen_at),
    )  # fmt: skip


def _difference_row(_: str, one: Difference) -> tuple[Any, ...]:
    settled_at = to_text(one.settled_at) if one.settled_at else None
    return (
        one.id, one.connection, one.kind, one.call_id, one.order_id, *_columns(one.ours), *_columns(one.theirs), one.points,
        to_text(one.found_at), settled_at, one.settled_by, one.note,
    )  # fmt: skip


def _orders(session: Session, keys: Collection[Key]) -> Mapping[Key, Order]:
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for connection, order_id in keys:
        ids[connection].append(order_id)
    found = (session.rows(queries.orders_of, connection=name, order_ids=some) for name, some in ids.items())
    return {(one.connection, one.order_id): one for rows in found for one in map(order_from, rows)}


def _differences(session: Session, ids: Collection[str]) -> Mapping[str, Difference]:
    return {row["id"]: difference_from(row) for row in session.rows(queries.differences_by_id, ids=list(ids))}


ORDERS: Space[Key, Order] = Space(
    "reward_order", _orders, save=queries.save_order, row=_order_row, lane=lambda key: lane_of(key[0])
)
DIFFERENCES: Space[str, Difference] = Space(
    "spend_difference",
    _differences,
    save=queries.save_difference,
    row=_difference_row,
    lane_of=lambda one: lane_of(one.connection),
)
