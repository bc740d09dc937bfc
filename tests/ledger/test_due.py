"""What time brings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub.ledger import holds_due, lots_due, lots_expiring, next_expiry


def test_the_next_expiry_is_that_of_the_first_lot_with_points_left(desk: Any) -> None:
    """Empty lots and those that never expire do not count."""
    start = desk.clock.now()
    with desk.read() as session:
        assert next_expiry(session) is None
    desk.award(5, days=None)
    desk.award(5, days=3)
    desk.award(5, days=9)
    desk.do("redeem", "mem_1", 5)
    with desk.read() as session:
        assert next_expiry(session) == start + timedelta(days=9)


def test_due_lots_come_earliest_first_and_no_more_than_asked_for(desk: Any) -> None:
    """A lot is due at its expiry, with what is left in it."""
    start = desk.clock.now()
    late, soon, mid = (desk.award(points, days=days).lot_id for points, days in ((1, 9), (5, 3), (6, 5)))
    desk.do("redeem", "mem_1", 2)
    with desk.read() as session:
        assert lots_due(session, start + timedelta(days=3, microseconds=-1), 9) == []
        [first] = lots_due(session, start + timedelta(days=3), 9)
        assert (first.id, first.points, first.left, first.member_id) == (soon, 5, 3, "mem_1")
        assert [lot.id for lot in lots_due(session, start + timedelta(days=99), 2)] == [soon, mid]
        assert late in [lot.id for lot in lots_due(session, start + timedelta(days=99), 3)]


def test_what_expires_within_a_window_is_summed_by_member_and_moment(desk: Any) -> None:
    """For notices: after the one moment, up to and with the other."""
    start = desk.clock.now()
    for points, member, days in ((5, "mem_1", 3), (6, "mem_1", 3), (7, "mem_2", 3), (8, "mem_1", 4), (9, "mem_1", 5)):
        desk.award(points, member=member, days=days)
    desk.do("redeem", "mem_1", 1)
    third, fourth, fifth = (start + timedelta(days=days) for days in (3, 4, 5))
    with desk.read() as session:
        assert lots_expiring(session, start, fourth) == [("mem_1", third, 10), ("mem_2", third, 7), ("mem_1", fourth, 8)]
        assert lots_expiring(session, third, fifth) == [("mem_1", fourth, 8), ("mem_1", fifth, 9)]


def test_due_holds_are_those_that_nothing_resolved(desk: Any) -> None:
    """A hold without an end is never due."""
    now = desk.clock.now()
    desk.award(50)
    done, due = (desk.do("hold", "mem_1", 5, until=now + timedelta(minutes=minutes)) for minutes in (1, 2))
    desk.do("hold", "mem_1", 5)
    desk.do("cancel", done.id)
    with desk.read() as session:
        assert holds_due(session, now + timedelta(minutes=1), 9) == []
        assert holds_due(session, now + timedelta(hours=1), 9) == [due]
