"""Points whose time is over leave, and the member hears of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.ledger import Book, next_expiry
from hub.programme.awarding import award
from hub.programme.expiry import expire_due
from hub.programme.facts import PointsExpired
from hub.sdk.values import Duration


def sweep(shop: Any, until: datetime, limit: int = 100) -> int:
    shop.clock.move_to(until)
    with shop.unit() as unit:
        return expire_due(unit, Book(unit, shop.ids, until), shop.told.append, until, limit)


def test_points_expire_after_their_last_good_day_and_not_before(shop: Any) -> None:
    """Two lots of one member are one fact; the points earned for good stay."""
    ada = shop.join()
    for points in (30, 12):
        with shop.step(ada.id) as work:
            award(work, points=Decimal(points))
    end = datetime(2027, 3, 11, 6, tzinfo=UTC)
    with shop.store.read() as session:
        assert next_expiry(session) == end
    assert sweep(shop, end - timedelta(seconds=1)) == 0
    assert sweep(shop, end) == 2
    (told,) = shop.heard(PointsExpired)
    assert (told.points, told.balance, told.occurred_at) == (42, 0, end)
    assert sweep(shop, end + timedelta(days=1)) == 0
    assert shop.member(ada.id).lifetime_points == 42


def test_a_sweep_goes_on_where_the_last_one_stopped(shop: Any) -> None:
    """At most `limit` lots a unit, the earliest first, until none is left."""
    members = [shop.join(f"m{n}@example.com") for n in range(5)]
    for days, member in enumerate(members, start=1):
        with shop.step(member.id) as work:
            award(work, points=Decimal(days), expires=Duration(days=days))
    until = datetime(2026, 4, 1, tzinfo=UTC)
    assert [sweep(shop, until, 2) for _ in range(4)] == [2, 2, 1, 0]
    assert [told.points for told in shop.heard(PointsExpired)] == [1, 2, 3, 4, 5]
