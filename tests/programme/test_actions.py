"""Redeeming, adjusting, tags and attributes, as recipes see them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.programme import Work
from hub.programme.actions import adjust, connector, redeem, set_attribute, tag, untag
from hub.programme.awarding import award
from hub.programme.facts import (
    HUB_FACTS,
    Anniversary,
    Birthday,
    Lapsed,
    PointsAdjusted,
    PointsExpiring,
    PointsRedeemed,
    RewardRedeemed,
    TagAdded,
    TagRemoved,
)
from hub.recipes.types import record_of


@pytest.fixture
def ada(shop: Any) -> Any:
    member = shop.join()
    with shop.step(member.id) as work:
        award(work, points=Decimal(600))
    shop.told.clear()
    return member


def test_a_reward_is_taken_for_its_price(shop: Any, ada: Any) -> None:
    """By whatever name it is asked for; both facts are told."""
    with shop.step(ada.id) as work:
        result = redeem(work, reward="Oil change")
    assert (result.outcome, result.reward, result.points, result.balance) == ("done", "oil-change", 500, 100)
    assert [told.points for told in shop.heard(PointsRedeemed)] == [500]
    assert [told.reward for told in shop.heard(RewardRedeemed)] == ["oil-change"]
    assert shop.member(ada.id).lifetime_points == 600


def test_too_few_points_is_an_outcome_with_what_is_missing(shop: Any, ada: Any) -> None:
    """Nothing is taken, nothing told; the recipe can say how many are missing."""
    with shop.step(ada.id) as work:
        result = redeem(work, points=Decimal(650))
    assert (result.outcome, result.points, result.balance, result.missing) == ("short", 0, 600, 50)
    assert shop.told == []
    assert shop.balance(ada.id) == 600


@pytest.mark.parametrize(
    ("inputs", "outcome"),
    [
        ({"reward": "tyres"}, "unknown_reward"),
        ({"reward": ""}, "unknown_reward"),
        ({"points": Decimal(0)}, "nothing"),
        ({}, "nothing"),
    ],
)
def test_what_cannot_be_redeemed_is_said(shop: Any, ada: Any, inputs: Any, outcome: str) -> None:
    """An unknown reward or no points at all change nothing."""
    with shop.step(ada.id) as work:
        assert redeem(work, **inputs).outcome == outcome
    assert shop.balance(ada.id) == 600


def test_a_redemption_that_is_repeated_happens_once(shop: Any, ada: Any) -> None:
    """The key of the step is the fence."""
    for _ in range(2):
        with shop.step(ada.id, key="run_r:1") as work:
            assert redeem(work, reward="oil-change").balance == 100
    assert len(shop.heard(RewardRedeemed)) == 1


def test_an_adjustment_adds_and_takes_without_counting_for_tiers(shop: Any, ada: Any) -> None:
    """Points by hand are not earned for good."""
    with shop.step(ada.id) as work:
        assert adjust(work, points=Decimal(50), reason="sorry").balance == 650
    with shop.step(ada.id) as work:
        assert adjust(work, points=Decimal(-150)).balance == 500
    with shop.step(ada.id) as work:
        result = adjust(work, points=Decimal(-501))
    assert (result.outcome, result.missing) == ("short", 1)
    with shop.step(ada.id) as work:
        assert adjust(work, points=Decimal("0.4")).outcome == "nothing"
    assert [told.points for told in shop.heard(PointsAdjusted)] == [50, -150]
    assert shop.member(ada.id).lifetime_points == 600


def test_tags_and_attributes_say_whether_they_changed(shop: Any, ada: Any) -> None:
    """What was so already is `unchanged`, and not told."""
    for outcome in ("done", "unchanged"):
        with shop.step(ada.id) as work:
            assert tag(work, name="vip").outcome == outcome
        with shop.step(ada.id) as work:
            assert set_attribute(work, name="car", value="Golf").outcome == outcome
    with shop.step(ada.id) as work:
        assert untag(work, name="vip").outcome == "done"
    with shop.step(ada.id) as work:
        assert untag(work, name="vip").outcome == "unchanged"
    assert (len(shop.heard(TagAdded)), len(shop.heard(TagRemoved))) == (1, 1)


@pytest.mark.parametrize(
    ("action", "inputs"),
    [
        (redeem, {"points": 1}),
        (adjust, {"points": 1}),
        (tag, {"name": "x"}),
        (untag, {"name": "x"}),
        (set_attribute, {"name": "x", "value": "y"}),
    ],
)
def test_without_a_member_every_action_says_so(shop: Any, action: Any, inputs: Any) -> None:
    """A readable outcome instead of an error."""
    with shop.step(None) as work:
        assert action(work, **inputs).outcome == "no_member"


def test_recipes_reach_the_actions_by_their_names(shop: Any, ada: Any) -> None:
    """The connector's actions take texts and numbers as a recipe gives them."""
    known = connector.actions["award"]
    with shop.step(ada.id) as work:
        result: Any = known.call({Work: work}, known.inputs.model_validate({"points": Decimal("12.5"), "expires": "30 days"}))
    assert (result.points, str(result.expires_on)) == (12, "2026-04-09")
    assert record_of(known.inputs).fields is not None


@pytest.mark.parametrize("kind", [*HUB_FACTS, Birthday, Anniversary, Lapsed, PointsExpiring])
def test_every_fact_of_the_hub_has_a_sample_that_it_accepts(kind: Any) -> None:
    """Examples and editors start from it; its name in recipes is its own."""
    fact = kind.model_validate(kind.sample)
    assert fact.key
    assert (kind.fact.startswith("hub.")) == (kind in HUB_FACTS)
    record_of(kind)
