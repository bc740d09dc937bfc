"""What cannot have been posted is said even where every hash fits: a fault in the ledger itself, or a careful forger."""

from __future__ import annotations

from typing import Any

from hub.ledger.rebuilt import Rebuilt
from hub.ledger.whole import Whole

LOT = {"id": "lot_1", "member_id": "mem_1", "points": 5, "expires_at": None, "effective_at": "2026"}


def whole(points: int, entries: list[tuple[Any, ...]], lot: Any = None, allocations: Any = (), **txn: Any) -> Whole:
    names = ("member_id", "account", "amount", "balance_after")
    return Whole(
        {"id": "txn_1", "kind": "award", "points": points} | txn,
        [{"txn_id": "txn_1", "n": n} | dict(zip(names, entry, strict=True)) for n, entry in enumerate(entries, start=1)],
        lot,
        [{"n": n, "lot_id": lot_id, "points": part} for n, (lot_id, part) in enumerate(allocations, start=1)],
    )


def award() -> Whole:
    return whole(5, [(None, "issuance", -5, None), ("mem_1", "available", 5, 5)], LOT)


def spend(points: int, after: int, lot_id: str = "lot_1", drawn: int | None = None) -> Whole:
    entries = [(None, "redeemed", points, None), ("mem_1", "available", -points, after)]
    return whole(points, entries, allocations=[(lot_id, -(drawn or points))], kind="redeem")


def test_a_sound_history_has_no_findings() -> None:
    """An award, and a spend of it."""
    rebuilt = Rebuilt()
    assert rebuilt.post(award()) == []
    assert rebuilt.post(spend(3, 2)) == []
    assert rebuilt.lots["lot_1"].points == 2


def test_entries_that_do_not_sum_to_zero_are_found() -> None:
    """Points from nowhere."""
    [found] = Rebuilt().post(whole(5, [(None, "issuance", -4, None), ("mem_1", "available", 5, 5)], LOT))
    assert "sum to 1" in found


def test_a_lot_that_gives_more_than_it_has_is_found() -> None:
    """Below zero, and above what it was opened with."""
    rebuilt = Rebuilt()
    rebuilt.post(award())
    assert any("leaves -1 of 5 points" in found for found in rebuilt.post(spend(6, -1)))
    back = whole(9, [(None, "redeemed", -9, None), ("mem_1", "available", 9, 8)], allocations=[("lot_1", 9)], kind="restore")
    assert any("leaves 8 of 5 points" in found for found in rebuilt.post(back))


def test_a_lot_that_was_never_opened_is_found() -> None:
    """Or opened for another member."""
    rebuilt = Rebuilt()
    rebuilt.post(award())
    assert any("lot_2, which was not opened" in found for found in rebuilt.post(spend(1, 4, lot_id="lot_2")))


def test_lots_and_the_available_account_move_together() -> None:
    """What the lots give is what the account loses."""
    rebuilt = Rebuilt()
    rebuilt.post(award())
    assert any("moves -2 points of lots, and -1" in found for found in rebuilt.post(spend(1, 4, drawn=2)))


def test_a_wrong_balance_after_is_found() -> None:
    """The running balance that members read."""
    rebuilt = Rebuilt()
    rebuilt.post(award())
    assert any("had 5 available after it" in found for found in rebuilt.post(spend(1, 5)))


def test_points_without_entries_are_found() -> None:
    """And entries without points."""
    assert any("has 0 entries" in found for found in Rebuilt().post(whole(5, [])))
