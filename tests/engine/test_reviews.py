"""Reviews: whoever bought is found where a review names only the order."""

from __future__ import annotations

from typing import Any

from tests.engine.world import World, recipe

THANKS = recipe("thanks", "when: review\ndo:\n  - award: {points: 5, reason: Review}\n")


def _review(world: World, number: str, order: str | None, buyer: dict[str, Any] | None = None) -> None:
    world.deliver("till", "opinion", {"id": number, "at": world.clock.now(), "order": order, "buyer": buyer})


def test_a_review_that_names_an_order_is_by_who_bought(make: Any) -> None:
    """Ordered by anybody known; of an order that is not known, or that nobody is known to have made, it is nobody's."""
    world = make(THANKS)
    world.pay("p1", "1.00", "ann", order="o1")
    world.pay("p2", "1.00", None, order="o2")
    world.work()
    for number, order in enumerate(["o1", "o2", "o3", None]):
        _review(world, f"r{number}", order)
    world.work()
    assert world.balance("id:till:ann") == 5
    assert [bool(row["member_id"]) for row in world.rows("SELECT member_id FROM event WHERE kind = 'opinion' ORDER BY id")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_who_wrote_it_goes_before_who_bought(make: Any) -> None:
    """A present is reviewed by whom it was given to."""
    world = make(THANKS)
    world.pay("p1", "1.00", "ann", order="o1")
    _review(world, "r1", "o1", {"id": "bob"})
    world.work()
    assert (world.balance("id:till:ann"), world.balance("id:till:bob")) == (0, 5)
