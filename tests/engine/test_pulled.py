"""Pulled records that cannot be read: kept like deliveries, seen, and read again when somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.engine import outbox
from hub.engine.pulled import item_of, kept
from hub.errors import HubError, Unavailable
from hub.sdk import Customer, Item, Money, Payload, Sale, parameters
from tests.engine.platforms import KEY, Answered, till
from tests.engine.world import NOON, World, recipe


class Newer(Payload):
    id: str
    total: Money
    at: datetime


def newer_payment(told: Newer) -> Sale:
    """Somebody paid, as the till has told it since its last update."""
    return Sale(occurred_at=told.at, customer=Customer(id="ann"), amount=told.total, currency="USD", payment_id=told.id)


@pytest.fixture
def update(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Updates the till's connector, so that it can read what it could not."""
    newer = replace(till.triggers["payment"], contract=parameters.read(newer_payment))
    return lambda: monkeypatch.setitem(till.triggers, "payment", newer)


def old(world: World, name: str) -> dict[str, Any]:
    return {"id": name, "amount": "10.00", "at": world.clock.now(), "buyer": {"id": "ann"}}


def new(world: World, name: str) -> dict[str, Any]:
    return {"id": name, "total": "7.00", "at": world.clock.now()}


def pull(world: World, *records: Any) -> None:
    world.platform.payments = list(records)
    world.do("pull", connection="till")
    world.work()


def unreadable(world: World) -> list[dict[str, Any]]:
    return world.rows("SELECT * FROM receipt WHERE state = 'unreadable' ORDER BY seq")


def test_a_pulled_record_that_cannot_be_read_is_kept_with_its_reason(world: World) -> None:
    """The others of the pull are worked, the cursor moves, and the record waits for a person."""
    world.work()
    before = world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"]
    world.sleep(hours=1)
    told = new(world, "p2")
    pull(world, old(world, "p1"), told, old(world, "p3"))
    assert world.balance() == 20
    [receipt] = unreadable(world)
    assert receipt["connection"] == "till"
    assert "amount" in receipt["note"]
    found = world.hub.inbox.by_id(receipt["delivery_id"])
    assert found is not None
    assert (found.kind, found.connection, found.path) == ("pulled", "till", "payments")
    assert json.loads(found.body)["data"]["total"] == told["total"]
    assert world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"] > before


def test_a_pulled_record_is_kept_once_however_often_it_is_brought(world: World) -> None:
    """A poll looks back a little, and some platforms list everything each time; a changed record is another one."""
    told = new(world, "p1")
    for _ in range(3):
        pull(world, told)
    world.restart()
    pull(world, told)
    assert len(unreadable(world)) == 1
    pull(world, {**told, "total": "8.00"})
    assert len(unreadable(world)) == 2


def test_a_kept_record_is_read_by_the_updated_connector_and_earns_once(world: World, update: Callable[[], None]) -> None:
    """Replayed as often as one likes, and pulled again: one event, and its receipt is gone."""
    told = new(world, "p1")
    pull(world, told)
    [receipt] = unreadable(world)
    update()
    for _ in range(2):
        world.do("replay", id=receipt["delivery_id"])
        world.work()
    pull(world, told)
    assert world.balance() == 7
    assert world.states("payment") == ["done"]
    assert unreadable(world) == []


def test_a_replay_before_the_update_says_that_it_still_cannot_be_read(world: World) -> None:
    """And the record goes on waiting."""
    pull(world, new(world, "p1"))
    [receipt] = unreadable(world)
    with pytest.raises(HubError, match=r"still cannot be read: .*amount"):
        world.do("replay", id=receipt["delivery_id"])
    assert unreadable(world) == [receipt]


def test_a_record_that_the_next_pull_could_read_earns_once_when_its_receipt_is_replayed(
    world: World, update: Callable[[], None]
) -> None:
    """The update came, a poll brought it, and then somebody saw the receipt."""
    told = new(world, "p1")
    pull(world, told)
    [receipt] = unreadable(world)
    update()
    pull(world, told)
    world.do("replay", id=receipt["delivery_id"])
    world.work()
    assert world.balance() == 7
    assert unreadable(world) == []


def test_a_record_that_nobody_needs_is_given_up_and_is_not_brought_up_again(world: World) -> None:
    """Its reason stays with it."""
    told = new(world, "p1")
    pull(world, told)
    [receipt] = unreadable(world)
    world.do("drop", id=receipt["delivery_id"], reason="a test of the till's maker")
    pull(world, told)
    assert unreadable(world) == []
    [given_up] = world.rows("SELECT state, note FROM receipt")
    assert given_up["state"] == "ignored"
    assert "a test of the till's maker" in given_up["note"]
    with pytest.raises(HubError, match="not a held run"):
        world.do("drop", id=receipt["delivery_id"], reason="twice")


def test_a_crash_between_keeping_and_noting_leaves_the_record_once(world: World) -> None:
    """The pull is made again after the restart, and brings the same record."""
    world.platform.payments = [old(world, "p1"), new(world, "p2")]
    world.hub.inbox.command("pull", {"connection": "till"})

    def killed(*_: object) -> None:
        raise SystemExit

    world.worker._outbox.record = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.work()
    assert world.events() == []
    world.worker._outbox.told = lambda **_: []  # type: ignore[method-assign]  # what it was told dies with it
    world.restart()
    world.later(minutes=5)
    assert len(unreadable(world)) == 1
    assert world.balance() == 10


def test_a_pull_whose_records_cannot_be_kept_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cursor does not pass what is not on the disk."""
    world.work()
    before = world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"]

    def full(_: object) -> None:
        raise Unavailable("no space left on device")

    monkeypatch.setattr(world.worker._outbox, "_keep", full)
    pull(world, new(world, "p1"))
    assert world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"] == before
    monkeypatch.undo()
    world.later(minutes=5)
    assert len(unreadable(world)) == 1


def test_many_unreadable_records_are_all_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts, so that they do not fill the way of the deliveries."""
    monkeypatch.setattr(outbox, "_KEPT_MOST", 7)
    pull(world, *[new(world, f"p{number}") for number in range(30)])
    assert len(unreadable(world)) == 30


def test_a_secret_in_a_record_is_struck_out(world: World) -> None:
    """Wherever in it: the inbox, the receipt and its reason are read by people."""
    pull(world, {"id": "p1", "amount": f"x {KEY}", "at": {f"{KEY}": [KEY]}})
    [receipt] = unreadable(world)
    assert KEY not in str(receipt)
    found = world.hub.inbox.by_id(receipt["delivery_id"])
    assert found is not None
    assert KEY.encode() not in found.body
    assert b"***" in found.body


def test_a_record_without_its_key_is_kept_too(world: World) -> None:
    """It can be read, but not be told from others."""
    pull(world, {**old(world, ""), "id": ""}, old(world, "p2"))
    [receipt] = unreadable(world)
    assert "payment_id" in receipt["note"]
    assert world.balance() == 10


def test_a_record_of_a_pull_that_is_gone_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connector may lose a pull with an update."""
    pull(world, new(world, "p1"))
    [receipt] = unreadable(world)
    monkeypatch.delitem(till.pulls, "payments")
    with pytest.raises(HubError, match="no pull `payments`"):
        world.do("replay", id=receipt["delivery_id"])


@pytest.mark.parametrize("told", [{"id": "v2", "at": "never"}, None])
def test_a_pulled_notice_whose_object_cannot_be_had_is_held_alone(
    make: Any, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any] | None
) -> None:
    """Unreadable or gone: the others are worked, the cursor moves, and a replay fetches it again."""
    monkeypatch.setitem(till.pulls, "payments", replace(till.pulls["payments"], trigger="visit", kind="visit"))
    world = make(recipe("visit", "when: booking\ndo:\n  - award: {points: 5}\n"))
    world.work()
    seen = {"id": "v1", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.platform.visits = {"v1": seen} if told is None else {"v1": seen, "v2": told}
    for _ in range(2):
        pull(world, {"id": "v1"}, {"id": "v2"})
    assert world.balance() == 5
    [held] = [call for call in world.calls("visit") if call["state"] == "held"]
    assert "v2" in held["input"]
    world.platform.visits["v2"] = {**seen, "id": "v2"}
    world.do("replay", id=held["id"])
    world.work()
    assert world.balance() == 10


def test_a_platform_that_is_busy_holds_nothing_of_a_pull(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What passes by itself is asked again, with the whole pull."""
    monkeypatch.setitem(till.pulls, "payments", replace(till.pulls["payments"], trigger="visit", kind="visit"))
    world = make(recipe("visit", "when: booking\ndo:\n  - award: {points: 5}\n"))
    world.work()
    world.platform.visits["v1"] = {"id": "v1", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.platform.script = lambda asked: Answered(503) if asked.path.startswith("/visits") else None
    pull(world, {"id": "v1"})
    world.platform.script = lambda asked: None
    world.later(minutes=5)
    assert world.balance() == 5
    assert world.calls("visit") == []
    assert unreadable(world) == []


def test_a_record_is_read_as_it_was_pulled() -> None:
    """Digits, nulls and times are what they were."""
    data = {"sum": Decimal("1.10"), "big": 2**60, "none": None, "list": [True, Decimal("1e3"), {"x": "é\u2028"}], "": ""}
    item = Item("payment", data, "n1", "a1", NOON, "")
    assert item_of(kept("till", "payments", item, NOON)) == item
