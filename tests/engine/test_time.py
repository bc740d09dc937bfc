"""Time: what falls due by itself, each occurrence once, with catch-up after a downtime."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.engine import cron
from hub.sdk import Duration
from tests.engine.platforms import till
from tests.engine.world import CONNECTIONS, POINTS, World, recipe

MONDAYS = recipe("mondays", "when: {schedule: {cron: 0 9 * * 1}}\ndo:\n  - log: {text: monday}\n")
PARTY = recipe("party", "when: birthday\ndo:\n  - award: {points: 5, reason: Party}\n")
LAPSED = recipe("lapsed", "when: {lapsed: {after: 30 days}}\ndo:\n  - tag: {name: lapsed}\n")
NOTICE = recipe(
    "notice",
    "when: {points_expiring: {before: 14 days}}\ndo:\n"
    '  - set_attribute: {name: notice, value: "{{ event.points }} until {{ event.last_good_day }}"}\n',
)
GONE = recipe("gone", 'when: hub.points_expired\ndo:\n  - set_attribute: {name: gone, value: "{{ event.points }}"}\n')


def _facts(world: World, fact: str) -> list[dict[str, Any]]:
    return [row for row in world.events() if row["fact"] == fact]


def test_a_schedule_is_told_once_each_time_and_made_up_for_once_after_a_downtime(make: Any) -> None:
    """Three Mondays of sleep are one, the latest; a second worker's start changes nothing."""
    world = make(MONDAYS)
    world.work()
    world.later(days=8)
    assert len(_facts(world, "schedule")) == 1
    world.sleep(days=21)
    world.restart()
    world.work()
    world.restart()
    world.work()
    times = [row["occurred_at"][:16] for row in _facts(world, "schedule")]
    assert times == ["2026-03-09T14:00", "2026-03-30T14:00"]
    assert [run["state"] for run in world.runs("mondays")] == ["done", "done"]


def test_a_time_can_be_told_of_each_member(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pages, each member once a time, however often the worker starts; after a downtime the latest counts."""
    monkeypatch.setattr(cron, "_MEMBERS_MOST", 2)
    monthly = recipe(
        "monthly", "when: {each_member: {cron: 0 9 1 * *}}\nif: member.purchases > 0\ndo:\n  - award: {points: 5}\n"
    )
    world = make(monthly)
    world.work()
    for name in ("ann", "bob", "cy", "dee", "eve"):
        world.pay(f"p-{name}", "1.00" if name != "cy" else "0.00", name)
    world.later(days=31)
    assert [world.balance(f"id:till:{name}") for name in ("ann", "cy", "eve")] == [5, 0, 5]
    assert len(_facts(world, "each_member")) == 5
    world.sleep(days=62)
    world.restart()
    world.work()
    assert len(_facts(world, "each_member")) == 10
    assert {row["occurred_at"][:10] for row in _facts(world, "each_member")} == {"2026-04-01", "2026-06-01"}


def test_an_edit_of_a_recipe_neither_repeats_nor_resets_its_timer(make: Any) -> None:
    """The same schedule in another text goes on from where it was."""
    world = make(MONDAYS)
    world.later(days=8)
    world.restart(MONDAYS.replace("text: monday", "text: again"))
    world.later(days=7)
    assert len(_facts(world, "schedule")) == 2


def test_a_timer_that_is_new_makes_up_for_nothing(make: Any) -> None:
    """Birthdays before the recipe was there are not told."""
    world = make(POINTS)
    world.pay("p1", "1.00", {"id": "ann", "birthday": "1980-03-03"})
    world.later(days=3)
    world.restart(POINTS, PARTY)
    world.later(days=3)
    assert _facts(world, "birthday") == []


def test_a_birthday_is_told_once_a_year(make: Any) -> None:
    """Also when the hub was down on the day, and however often it starts."""
    world = make(POINTS, PARTY)
    world.pay("p1", "1.00", {"id": "ann", "birthday": "1980-03-04"})
    world.work()
    world.sleep(days=4)
    for _ in range(2):
        world.restart()
        world.work()
    assert world.balance() == 6
    world.sleep(days=365)
    world.work()
    assert len(_facts(world, "birthday")) == 2


def test_a_silence_is_told_once(make: Any) -> None:
    """And again only after they came back."""
    world = make(POINTS, LAPSED)
    world.pay("p1", "1.00")
    world.later(days=33)
    world.sleep(days=32)
    world.work()
    assert len(_facts(world, "lapsed")) == 1
    world.pay("p2", "1.00")
    world.work()
    world.sleep(days=40)
    world.work()
    assert len(_facts(world, "lapsed")) == 2


def test_points_are_announced_once_and_expire_once(make: Any) -> None:
    """The notice comes two weeks before, with what is left then; the expiry is a fact of the hub."""
    world = make(POINTS, NOTICE, GONE)
    world.pay("p1", "40.00")
    world.work()
    world.sleep(days=100)
    world.do("adjust", member=world.member(), points=-10, reason="a coffee")
    world.sleep(days=67)
    world.work()
    world.later(days=2)
    assert world.one("SELECT attributes FROM member")["attributes"] == "{}"
    world.later(days=3)
    assert world.one("SELECT attributes FROM member")["attributes"] == '{"notice": "30 until 2026-09-02"}'
    for _ in range(2):
        world.restart()
        world.later(days=8)
    assert world.balance() == 0
    assert '"gone": "30"' in world.one("SELECT attributes FROM member")["attributes"]
    assert len(_facts(world, "points_expiring")) == len(_facts(world, "hub.points_expired")) == 1
    assert world.totals().expired == 30


def test_what_is_due_while_nothing_runs_is_done_in_one_go_afterwards(make: Any) -> None:
    """More lots than one sweep takes, and runs that slept past their time."""
    world = make(POINTS, recipe("late", "when: sale\ndo:\n  - wait: {time: 2 days}\n  - tag: {name: late}\n"))
    for number in range(30):
        world.pay(f"p{number}", "10.00", f"c{number}")
    world.work()
    world.sleep(days=300)
    world.restart()
    world.work()
    assert world.totals().expired == 300
    assert {run["state"] for run in world.runs()} == {"done"}


def test_a_wait_ends_at_its_moment_and_not_before(make: Any) -> None:
    """Days are those of the programme's calendar: over the change to summer time, two days are an hour shorter."""
    world = make(recipe("late", "when: sale\ndo:\n  - wait: {time: 7 days}\n  - award: {points: 1}\n"))
    world.pay("p1", "1.00")
    world.later(days=6, hours=22, minutes=59)
    assert world.balance() == 0
    world.later(minutes=2)
    assert world.balance() == 1


def test_a_wait_until_a_moment_that_is_over_goes_on_at_once(make: Any) -> None:
    """It never waits for yesterday."""
    world = make(recipe("late", "when: sale\ndo:\n  - wait: {until: 2026-01-01T00:00:00Z}\n  - award: {points: 1}\n"))
    world.pay("p1", "1.00")
    world.work()
    assert world.balance() == 1


def test_platforms_are_polled_from_the_start_and_then_again_and_again(make: Any) -> None:
    """Also where nothing else ever falls due; what webhooks lost is found."""
    world = make(MONDAYS)
    world.platform.payments = [{"id": "p1", "amount": "4.00", "at": world.clock.now(), "buyer": {"id": "ann"}}]
    world.work()
    assert world.states("payment") == ["done"]
    world.platform.payments = [{"id": "p2", "amount": "4.00", "at": world.clock.now(), "buyer": {"id": "ann"}}]
    world.later(days=31)
    assert world.states("payment") == ["done", "done"]
    assert world.platform.paths().count("/payments") == 2


def test_a_shop_without_a_public_address_is_polled_as_often_as_its_connector_says(make: Any) -> None:
    """There polling is all there is."""
    world = make(POINTS, connections=CONNECTIONS.partition("\n")[2])
    world.work()
    world.platform.payments = [{"id": "p1", "amount": "4.00", "at": world.clock.now(), "buyer": {"id": "ann"}}]
    world.later(days=31)
    assert world.balance() == 4


@pytest.mark.parametrize(("polled", "always", "looks"), [(True, False, 3), (False, True, 3), (False, False, 1)])
def test_what_no_delivery_tells_is_asked_for_as_often_as_its_connector_says(
    make: Any, monkeypatch: pytest.MonkeyPatch, polled: bool, always: bool, looks: int
) -> None:
    """Also where platforms can reach the hub; what they tell is looked for once a day, unless they are known to lose some."""
    monkeypatch.setitem(till.triggers, "payment", replace(till.triggers["payment"], polled=polled))
    hourly = replace(till.pulls["payments"], every=Duration.parse("1 hour"), always=always)
    monkeypatch.setitem(till.pulls, "payments", hourly)
    world = make()
    for _ in range(3):
        world.work()
        world.sleep(minutes=61)
    assert world.platform.paths().count("/payments") == looks


def test_the_worker_knows_when_something_falls_due_next(world: World) -> None:
    """So that it need not look in vain."""
    world.pay("p1", "1.00")
    world.work()
    due = world.worker.next_due()
    assert due is not None
    assert timedelta() < due - world.clock.now() <= timedelta(days=30)


@pytest.mark.parametrize("cron", ["*/10 * * * *", "0 9 * * 1"])
def test_a_long_downtime_of_a_frequent_schedule_is_caught_up_with(make: Any, cron: str) -> None:
    """Half a year later there is one occurrence to make up for."""
    world = make(MONDAYS.replace("0 9 * * 1", f'"{cron}"'))
    world.work()
    world.sleep(days=180)
    world.restart()
    world.work()
    assert len(_facts(world, "schedule")) == 1
