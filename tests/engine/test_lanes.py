"""Lanes: a member's events are worked in order, and what cannot be worked holds up nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.engine import intake, lanes
from hub.programme import awarding
from tests.engine.world import POINTS, World, recipe

RATE = "  exchange_rates: {EUR: 2}\n"


def _mended(world: World) -> Callable[[], None]:
    return lambda: world.configure(programme=RATE)


def _awards(world: World) -> list[str]:
    return [row["reason"] for row in world.rows("SELECT reason FROM txn WHERE kind = 'award' ORDER BY id")]


def test_a_poisoned_event_parks_its_own_lane_alone(world: World) -> None:
    """What comes after it for the same member waits; everybody else is served."""
    world.pay("p1", "1.00", order="o1")
    world.pay("p2", "10.00", order="o2", currency="EUR")
    world.pay("p3", "100.00", order="o3")
    world.pay("p4", "7.00", "bob")
    world.work()
    world.pay("p5", "1000.00", order="o5")
    world.pay("p6", "7.00", "bob")
    world.work()
    assert world.states() == ["done", "parked", "ready", "done", "ready", "done"]
    assert (world.balance(), world.balance("id:till:bob")) == (1, 14)


def test_a_replay_frees_the_lane_and_it_goes_on_in_order(world: World) -> None:
    """The parked event first, then what waited, then what comes in the same batch as the replay."""
    for number, currency in enumerate(["USD", "EUR", "USD"], start=1):
        world.pay(f"p{number}", "10.00", order=f"o{number}", currency=currency)
    world.work()
    world.restart(edit=_mended(world))
    world.hub.inbox.command("replay", {"id": world.events()[1]["id"]})
    world.pay("p4", "10.00", order="o4")
    world.work()
    assert world.states() == ["done"] * 4
    assert _awards(world) == ["Order o1", "Order o2", "Order o3", "Order o4"]
    assert world.balance() == 50


def test_a_long_queue_of_a_freed_lane_is_worked_before_what_comes_new(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many batches that takes."""
    monkeypatch.setattr(lanes, "_EVENTS_MOST", 2)
    world.pay("p0", "10.00", order="o0", currency="EUR")
    world.work()
    for number in range(1, 6):
        world.pay(f"p{number}", "10.00", order=f"o{number}")
    world.work()
    world.restart(edit=_mended(world))
    world.hub.inbox.command("replay", {"id": world.events()[0]["id"]})
    world.pay("p6", "10.00", order="o6")
    world.work()
    assert _awards(world) == [f"Order o{number}" for number in range(7)]


def test_what_is_still_poisoned_parks_again(world: World) -> None:
    """A replay that cannot help leaves the event where it was, with its reason."""
    world.pay("p1", "10.00", currency="EUR")
    world.pay("p2", "10.00")
    world.work()
    world.do("replay", id=world.events()[0]["id"])
    world.work()
    assert world.states() == ["parked", "ready"]
    assert "exchange_rates" in world.events()[0]["note"]


def test_an_event_that_is_given_up_frees_its_lane(world: World) -> None:
    """It earns nothing, keeps its reason, and the next ones are worked."""
    world.pay("p1", "10.00", currency="EUR")
    world.pay("p2", "10.00")
    world.work()
    world.do("drop", id=world.events()[0]["id"], reason="a mistake at the till")
    world.work()
    assert world.states() == ["done", "done"]
    assert "a mistake at the till" in world.events()[0]["note"]
    assert world.balance() == 10


def test_a_mistake_of_ours_parks_one_event_and_undoes_what_it_had_begun(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error in the middle of an event leaves no half of it behind."""
    world = make(POINTS, recipe("a-tag", "when: sale\ndo:\n  - tag: {name: buyer}\n  - award: {points: 1}\n"))
    real = awarding.tiers.evaluate

    def broken(work: Any) -> Any:
        if work.recipe == "purchase-points" and work.event.key == "p2":
            raise RuntimeError("a mistake of ours")
        return real(work)

    monkeypatch.setattr(awarding.tiers, "evaluate", broken)
    world.pay("p1", "10.00", "bob")
    world.pay("p2", "10.00", "ann")
    world.pay("p3", "10.00", "bob")
    world.work()
    assert world.states() == ["done", "parked", "done"]
    assert "RuntimeError: a mistake of ours" in world.events()[1]["note"]
    assert (world.balance(), world.balance("id:till:bob")) == (0, 22)
    assert world.one("SELECT tags FROM member WHERE id = :id", id=world.member())["tags"] == "[]"
    monkeypatch.setattr(awarding.tiers, "evaluate", real)
    world.do("replay", id=world.events()[1]["id"])
    assert world.balance() == 11


def test_a_batch_that_the_database_refuses_is_worked_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the delivery that cannot be written is set aside, with the reason; its neighbours are worked."""
    real = intake.Admission.admit

    def broken(self: Any, deliveries: Any) -> Any:
        placed = real(self, deliveries)
        if any(event.key == "p2" for event in placed):
            raise OSError("the disk said no")
        return placed

    monkeypatch.setattr(intake.Admission, "admit", broken)
    for number in range(1, 4):
        world.pay(f"p{number}", "10.00")
    world.work()
    assert [event["key"] for event in world.events()] == ["p1", "p3"]
    [receipt] = world.rows("SELECT * FROM receipt")
    assert receipt["state"] == "unreadable"
    assert "the disk said no" in receipt["note"]
    monkeypatch.setattr(intake.Admission, "admit", real)
    world.do("replay", id=receipt["delivery_id"])
    world.work()
    assert world.balance() == 30
    assert world.rows("SELECT * FROM receipt") == []


def test_the_hubs_own_facts_of_a_parked_member_wait_with_them(make: Any) -> None:
    """What time tells of a member whose lane is parked is worked when the lane goes on."""
    world = make(POINTS, recipe("party", "when: birthday\ndo:\n  - award: {points: 5, reason: Party}\n"))
    world.pay("p1", "10.00", {"id": "ann", "birthday": "1980-03-04"}, order="o1")
    world.pay("p2", "10.00", order="o2", currency="EUR")
    world.later(days=3)
    assert [row["state"] for row in world.events() if row["fact"] == "birthday"] == [0]
    world.restart(edit=_mended(world))
    world.do("replay", id=world.events("payment")[1]["id"])
    world.work()
    assert _awards(world) == ["Order o1", "Order o2", "Party"]
