"""Refunds that name their lines: the award comes down to what the recipe gives for what is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.world import World, recipe

Make = Callable[..., World]

BONUS = recipe("bonus", "when: sale\ndo:\n  - award: {rate: 1, bonus: 100 if event.amount > 50 else 0}\n")
DIESEL = {"title": "Diesel filter", "sku": "d1", "quantity": 1, "net": "40.00"}
WIPERS = {"title": "Wipers", "sku": "w1", "quantity": 2, "net": "20.00"}


def _buy(world: World, id_: str = "p1") -> None:
    world.pay(id_, "60.00", lines=[DIESEL, WIPERS])


def test_a_bonus_goes_when_what_is_left_would_not_have_earned_it(make: Make) -> None:
    """160 points for 60.00 with a bonus over 50.00; without the wipers it would have been 40."""
    world = make(BONUS)
    _buy(world)
    world.work()
    assert world.balance() == 160
    world.give_back("r1", "20.00", payment="p1", lines=[WIPERS])
    world.work()
    assert world.balance() == 40


def test_a_refund_by_amount_is_taken_back_in_proportion(make: Make) -> None:
    """It does not say what was returned."""
    world = make(BONUS)
    _buy(world)
    world.give_back("r1", "20.00", payment="p1")
    world.work()
    assert world.balance() == 160 - 53


@pytest.mark.parametrize("apart", [True, False])
def test_what_is_left_of_a_sale_earns_as_if_the_rest_had_never_been_bought(make: Make, *, apart: bool) -> None:
    """Whether its refund comes with it, later, or in two parts."""
    world = make(BONUS)
    _buy(world)
    if apart:
        world.work()
    one = {**WIPERS, "quantity": 1, "net": "10.00"}
    world.give_back("r1", "10.00", payment="p1", lines=[one])
    if apart:
        world.work()
    world.give_back("r2", "10.00", payment="p1", lines=[one])
    world.pay("p2", "40.00", buyer="bob", lines=[DIESEL])
    world.work()
    assert world.balance() == world.balance("id:till:bob") == 40


def test_a_recipe_is_judged_by_the_member_and_the_version_that_it_saw(make: Make) -> None:
    """A tier reached since, or a recipe edited since, changes nothing about an old sale."""
    double = 'when: sale\ndo:\n  - award: {points: event.amount * (2 if member.tier == "Silver" else 1)}\n'
    world = make(recipe("tiered", double))
    world.pay("p0", "100.00")
    _buy(world)
    world.work()
    assert (world.tier(), world.balance()) == ("Silver", 220)
    world.restart(recipe("tiered", double.replace("* (2", "* (5")))
    world.pay("p3", "100.00")
    world.work()
    world.give_back("r1", "20.00", payment="p1", lines=[WIPERS])
    world.work()
    assert world.balance() == 220 + 500 - 40


def test_returned_lines_that_the_sale_does_not_have_are_taken_back_in_proportion(make: Make) -> None:
    """Nobody can say what would be left."""
    world = make(BONUS)
    _buy(world)
    world.give_back("r1", "30.00", payment="p1", lines=[{"title": "Something else", "quantity": 1, "net": "30.00"}])
    world.work()
    assert world.balance() == 80
