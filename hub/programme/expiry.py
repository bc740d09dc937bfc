"""Expiry: points whose last good day is over leave their lots, and the members hear of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.ledger import Book, Posting, lots_due
from hub.programme.facts import PointsExpired
from hub.sdk.fact import Fact
from hub.store import Unit


def expire_due(unit: Unit, book: Book, emit: Callable[[Fact], None], until: datetime, limit: int) -> int:
    """Expire at most `limit` lots that are due by `until`, the earliest first; gives how many there were.

    When that is `limit`, there may be more: call again in the next unit, once this one is written. One fact is told for each
    member and unit.
    """
    lots = lots_due(unit.session, until, limit)
    by_member: dict[str, list[Posting]] = {}
    for posting in book.expire(lots):
        if posting.member_id is not None:
            by_member.setdefault(posting.member_id, []).append(posting)
    for member_id, postings in by_member.items():
        emit(
            PointsExpired(
                member_id=member_id,
                key=f"expired:{postings[0].allocations[0].lot_id}",
                occurred_at=max(posting.effective_at for posting in postings),
                points=sum(posting.points for posting in postings),
                balance=book.balance(member_id).spendable,
            )
        )
    return len(lots)
