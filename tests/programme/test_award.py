"""What an award does: points, expiry, caps, groups, tiers and what is told of it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.errors import Parked
from hub.programme import Programme
from hub.programme.awarding import award
from hub.programme.earning import Terms, add_up
from hub.programme.facts import PointsAwarded, TierChanged
from hub.sdk.facts import Review, Sale
from hub.sdk.values import Duration


def sale(amount: str, currency: str = "USD", at: datetime | None = None) -> Sale:
    return Sale(amount=Decimal(amount), currency=currency, order_id="1042", occurred_at=at)


def test_finished_points_are_posted_rounded_once_and_told(shop: Any) -> None:
    """`points:` is the finished form: the programme's rounding makes it whole, and the member hears of it."""
    ada = shop.join()
    with shop.step(ada.id) as work:
        result = award(work, points=Decimal("37.99"), reason="Order 1042")
    assert (result.outcome, result.points, result.balance) == ("done", 37, 37)
    assert shop.balance(ada.id) == 37
    assert shop.member(ada.id).lifetime_points == 37
    (told,) = shop.heard(PointsAwarded)
    assert (told.points, told.balance, told.member_id, told.reason) == (37, 37, ada.id, "Order 1042")


def test_points_end_with_their_last_good_day_in_the_zone_of_the_programme(shop: Any) -> None:
    """Earned on the evening of March 10 in Chicago (March 11 in UTC): the last good day is March 10 a year later."""
    ada = shop.join()
    with shop.step(ada.id, sale("5.00", at=datetime(2026, 3, 11, 3, tzinfo=UTC))) as work:
        result = award(work, points=Decimal(5))
    assert result.expires_on == date(2027, 3, 10)
    assert result.expires_at == datetime(2027, 3, 11, 6, tzinfo=UTC)


def test_a_recipe_may_name_another_length_or_none(shop: Any) -> None:
    """`expires:` of the recipe wins over the programme's; none means for ever."""
    ada = shop.join()
    with shop.step(ada.id) as work:
        assert award(work, points=Decimal(5), expires=Duration(days=30)).expires_on == date(2026, 4, 9)
    with shop.step(ada.id) as work:
        assert award(work, points=Decimal(5), expires=None).expires_at is None


@pytest.mark.parametrize("points", ["0", "0.99", "-3"])
def test_less_than_a_point_awards_nothing_and_says_so(shop: Any, points: str) -> None:
    """Nothing is posted and nothing told when no whole point comes out."""
    ada = shop.join()
    with shop.step(ada.id) as work:
        result = award(work, points=Decimal(points))
    assert (result.outcome, result.points, result.transaction_id) == ("nothing", 0, None)
    assert shop.told == []


def test_an_event_without_a_member_earns_nothing(shop: Any) -> None:
    """A step for nobody is a readable outcome, not an error."""
    with shop.step(None) as work:
        assert award(work, points=Decimal(5)).outcome == "no_member"


def test_the_same_step_again_posts_and_tells_nothing_more(shop: Any) -> None:
    """A repetition gives the first result: the key of the step is the fence."""
    ada = shop.join()
    for _ in range(2):
        with shop.step(ada.id, sale("12.00", at=datetime(2026, 3, 1, tzinfo=UTC)), key="run_x:1") as work:
            result = award(work, points=Decimal(12))
        assert result.points == 12
    assert shop.balance(ada.id) == 12
    assert shop.member(ada.id).lifetime_points == 12
    assert len(shop.heard(PointsAwarded)) == 1


@pytest.mark.parametrize(("stacking", "points"), [("max", 210), ("additive", 250), ("multiplicative", 290)])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_awards_of_one_group_are_one_sum_in_whatever_order(shop: Any, stacking: str, points: int, order: Any) -> None:
    """$80 at one point a dollar, tier 1.5x, campaign 2x and a bonus of 50 from four recipes: one sum, one rounding."""
    ada = shop.join()
    parts = [{"rate": Decimal(1)}, {"multiply": Decimal("1.5")}, {"multiply": Decimal(2)}, {"bonus": 50}]
    for number in order:
        with shop.step(ada.id, sale("80.00"), event="evt_1") as work:
            award(work, group="purchase", stacking=stacking, **parts[number])
    assert shop.balance(ada.id) == points


def test_a_repeated_step_of_a_group_gives_its_first_share(shop: Any) -> None:
    """A step that is done again finds its own share in the pool and does not count itself twice."""
    ada = shop.join()
    for key, inputs in [("a", {"rate": Decimal(1)}), ("b", {"bonus": 5}), ("a", {"rate": Decimal(1)})]:
        with shop.step(ada.id, sale("80.00", at=datetime(2026, 3, 1, tzinfo=UTC)), event="evt_1", key=key) as work:
            result = award(work, group="purchase", **inputs)
    assert result.points == 80
    assert shop.balance(ada.id) == 85


def test_fractions_of_a_group_are_rounded_together(shop: Any) -> None:
    """Half a point twice is a point: the group is rounded once, not each award."""
    ada = shop.join()
    for _ in range(2):
        with shop.step(ada.id, sale("1.00"), event="evt_1") as work:
            award(work, rate=Decimal("0.5"), group="purchase")
    assert shop.balance(ada.id) == 1


def test_the_cap_of_the_recipe_or_else_of_the_programme_holds(store: Any, shop: Any) -> None:
    """`cap:` bounds the award and is readable; without one the programme's default cap bounds it."""
    ada = shop.join()
    with shop.step(ada.id) as work:
        result = award(work, points=Decimal(900), cap=100)
    assert (result.outcome, result.points) == ("capped", 100)
    bounded = type(shop)(store, {"cap_per_event": 250})
    with bounded.step(ada.id, event="evt_c", key="run_c:1") as work:
        assert award(work, points=Decimal(900)).points == 250
    with bounded.step(ada.id, event="evt_d", key="run_d:1") as work:
        assert award(work, rate=Decimal(10)).points == 250


def test_a_rate_takes_what_earns_in_the_own_currency(store: Any, shop: Any) -> None:
    """Foreign money is converted at the rate of hub.yaml, and both amounts are kept with the award."""
    ada = shop.join()
    trader = type(shop)(store, {"exchange_rates": {"EUR": Decimal("1.10")}})
    with trader.step(ada.id, sale("19.99", "EUR")) as work:
        result = award(work, rate=Decimal(2))
    assert result.points == 43
    with store.write() as session:
        context = session._connection.execute("SELECT context FROM txn WHERE kind = 'award'").fetchone()[0]
    kept = json.loads(context)
    assert (kept["amount"], kept["currency"], kept["base"]) == ("19.99", "EUR", "21.99")


def test_foreign_money_without_a_rate_parks_the_event(shop: Any) -> None:
    """The error names both currencies and the setting to add."""
    ada = shop.join()
    with pytest.raises(Parked, match="in EUR"), shop.step(ada.id, sale("19.99", "EUR")) as work:
        award(work, rate=Decimal(2))


def test_a_rate_on_a_fact_without_money_is_nothing(shop: Any) -> None:
    """A review has no amount, so a rate earns nothing there."""
    ada = shop.join()
    with shop.step(ada.id, Review(review_id="r1", rating=5)) as work:
        assert award(work, rate=Decimal(2)).outcome == "nothing"


def test_points_beyond_an_account_park_the_event(shop: Any) -> None:
    """A sum that no account can hold is refused with what to do, and nothing is posted."""
    ada = shop.join()
    with pytest.raises(Parked, match="cap"), shop.step(ada.id) as work:
        award(work, points=Decimal(10) ** 30)
    assert shop.balance(ada.id) == 0


def test_a_member_rises_at_once_over_several_tiers(shop: Any) -> None:
    """2,500 points in one award lift Bronze to Gold; one fact says so, and history keeps the change."""
    ada = shop.join()
    assert ada.tier == "Bronze"
    with shop.step(ada.id) as work:
        award(work, points=Decimal(2500))
    assert shop.member(ada.id).tier == "Gold"
    (told,) = shop.heard(TierChanged)
    assert (told.was, told.tier, told.lifetime_points) == ("Bronze", "Gold", 2500)


def test_a_tier_that_the_programme_no_longer_has_is_left_at_the_next_award(store: Any, shop: Any) -> None:
    """The admin renamed the tiers: who earns next is placed by the new ones."""
    ada = shop.join()
    renamed = type(shop)(store, {"tiers": [{"name": "Basic", "from": 0}, {"name": "Plus", "from": 100}]})
    with renamed.step(ada.id) as work:
        award(work, points=Decimal(5))
    (told,) = renamed.heard(TierChanged)
    assert (told.was, told.tier) == ("Bronze", "Basic")


money = some.decimals(min_value=0, max_value=10_000, places=2)
factor = some.decimals(min_value=0, max_value=5, places=2)


@given(amount=money, rate=factor, factors=some.lists(factor, max_size=4), bonus=some.integers(0, 500))
def test_stacking_agrees_with_plain_fractions(amount: Decimal, rate: Decimal, factors: list[Decimal], bonus: int) -> None:
    """The sum is rate x amount x pooled multipliers + bonus, exactly, under each rounding and stacking."""
    for rounding, whole in (("floor", math.floor), ("half_even", round), ("ceil", math.ceil)):
        points = {"rounding": rounding}
        programme = Programme.model_validate({"name": "P", "timezone": "UTC", "currency": "USD", "points": points})
        exact = [Fraction(factor) for factor in factors]
        pooled = {
            "additive": max(Fraction(0), 1 + sum((factor - 1 for factor in exact), Fraction(0))),
            "multiplicative": math.prod(exact, start=Fraction(1)),
            "max": max([factor for factor in exact if factor != 1], default=Fraction(1)),
        }
        for stacking, times in pooled.items():
            terms = [Terms(Fraction(rate) * Fraction(amount), bonus=bonus, stacking=stacking)]
            terms += [Terms(Fraction(0), multiply=factor, stacking=stacking) for factor in exact]
            assert add_up(terms, programme).points == whole(Fraction(rate) * Fraction(amount) * times + bonus)
