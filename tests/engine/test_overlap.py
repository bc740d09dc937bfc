"""An order that the till tells as a sale and as points of its own programme earns once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.world import POINTS, World, recipe

Make = Callable[..., World]

FROM_TILL = recipe("from-till", "when: loyalty_activity\ndo:\n  - award: {points: 7}\n")


def _till_gives(world: World, *, ours: bool = False, order: str = "o1") -> None:
    told = {"id": f"a{world.number()}", "at": world.clock.now(), "kind": "earned", "ours": ours, "order": order}
    world.deliver("till", "activity", {**told, "buyer": {"id": "ann"}})


@pytest.mark.parametrize("together", [True, False])
def test_the_sale_that_came_first_earns_and_the_tills_points_do_not(make: Make, *, together: bool) -> None:
    """Whether both are worked in one batch or apart."""
    world = make(POINTS, FROM_TILL)
    world.pay("p1", "40.00", order="o1")
    if not together:
        world.work()
    _till_gives(world)
    world.work()
    assert world.balance() == 40


def test_the_tills_points_that_came_first_count_and_the_sale_earns_nothing_more(make: Make) -> None:
    """The trace of the sale says why."""
    world = make(POINTS, FROM_TILL)
    _till_gives(world)
    world.work()
    world.pay("p1", "40.00", order="o1")
    world.work()
    assert world.balance() == 7
    journal = world.one("SELECT journal FROM run WHERE recipe = 'purchase-points'")["journal"]
    assert "its order has earned points already, by till.activity" in journal


def test_what_the_hub_itself_gave_at_the_till_is_no_award_of_the_till(make: Make) -> None:
    """Our own write comes back as an activity; the sale earns all the same."""
    world = make(POINTS)
    _till_gives(world, ours=True)
    world.pay("p1", "40.00", order="o1")
    world.work()
    assert world.balance() == 40


def test_other_orders_and_further_payments_of_the_order_earn(make: Make) -> None:
    """Only the two sides of one order overlap."""
    world = make(POINTS, FROM_TILL)
    _till_gives(world, order="o9")
    world.pay("p1", "40.00", order="o1")
    world.pay("p2", "10.00", order="o1")
    world.work()
    assert world.balance() == 57
