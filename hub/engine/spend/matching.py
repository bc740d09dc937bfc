"""Matching: holds what calls bought against the orders of a provider, and names every difference. It reads nothing itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from hub.engine import calls as states
from hub.engine.spend.bought import Bought
from hub.engine.spend.rows import Difference, Kind, Order, Sum


class Found(NamedTuple):
    """A difference as it is now; see `Difference`."""

    kind: Kind
    call_id: str = ""
    order_id: str = ""
    ours: Sum | None = None
    theirs: Sum | None = None
    points: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same one, however its numbers change."""
        return self.kind, self.call_id, self.order_id


def key_of(one: Difference) -> tuple[str, str, str]:
    """The key of a difference that is kept."""
    return one.kind, one.call_id, one.order_id


@dataclass(frozen=True, slots=True)
class Terms:
    """What is looked at. listed: the provider has told all orders from one moment to another.

    doubted: calls whose order was not found before. watched_since: nothing is said of what others bought before; None where
    others may buy at any time.
    """

    listed: tuple[datetime, datetime]
    doubted: Collection[str] = ()
    watched_since: datetime | None = None


def differences(bought: Sequence[Bought], orders: Sequence[Order], terms: Terms) -> list[Found]:
    """Everything in which the two do not say the same. bought: also every call of the hub's that an order names."""
    calls = {one.call.id: one for one in bought}
    paired, alone = paired_with(bought, orders)
    found = [*_alone(alone, terms)]
    for call_id, one in calls.items():
        made = paired.get(call_id)
        found += _with_orders(one, made) if made else _without_order(one, terms)
    return sorted(found, key=lambda one: one.key)


def paired_with(bought: Sequence[Bought], orders: Sequence[Order]) -> tuple[Mapping[str, Sequence[Order]], Sequence[Order]]:
    """The orders of each call, the one that counts first; and those that belong to none of these calls."""
    calls = {one.call.id for one in bought}
    by_order = {one.order_id: one.call.id for one in bought if one.order_id}
    paired: defaultdict[str, list[Order]] = defaultdict(list)
    alone = []
    for order in sorted(orders, key=lambda order: (order.came_to_nothing, order.ordered_at, order.order_id)):
        call_id = order.call_id or by_order.get(order.order_id, "")
        if call_id in calls:
            paired[call_id].append(order)
        else:
            alone.append(order)
    return paired, alone


def _alone(orders: Sequence[Order], terms: Terms) -> Iterator[Found]:
    for order in orders:
        if order.came_to_nothing:
            continue
        if order.call_id:
            yield Found("unknown_call", order.call_id, order.order_id, theirs=order.worth)
        elif terms.watched_since is not None and order.ordered_at >= terms.watched_since:
            yield Found("not_ours", "", order.order_id, theirs=order.worth)


def _with_orders(one: Bought, orders: Sequence[Order]) -> Iterator[Found]:
    first, *more = orders
    for order in more:
        if not order.came_to_nothing:
            yield _found("twice", one, order)
    if first.came_to_nothing:
        if one.is_done or (one.call.state == states.REFUSED and one.left):
            yield from _kept("failed", one, first)
    elif one.call.state in (states.HELD, states.REFUSED):
        yield _found("unnoticed", one, first)
    elif one.is_done and _differ(one.worth, first.worth):
        yield _found("amount", one, first)


def _without_order(one: Bought, terms: Terms) -> Iterator[Found]:
    since, until = terms.listed
    if one.is_done:
        is_listed = one.call.created_at >= since and one.call.changed_at <= until
        if is_listed or one.call.id in terms.doubted:
            yield _found("unknown_order", one, None)
    elif one.call.state == states.REFUSED and one.left:
        yield from _kept("not_sent", one, None)


def _differ(ours: Sum | None, theirs: Sum | None) -> bool:
    """Whether both say how much, and not the same; a provider that names no currency means ours."""
    if ours is None or theirs is None:
        return False
    return ours != theirs if theirs.currency else ours.exact != theirs.exact


def _kept(kind: Kind, one: Bought, order: Order | None) -> Iterator[Found]:
    """Nothing was sold; what points paid for it, or could not pay, is a person's to say, until the points are given back."""
    if one.left or not one.points:
        yield _found(kind, one, order)._replace(points=one.left)


def _found(kind: Kind, one: Bought, order: Order | None) -> Found:
    theirs = order.worth if order is not None else None
    return Found(kind, one.call.id, order.order_id if order is not None else "", one.worth, theirs)


_SAID: Mapping[Kind, Callable[[Difference], str]] = {
    "not_ours": lambda one: f"order {one.order_id}{_over(one.theirs)} was bought by somebody else",
    "unknown_call": lambda one: (
        f"order {one.order_id}{_over(one.theirs)} was made under {one.call_id}, of which this hub knows nothing: it was made "
        "after the backup that was restored, or by another hub"
    ),
    "twice": lambda one: f"order {one.order_id}{_over(one.theirs)} is a second one for {one.call_id}",
    "unknown_order": lambda one: f"{one.call_id}{_over(one.ours)} is done here, and the provider knows of no order",
    "amount": lambda one: f"{one.call_id} was to buy for {one.ours}; order {one.order_id} is one over {one.theirs}",
    "failed": lambda one: f"order {one.order_id}{_over(one.theirs or one.ours)} failed or was cancelled{_points(one)}",
    "not_sent": lambda one: f"{one.call_id}{_over(one.ours)} was never sent{_points(one)}",
    "unnoticed": lambda one: f"order {one.order_id}{_over(one.theirs)} was made, while {one.call_id} is held or given up here",
}
KINDS = tuple(_SAID)


def in_words(one: Difference) -> str:
    """A difference in a sentence."""
    return _SAID[one.kind](one)


def what_to_do(one: Difference) -> str:
    """The command with which a person settles it."""
    return f"hub spend give-back {one.id}" if one.points else f"hub spend settle {one.id} --reason …"


def _over(amount: Sum | None) -> str:
    return f" over {amount}" if amount is not None else ""


def _points(one: Difference) -> str:
    return f", and {one.points:,} points stay redeemed for it" if one.points else ""
