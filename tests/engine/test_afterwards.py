"""Points that are pending until a recipe releases them, and points that a recipe takes back."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hub.insight.lineage import find
from hub.insight.telling import sentences
from tests.engine.conftest import Make
from tests.engine.world import World, recipe

LATER = recipe(
    "later",
    "when: sale\n"
    "do:\n"
    "  - award: {points: event.amount, pending: true, expires: 60 days, reason: Order}\n"
    "  - wait: {time: 14 days}\n"
    "  - release: {}\n"
    "    as: freed\n",
)
ON_THEIR_WAY = recipe(
    "told", 'when: hub.points_pending\ndo:\n  - letters.send_safe: {to: x, text: "{{ event.points }}, {{ member.pending }}"}\n'
)
HERE = recipe(
    "here",
    'when: hub.points_awarded\ndo:\n  - letters.send_safe: {to: x, text: "{{ event.points }} until {{ event.expires_on }}"}\n',
)
BOOKED = recipe(
    "booked",
    'when: booking\nif: event.recurring and event.status == "booked"\ndo:\n  - award: {points: 150}\n',
)
MISSED = recipe(
    "missed", 'when: booking\nif: event.status == "no_show"\ndo:\n  - take_back: {recipe: booked, reason: Nobody came}\n'
)


def pending(world: World) -> int:
    return int(world.one("SELECT pending FROM balance WHERE member_id = :id", id=world.member())["pending"])


def book(world: World, status: str, number: str = "b1", **more: Any) -> None:
    told = {"id": number, "at": world.clock.now(), "buyer": {"id": "ann"}, "status": status, "recurring": True}
    world.deliver("till", "appointment", {**told, **more})


def test_pending_points_are_spent_and_counted_once_they_are_released(make: Make) -> None:
    """Until then they are neither in the balance nor in what tiers go by; their time runs from when they were earned."""
    world = make(LATER, ON_THEIR_WAY, HERE)
    world.pay("p1", "120.00")
    world.work()
    assert (world.balance(), pending(world), world.lifetime(), world.tier()) == (0, 120, 0, "Bronze")
    world.later(days=13)
    assert world.balance() == 0
    world.later(days=1)
    assert (world.balance(), pending(world), world.lifetime(), world.tier()) == (120, 0, 120, "Silver")
    texts = [call["input"] for call in world.calls("send_safe")]
    assert '"120, 120"' in texts[0] and '"120 until 2026-05-01"' in texts[1] and len(texts) == 2
    world.later(days=50)
    assert world.balance() == 0


def test_what_comes_back_while_it_is_pending_is_never_released(make: Make) -> None:
    """Half of it, and then the rest of another; the member is not the worse for points that they never had."""
    world = make(LATER)
    world.pay("p1", "120.00")
    world.pay("p2", "50.00")
    world.give_back("r1", "60.00", payment="p1")
    world.give_back("r2", "50.00", payment="p2")
    world.work()
    assert (world.balance(), pending(world), world.lifetime()) == (0, 60, 0)
    world.later(days=15)
    assert (world.balance(), pending(world), world.lifetime()) == (60, 0, 60)
    assert [run["journal"][-1]["outcome"] for run in world.runs("later")] == ["done", "nothing"]
    world.give_back("r3", "60.00", payment="p1")
    world.work()
    assert (world.balance(), world.lifetime()) == (0, 0)


def test_why_says_that_points_were_to_be_spent_later(make: Make) -> None:
    """The story of the sale has both: what was earned, and that it can be spent."""
    world = make(LATER)
    world.pay("p1", "120.50")
    world.later(days=14)
    [event] = world.events("payment")
    with world.hub.store.read() as session:
        told = " ".join(line for story in find(session, event["id"]) for line in sentences(story, UTC))
    assert "earned, 120 points to be spent later" in told and "rounded down that is 120" in told
    assert "+120 points on 2026-03-16: “Order” released" in told


def test_a_booking_that_nobody_keeps_gives_its_points_back(make: Make) -> None:
    """Its own alone, once, and what tiers go by with it; spent points leave a debt."""
    world = make(BOOKED, MISSED)
    for number in ("b1", "b2"):
        book(world, "booked", number)
    world.work()
    assert (world.balance(), world.lifetime()) == (300, 300)
    for _ in range(2):
        book(world, "no_show")
        world.work()
    assert (world.balance(), world.lifetime()) == (150, 150)
    [run] = world.runs("missed")
    assert [(entry["action"], entry["outcome"], entry["gave"]["points"]) for entry in run["journal"]] == [
        ("take_back", "done", 150)
    ]


def test_only_what_the_named_recipe_gave_is_taken_back(make: Make) -> None:
    """Without a name it is all that was earned by the same thing."""
    thanks = recipe("thanks", 'when: booking\nif: event.status == "booked"\ndo:\n  - award: {points: 7}\n')
    every = recipe("every", 'when: booking\nif: event.status == "cancelled"\ndo:\n  - take_back: {reason: Called off}\n')
    world = make(BOOKED, MISSED, thanks, every)
    book(world, "booked")
    world.work()
    assert world.balance() == 157
    book(world, "no_show")
    world.work()
    assert world.balance() == 7
    book(world, "cancelled")
    world.work()
    assert world.balance() == 0


def test_where_nothing_was_earned_nothing_is_taken(make: Make) -> None:
    """An appointment of somebody who has earned by other things."""
    world: Any = make(BOOKED, MISSED, recipe("points", "when: sale\ndo:\n  - award: {points: event.amount}\n"))
    world.pay("p1", "10.00")
    book(world, "no_show")
    world.work()
    assert world.balance() == 10
    assert world.run("missed")["journal"][0]["outcome"] == "nothing"


def test_a_fact_that_names_nobody_takes_from_whoever_got_the_points(make: Make) -> None:
    """And what only has something in common, such as a product, is another thing."""
    world = make(BOOKED, MISSED)
    book(world, "booked", "b1", product="chair")
    book(world, "booked", "b2", product="chair", buyer={"id": "bob"})
    book(world, "booked", "b3", product="chair")
    world.work()
    book(world, "no_show", "b1", product="chair", buyer=None)
    world.work()
    assert (world.balance(), world.balance("id:till:bob")) == (150, 150)
