"""Traces: why recipes did nothing is told in full, and kept so that it costs little."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.engine import traces
from hub.engine.events import Event
from hub.engine.runner import Runner
from hub.recipes.model import Plan
from hub.store import as_json
from tests.engine.world import POINTS, World, recipe


def _choosy(number: int, condition: str) -> str:
    return recipe(f"choosy-{number:02}", f"when: sale\nif: {condition}\ndo:\n  - award: {{points: 1}}\n")


def _whys(world: World) -> list[str]:
    return [why for _, _, why in world.traces()]


def test_every_reason_is_told_with_its_values(make: Any) -> None:
    """One value or several, one of two parts, neither of two; in the order of the recipes."""
    conditions = [
        "event.amount >= 20",
        "event.amount + event.tax > 50",
        'event.amount >= 5 and member.tier == "Gold"',
        'event.amount > 30 or "vip" in member.tags',
        "1 > 2",
    ]
    world = make(*(_choosy(number, condition) for number, condition in enumerate(conditions)))
    world.pay("p1", "10.00", tax="0.50")
    world.work()
    assert _whys(world) == [
        "event.amount >= 20 (was 10.00)",
        "event.amount + event.tax > 50 (event.amount was 10.00, event.tax was 0.50)",
        'member.tier == "Gold" (was "Bronze")',
        'neither event.amount > 30 (was 10.00) nor "vip" in member.tags (was [])',
        "1 > 2",
    ]
    assert [name for name, _, _ in world.traces()] == [f"choosy-{number:02}" for number in range(5)]


def test_what_many_traces_say_alike_is_kept_once(make: Any) -> None:
    """For all events, in one batch and after a restart; of each event only its values are new."""
    world = make(*(_choosy(number, f"event.amount >= {100 + number}") for number in range(30)))
    world.pay("p1", "10.00")
    world.pay("p2", "11.00")
    world.work()
    world.restart()
    world.pay("p3", "12.00")
    world.work()
    assert len(world.rows("SELECT id FROM reason")) == 30
    assert [json.loads(row["why"])[0][0] for row in world.rows("SELECT why FROM trace ORDER BY event_id")] == [
        {"event.amount": value} for value in ("10.00", "11.00", "12.00")
    ]
    assert all(len(row["why"]) < 30 * 14 for row in world.rows("SELECT why FROM trace"))
    assert _whys(world)[::30] == [f"event.amount >= 100 (was {value})" for value in ("10.00", "11.00", "12.00")]


def test_a_recipe_that_acts_in_between_changes_what_the_next_one_is_told(make: Any) -> None:
    """Each reason has the value that its recipe saw."""
    world = make(
        _choosy(1, "member.balance > 100"), POINTS, recipe("rich", "when: sale\nif: member.balance > 100\ndo:\n  - stop: {}\n")
    )
    world.pay("p1", "10.00")
    world.work()
    assert _whys(world) == ["member.balance > 100 (was 0)", "member.balance > 100 (was 10)"]


def test_a_reason_is_kept_although_the_first_event_that_had_it_is_parked(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its work changed is undone; the next event of the batch brings the reason again."""
    begin = Runner._new_run

    def broken(runner: Runner, plan: Plan, event: Event, scope: Any) -> Any:
        if event.key == "p1":
            raise RuntimeError("broken")
        return begin(runner, plan, event, scope)

    monkeypatch.setattr(Runner, "_new_run", broken)
    world = make(_choosy(1, "event.amount > 100"), POINTS)
    world.pay("p1", "10.00")
    world.pay("p2", "11.00", "bob")
    world.work()
    assert world.states() == ["parked", "done"]
    assert _whys(world) == ["event.amount > 100 (was 11.00)"]


def test_traces_that_were_kept_before_are_still_read(make: Any) -> None:
    """Their reasons stand in them in full."""
    world = make(_choosy(1, "event.amount > 100"))
    world.pay("p1", "10.00")
    world.work()
    [event] = world.events()
    told = [["old", "v1", "event.amount > 7 (was 3)"], ["older", "v2", "once_per event.order_id: o1 was used by evt_1"]]
    with world.hub.store.write() as session:
        session.run_many(traces.queries.add_trace, [(event["id"], as_json(told))])
    with world.hub.store.read() as session:
        assert traces.of(session, event["id"]) == [tuple(one) for one in told]
        assert traces.of(session, "evt_unknown") == []
