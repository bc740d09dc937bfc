"""Timers: one that breaks off is set aside alone, is shown, and comes back by itself or by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from hub.engine import schedule as schedules
from hub.engine.runner import Runner
from hub.engine.timers import delay_after
from hub.programme import expiry
from hub.sdk.watch import Watch
from tests.engine.world import World, recipe

PARTY = recipe("party", "when: birthday\ndo:\n  - award: {points: 5, reason: Party}\n")
MONDAYS = recipe("mondays", "when: {schedule: {cron: 0 9 * * 1}}\ndo:\n  - log: {text: monday}\n")
LATE = recipe("late", "when: sale\ndo:\n  - wait: {time: 2 days}\n  - award: {points: 1}\n")
LETTER = recipe(
    "letter", 'when: sale\ndo:\n  - wait: {time: 3 days}\n  - letters.send_safe: {to: "{{ member.phone }}", text: "x"}\n'
)


class Broken:
    """Breaks the sweep of a watch; counts how often it was tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.tries, self.is_broken, real = 0, True, Watch.sweep

        def sweep(watch: Watch, *asked: Any) -> Iterable[Any]:
            if watch.name == name and self.is_broken:
                self.tries += 1
                raise RuntimeError("a mistake of ours")
            return real(watch, *asked)

        monkeypatch.setattr(Watch, "sweep", sweep)


def _held(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM held_timer ORDER BY name")


def _with_birthday(make: Any, *recipes: str) -> World:
    world: World = make(PARTY, *recipes)
    world.pay("p1", "1.00", {"id": "ann", "birthday": "1980-03-04", "phone": "+14155550101", "sms": True})
    world.work()
    return world


def test_a_sweep_that_breaks_off_holds_up_no_other_timer_and_no_call(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mondays are told, runs wake, letters go out and points expire while birthdays cannot be told."""
    broken = Broken(monkeypatch, "birthday")
    world = _with_birthday(make, MONDAYS, LATE, LETTER)
    world.later(days=8)
    assert broken.tries > 1
    assert [row["state"] for row in world.events() if row["fact"] == "schedule"] == [1]
    assert {run["state"] for run in world.runs("late")} == {"done"}
    assert [call["state"] for call in world.calls("send_safe")] == ["done"]
    assert world.balance() == 1


def test_a_timer_that_is_set_aside_is_not_tried_all_the_time(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first failure it rests, and longer each time; half a day takes no more than two dozen tries."""
    broken = Broken(monkeypatch, "birthday")
    world = _with_birthday(make)
    world.later(hours=21, seconds=5)
    assert broken.tries == 1
    world.work()
    assert broken.tries == 1
    world.later(hours=12)
    assert 10 < broken.tries < 24
    [held] = _held(world)
    assert (held["failures"], held["name"].partition(":")[0]) == (broken.tries, "watch")
    assert "RuntimeError: a mistake of ours" in held["note"]


def test_a_mended_timer_goes_on_by_itself_and_nothing_is_lost(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cursor stayed where it was: the birthday is told, once."""
    broken = Broken(monkeypatch, "birthday")
    world = _with_birthday(make)
    world.later(days=3)
    assert world.balance() == 0
    broken.is_broken = False
    world.later(hours=2)
    assert (world.balance(), _held(world)) == (5, [])
    world.later(days=3)
    assert world.balance() == 5


def test_a_person_may_have_it_tried_at_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the id under which it is shown; one that works again is not there any more."""
    broken = Broken(monkeypatch, "birthday")
    world = _with_birthday(make)
    world.later(days=3)
    [held], tries = _held(world), broken.tries
    world.do("replay", id=held["id"])
    assert broken.tries == tries + 1
    broken.is_broken = False
    world.do("replay", id=held["id"])
    assert (world.balance(), _held(world)) == (5, [])
    with pytest.raises(Exception, match="no timer"):
        world.do("replay", id=held["id"])


def test_health_and_metrics_tell_of_it(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The web goes on all the same."""
    Broken(monkeypatch, "birthday")
    world = _with_birthday(make)
    assert [one.ok for one in world.hub.checks() if one.name == "timers"] == [True]
    world.later(days=2)
    [check] = [one for one in world.hub.checks() if one.name == "timers"]
    assert (check.ok, check.vital) == (False, False)
    assert "birthday" in check.detail
    assert list(world.hub.snapshot().timers.values()) == [_held(world)[0]["failures"]]


def test_a_timer_that_nobody_listens_to_any_more_is_forgotten(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its recipe was taken away."""
    Broken(monkeypatch, "birthday")
    world = _with_birthday(make)
    world.later(days=2)
    assert len(_held(world)) == 1
    world.restart(LATE)
    world.work()
    assert _held(world) == []


def test_a_timer_that_cannot_say_when_it_is_due_holds_up_no_other(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the same mistake elsewhere."""
    real = Watch.next_due

    def broken(watch: Watch, *asked: Any) -> Any:
        if watch.name == "birthday":
            raise RuntimeError("no idea")
        return real(watch, *asked)

    world = _with_birthday(make, MONDAYS)
    monkeypatch.setattr(Watch, "next_due", broken)
    world.later(days=8)
    assert len([row for row in world.events() if row["fact"] == "schedule"]) == 1
    [held] = _held(world)
    assert "no idea" in held["note"]


def test_points_that_cannot_expire_hold_up_nothing_else(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They expire when that is mended, at the moment at which they should have."""
    world = make()
    world.pay("p1", "10.00")
    world.work()
    real = expiry.lots_due

    def broken(*asked: Any) -> Any:
        raise RuntimeError("no lots today")

    monkeypatch.setattr(expiry, "lots_due", broken)
    world.later(days=200)
    assert [held["name"] for held in _held(world)] == ["expiry"]
    monkeypatch.setattr(expiry, "lots_due", real)
    world.later(hours=2)
    assert (world.totals().expired, _held(world)) == (10, [])


def test_a_run_that_cannot_be_woken_is_held_alone(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the whole turn breaks off for it: the others that sleep are woken."""
    world = make(LATE)
    for number in range(3):
        world.pay(f"p{number}", "1.00", f"c{number}")
    world.work()
    poisoned = world.runs("late")[1]["id"]
    real = Runner.wake

    def broken(runner: Runner, run: Any) -> None:
        if run.id == poisoned:
            raise RuntimeError("it cannot be written")
        real(runner, run)

    monkeypatch.setattr(schedules.Runner, "wake", broken)
    world.later(days=3)
    assert [run["state"] for run in world.runs("late")] == ["done", "held", "done"]
    assert "it cannot be written" in world.runs("late")[1]["note"]
    assert _held(world) == []
    monkeypatch.setattr(schedules.Runner, "wake", real)
    world.do("replay", id=poisoned)
    world.later(days=3)
    assert {run["state"] for run in world.runs("late")} == {"done"}


@pytest.mark.parametrize(("failures", "least", "most"), [(1, 30, 36), (4, 240, 288), (40, 3600, 4320)])
def test_the_rests_grow_to_an_hour(failures: int, least: int, most: int) -> None:
    """With a little chance, so that many timers do not come at once."""
    delay = delay_after(failures, Random(1))
    assert timedelta(seconds=least) <= delay <= timedelta(seconds=most)
