"""Redemptions: what was spent is read with what was given back of it, by id or by key."""

from __future__ import annotations

from hub.ledger import Source, redemptions
from tests.ledger.conftest import Desk


def test_what_was_given_back_is_not_left(desk: Desk) -> None:
    """Restored in part, or reversed; what is no redemption, or not there, is left out."""
    award = desk.award(500)
    first, second, third = (desk.do("redeem", "mem_1", points, key=f"r{points}") for points in (100, 50, 20))
    desk.do("restore", first.txn_id, 30)
    desk.do("restore", first.txn_id, 10)
    desk.do("reverse", second.txn_id)
    with desk.read() as session:
        found = redemptions(session, ids=[award.txn_id, first.txn_id, second.txn_id, "txn_none"], keys=["r20", "none"])
    assert [(one.txn_id, one.key, one.points, one.left) for one in found] == [
        (first.txn_id, "r100", 100, 60),
        (second.txn_id, "r50", 50, 0),
        (third.txn_id, "r20", 20, 20),
    ]


def test_a_redemption_asked_for_twice_is_one_and_says_what_it_was_for(desk: Desk) -> None:
    """By its id and by its key; the reward stands in its context. What was captured of a hold was spent too."""
    desk.award(500)
    posting = desk.do("redeem", "mem_1", 60, key="k", source=Source(context={"reward": "wipers"}))
    hold = desk.do("hold", "mem_1", 40)
    captured = desk.do("capture", hold.id)
    with desk.read() as session:
        one, other = redemptions(session, ids=[posting.txn_id, captured.txn_id], keys=["k"])
    assert (one.key, one.context) == ("k", {"reward": "wipers"})
    assert (other.points, other.left, other.context) == (40, 40, {})
