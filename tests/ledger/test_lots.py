"""Spend order, allocation and the way back, as pure functions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.ledger.lots import Left, added, alive, back, changed, dead_points, lot_of, spend_order, take

NOW = "2026-01-05T00:00:00.000000Z"
days_ = st.integers(1, 9).map(lambda day: f"2026-01-0{day}T00:00:00.000000Z")
lots_ = st.lists(
    st.builds(Left, st.uuids().map(str), st.just("mem_1"), st.none() | days_, days_, st.integers(1, 20)),
    max_size=8,
    unique_by=lambda lot: lot.lot_id,
).map(lambda lots: tuple(sorted(lots, key=spend_order)))


def after(lots: tuple[Left, ...], moves: list[tuple[str, int]]) -> tuple[Left, ...]:
    news = {lot.lot_id: lot for lot in lots}
    for lot_id, points in moves:
        news[lot_id] = news[lot_id]._replace(points=news[lot_id].points + points)
    return changed(lots, news.values())


def test_a_lot_is_named_after_the_transaction_that_opened_it() -> None:
    """So no second id is needed to find it."""
    assert lot_of("txn_12ab") == "lot_12ab"


def test_a_lot_is_dead_at_the_moment_of_its_expiry() -> None:
    """Half-open: good before expires_at, gone at it."""
    lot = Left("lot_1", "mem_1", NOW, NOW, 5)
    assert not alive(lot, NOW)
    assert alive(lot, "2026-01-04T23:59:59.999999Z")
    assert alive(lot._replace(expires_at=None), "9999-01-01T00:00:00.000000Z")


@given(lots_, st.integers(0, 200))
def test_taking_draws_on_live_lots_in_order_until_it_has_enough(lots: tuple[Left, ...], points: int) -> None:
    """No lot goes below zero, none is passed over, none that is dead is touched."""
    taken = take(lots, points, NOW)
    living = [lot for lot in lots if alive(lot, NOW)]
    assert -sum(part for _, part in taken) == min(points, sum(lot.points for lot in living))
    assert [lot_id for lot_id, _ in taken] == [lot.lot_id for lot in living[: len(taken)]]
    assert all(-part == lot.points for (_, part), lot in zip(taken[:-1], living, strict=False))


@given(lots_, st.integers(1, 200))
def test_a_lot_that_is_named_is_taken_before_all_others(lots: tuple[Left, ...], points: int) -> None:
    """The rest keep their order."""
    living = [lot for lot in lots if alive(lot, NOW)]
    if living:
        own = living[-1].lot_id
        taken = take(lots, points, NOW, first=(own,))
        assert taken[0][0] == own
        assert [lot_id for lot_id, _ in taken[1:]] == [lot.lot_id for lot in living[: len(taken) - 1]]


@given(lots_, st.data())
def test_spending_then_restoring_is_spending_less(lots: tuple[Left, ...], data: st.DataObject) -> None:
    """spend(n), restore(r) leaves the lots that spend(n - r) leaves; also when r comes in two parts."""
    most = sum(lot.points for lot in lots if alive(lot, NOW))
    spent = data.draw(st.integers(0, most))
    first = data.draw(st.integers(0, spent))
    second = data.draw(st.integers(0, spent - first))
    taken = take(lots, spent, NOW)
    drawn = [(lot_id, -part) for lot_id, part in taken]
    returned = after(lots, taken + back(drawn, 0, first) + back(drawn, first, second))
    assert returned == after(lots, take(lots, spent - first - second, NOW))


@given(lots_, lots_)
def test_a_new_lot_finds_its_place(lots: tuple[Left, ...], more: tuple[Left, ...]) -> None:
    """However lots come, they stand in spend order."""
    for lot in reversed(more):
        lots = added(lots, lot)
    assert list(lots) == sorted(lots, key=spend_order)


@given(lots_)
def test_dead_points_are_those_of_lots_whose_time_is_over(lots: tuple[Left, ...]) -> None:
    """They stand first, so that counting them stops at the first live lot."""
    assert dead_points(lots, NOW) == sum(lot.points for lot in lots if not alive(lot, NOW))
