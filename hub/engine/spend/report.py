"""Report: what was spent in a stretch of time, by provider, currency, recipe and reward, what it cost, and the differences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.clock import to_text
from hub.engine.spend.bought import Bought, bought, ended
from hub.engine.spend.matching import paired_with
from hub.engine.spend.rows import Difference, Order, difference_from, order_from, queries
from hub.sdk import Connection
from hub.sdk.values import from_minor
from hub.store import Session


@dataclass(frozen=True, slots=True)
class Line:
    """What one recipe bought for one reward. came_to_nothing: how many of the provider's orders did; they count nowhere else.

    number: of those that were bought. amount: what they are worth. points: what members redeemed for them, less what was given
    back.
    """

    connection: str
    currency: str
    recipe: str
    reward: str
    number: int
    came_to_nothing: int
    amount: Decimal
    points: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What orders cost at a provider. ours: the hub made them; else somebody else did."""

    connection: str
    currency: str
    ours: bool
    number: int
    total: Decimal
    fees: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """Both, by the time when it was bought."""

    lines: Sequence[Line]
    costs: Sequence[Cost]
    differences: Sequence[Difference]

    @property
    def points(self) -> int:
        """What members redeemed for all of it."""
        return sum(line.points for line in self.lines)


def report(session: Session, connections: Mapping[str, Connection], since: datetime, until: datetime) -> Report:
    """What was bought from one moment until before another; all differences that are open, or were settled since."""
    times = {"since": to_text(since), "until": to_text(until)}
    lines: list[Line] = []
    costs: list[Cost] = []
    for connection in connections.values():
        spent = [one for one in bought(session, connection, ended(session, connection, since, until)) if one.is_done]
        paired, _ = paired_with(spent, _orders_of(session, connection.name, spent))
        lines += _lines(connection.name, spent, {call_id for call_id, orders in paired.items() if orders[0].came_to_nothing})
        made = map(order_from, session.rows(queries.orders_made, connection=connection.name, **times))
        costs += _costs(connection.name, made, {order.order_id for orders in paired.values() for order in orders})
    told = session.rows(queries.differences_told, **times)
    return Report(lines, costs, [difference_from(row) for row in told])


def _orders_of(session: Session, connection: str, spent: Sequence[Bought]) -> list[Order]:
    calls, ids = [one.call.id for one in spent], [one.order_id for one in spent if one.order_id]
    rows = session.rows(queries.orders_of_calls, connection=connection, call_ids=calls)
    rows += session.rows(queries.orders_of, connection=connection, order_ids=ids)
    return list({order.order_id: order for order in map(order_from, rows)}.values())


def _lines(connection: str, spent: Sequence[Bought], for_nothing: Container[str]) -> list[Line]:
    grouped: defaultdict[tuple[str, str, str], list[Bought]] = defaultdict(list)
    for one in spent:
        grouped[one.worth.currency if one.worth else "", one.recipe, one.reward].append(one)
    lines = []
    for (currency, recipe, reward), many in sorted(grouped.items()):
        sold = [one for one in many if one.call.id not in for_nothing]
        amount = from_minor(sum(one.worth.minor for one in sold if one.worth), currency)
        points, nothing = sum(one.left for one in sold), len(many) - len(sold)
        lines.append(Line(connection, currency, recipe, reward, len(sold), nothing, amount, points))
    return lines


def _costs(connection: str, made: Iterable[Order], ours: Container[str]) -> list[Cost]:
    grouped: defaultdict[tuple[str, bool], list[Order]] = defaultdict(list)
    for order in made:
        is_ours = bool(order.call_id) or order.order_id in ours
        grouped[order.refunded.currency, not is_ours].append(order)
    costs = []
    for (currency, is_others), orders in sorted(grouped.items()):
        total = sum(order.cost.minor for order in orders if order.cost)
        fees, refunded = sum(order.fees.minor for order in orders if order.fees), sum(order.refunded.minor for order in orders)
        sums = (from_minor(minor, currency) for minor in (total, fees, refunded))
        costs.append(Cost(connection, currency, not is_others, len(orders), *sums))
    return costs
