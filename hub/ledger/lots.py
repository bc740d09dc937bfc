"""Lots: which points are spent first, and where points that come back go.

Spend order: the lot that expires first, those that never expire last; then the one that was earned first; then by id.
A lot whose time is over is never touched. Pure functions over what is left in a member's lots, kept in spend order.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable
from typing import NamedTuple

_NEVER = "~"  # sorts after every time


class Left(NamedTuple):
    """What is left in a lot; times as tables keep them."""

    lot_id: str
    member_id: str
    expires_at: str | None
    effective_at: str
    points: int


Lots = tuple[Left, ...]


def lot_of(txn_id: str) -> str:
    """The id of the lot that this transaction opens, if it opens one."""
    return "lot_" + txn_id[4:]


def spend_order(lot: Left) -> tuple[str, str, str]:
    """The key by which lots are sorted."""
    return (lot.expires_at or _NEVER, lot.effective_at, lot.lot_id)


def alive(lot: Left, now: str) -> bool:
    """Whether the lot's points may still be spent."""
    return lot.expires_at is None or lot.expires_at > now


def dead_points(lots: Lots, now: str) -> int:
    """The points whose time is over and which no sweep has taken yet; they stand first in spend order."""
    points = 0
    for lot in lots:
        if alive(lot, now):
            break
        points += lot.points
    return points


def added(lots: Lots, lot: Left) -> Lots:
    """The lots with a new one in its place."""
    if not lots or spend_order(lots[-1]) < spend_order(lot):
        return (*lots, lot)
    placed = list(lots)
    insort(placed, lot, key=spend_order)
    return tuple(placed)


def changed(lots: Lots, news: Iterable[Left]) -> Lots:
    """The lots after some of them have a new remainder; empty ones leave, refilled ones come back."""
    by_id = {lot.lot_id: lot for lot in lots}
    by_id.update((lot.lot_id, lot) for lot in news)
    return tuple(sorted((lot for lot in by_id.values() if lot.points), key=spend_order))


def take(lots: Lots, points: int, now: str, first: Collection[str] = ()) -> list[tuple[str, int]]:
    """How many points (below zero) to take from which lots, as far as they reach; `first`: lots taken before all others."""
    taken: list[tuple[str, int]] = []
    living = [lot for lot in lots if alive(lot, now)]
    if first:
        living.sort(key=lambda lot: lot.lot_id not in first)
    for lot in living:
        if not points:
            break
        part = min(points, lot.points)
        taken.append((lot.lot_id, -part))
        points -= part
    return taken


def back(spent: Iterable[tuple[str, int]], already: int, points: int) -> list[tuple[str, int]]:
    """To which lots `points` of a debit return: in reverse order, after `already` points have returned."""
    returned: list[tuple[str, int]] = []
    for lot_id, part in reversed(list(spent)):
        skipped = min(already, part)
        already -= skipped
        share = min(part - skipped, points)
        if share:
            returned.append((lot_id, share))
            points -= share
    return returned
