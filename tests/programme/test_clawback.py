"""What refunds take back from what their sale earned."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.programme.actions import redeem
from hub.programme.awarding import award
from hub.programme.clawback import awards_of, claw_back, proportional
from hub.programme.facts import PointsClawedBack
from hub.sdk.facts import Refund, Review, Sale

SALE = Sale(amount=Decimal("30.00"), currency="USD", order_id="1042")
REFUND = Refund(amount=Decimal("10.00"), currency="USD", refund_id="ref_1")


def earn(shop: Any, member_id: str, points: int = 100, fact: Any = SALE) -> None:
    with shop.step(member_id, fact, event="evt_sale") as work:
        award(work, points=Decimal(points))


def refund(shop: Any, member_id: str, returned: str, reevaluate: Any = None, key: str = "") -> int:
    with shop.step(member_id, REFUND, key=key) as work:
        awards = awards_of(work.unit, "evt_sale")
        return claw_back(work, "ref_1", awards, Decimal(returned), reevaluate).points


def test_three_returns_of_a_third_take_all_of_it(shop: Any) -> None:
    """10.00 three times of 30.00 with 100 points: 33, 33 and 34; rounding each alone would leave one."""
    ada = shop.join()
    earn(shop, ada.id)
    assert [refund(shop, ada.id, returned) for returned in ("10.00", "20.00", "30.00")] == [33, 33, 34]
    assert shop.balance(ada.id) == 0
    assert [told.points for told in shop.heard(PointsClawedBack)] == [33, 33, 34]


def test_a_refund_of_more_than_was_paid_takes_no_more_than_was_earned(shop: Any) -> None:
    """The award is the most that can be taken back, and once it is, nothing is told."""
    ada = shop.join()
    earn(shop, ada.id)
    assert refund(shop, ada.id, "99.00") == 100
    assert refund(shop, ada.id, "120.00") == 0
    assert len(shop.heard(PointsClawedBack)) == 1


def test_spent_points_leave_a_debt_that_later_awards_repay(shop: Any) -> None:
    """A refund never fails for want of points; the member sees what they owe."""
    ada = shop.join()
    earn(shop, ada.id, 600)
    with shop.step(ada.id) as work:
        redeem(work, reward="oil-change")
    assert refund(shop, ada.id, "30.00") == 600
    assert shop.balance(ada.id) == -500
    with shop.step(ada.id) as work:
        assert award(work, points=Decimal(700)).balance == 200


def test_what_counts_for_tiers_comes_down_and_the_tier_stays(shop: Any) -> None:
    """Points earned for good are lowered by a refund; with lifetime points nobody is lowered by it."""
    ada = shop.join()
    earn(shop, ada.id, 600)
    refund(shop, ada.id, "20.00")
    assert (shop.member(ada.id).tier, shop.member(ada.id).lifetime_points) == ("Silver", 200)


def test_the_engine_may_say_what_is_still_earned(shop: Any) -> None:
    """1 point a dollar and 100 from $50: of a $60 order, $20 returned; what is left earns 40, so 120 go."""
    ada = shop.join()
    earn(shop, ada.id, 160, Sale(amount=Decimal("60.00"), currency="USD"))
    assert refund(shop, ada.id, "20.00", reevaluate=lambda earned: 40) == 120
    assert refund(shop, ada.id, "20.00", reevaluate=lambda earned: 40) == 0


def test_where_the_engine_cannot_say_it_is_proportional(shop: Any) -> None:
    """The same refund by its share of the money: 53 of 160, rounded down."""
    ada = shop.join()
    earn(shop, ada.id, 160, Sale(amount=Decimal("60.00"), currency="USD"))
    assert refund(shop, ada.id, "20.00", reevaluate=lambda earned: None) == 53


def test_a_refund_in_the_batch_of_its_sale_finds_what_it_earned(shop: Any) -> None:
    """The award need not be written yet, and is counted once when it is."""
    ada = shop.join()
    with shop.unit() as unit:
        award(shop.work(unit, ada.id, SALE, event="evt_sale"), points=Decimal(100))
        assert len(awards_of(unit, "evt_sale")) == 1
        assert claw_back(shop.work(unit, ada.id, REFUND), "ref_1", awards_of(unit, "evt_sale"), Decimal("15.00")).points == 50
        unit.flush()
        assert len(awards_of(unit, "evt_sale")) == 1
    assert shop.balance(ada.id) == 50


def test_several_awards_of_a_sale_are_taken_back_each_by_its_share_and_told_once(shop: Any) -> None:
    """Two recipes earned on one sale; the member hears one number."""
    ada = shop.join()
    earn(shop, ada.id, 100)
    earn(shop, ada.id, 50)
    assert refund(shop, ada.id, "30.00") == 150
    assert [told.points for told in shop.heard(PointsClawedBack)] == [150]


def test_points_go_back_from_whom_they_went_to(shop: Any) -> None:
    """A refund whose platform names nobody, or somebody else, is about the member of the sale."""
    ada = shop.join()
    earn(shop, ada.id)
    with shop.step(None, REFUND) as work:
        claw_back(work, "ref_1", awards_of(work.unit, "evt_sale"), Decimal("30.00"))
    assert shop.balance(ada.id) == 0


def test_a_repeated_refund_takes_nothing_more(shop: Any) -> None:
    """The same step again finds that it was done."""
    ada = shop.join()
    earn(shop, ada.id)
    assert refund(shop, ada.id, "10.00", key="run_c:1") == 33
    assert refund(shop, ada.id, "10.00", key="run_c:1") == 0
    assert shop.balance(ada.id) == 67


def test_a_sale_of_nothing_gives_all_back_and_an_award_without_money_stays(shop: Any) -> None:
    """No division by zero; a review's points have nothing to do with a refund."""
    assert proportional(5, Decimal("0.00"), Decimal("0.00")) == 5
    ada = shop.join()
    earn(shop, ada.id, 10, Review(review_id="r1", rating=5))
    assert refund(shop, ada.id, "30.00") == 0


cents = some.integers(0, 100_000)


@given(points=some.integers(0, 10**9), parts=some.lists(cents, min_size=1, max_size=12), more=cents)
def test_any_split_of_the_same_refunds_takes_the_same(points: int, parts: list[int], more: int) -> None:
    """The sum taken depends on the money given back alone, never falls, and is all of it at the full refund."""
    amount = Decimal(sum(parts) + more).scaleb(-2)
    taken, returned = 0, Decimal(0)
    for part in parts:
        returned += Decimal(part).scaleb(-2)
        step = proportional(points, returned, amount) - taken
        assert step >= 0
        taken += step
    assert taken == proportional(points, returned, amount) <= points
    if more == 0:
        assert taken == points


@pytest.mark.parametrize("returned", ["0.01", "29.99"])
def test_a_partial_refund_never_takes_the_last_point(returned: str) -> None:
    """All of an award goes only when all of the money does."""
    assert proportional(100, Decimal(returned), Decimal("30.00")) < 100
