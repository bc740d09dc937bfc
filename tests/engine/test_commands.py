"""Commands, unreadable input, imports, and the worker's coming and going."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from hub import bootstrap, config
from hub.engine.inbox import Delivery
from hub.errors import HubError, Refused, Unavailable
from hub.programme.actions import connector as built_in
from hub.store.wake import ThreadBell
from tests.engine.platforms import letters, till
from tests.engine.world import CONNECTIONS, POINTS, World, recipe

BUTTON = recipe("gift", 'when: manual\ndo:\n  - award: {points: 25, reason: "{{ event.input }} by {{ event.by }}"}\n')


@pytest.mark.parametrize(
    ("command", "payload", "says"),
    [
        ("replay", {}, "id of a delivery, event, run, call or timer"),
        ("replay", {"id": "evt_1"}, "there is no event evt_1"),
        ("replay", {"id": "run_1"}, "there is no run run_1"),
        ("replay", {"id": "call_1"}, "there is no call call_1"),
        ("replay", {"id": "dlv_1"}, "there is no delivery dlv_1"),
        ("drop", {"id": "run_1"}, "not a held run"),
        ("trigger", {"recipe": "nothing"}, "no enabled recipe `nothing`"),
        ("trigger", {"recipe": "gift", "member": "mem_1"}, "there is no member `mem_1`"),
        ("adjust", {}, "there is no member ``"),
        ("adjust", {"member": "mem_1", "points": 5, "reason": "x"}, "there is no member `mem_1`"),
        ("answer", {"task": "tsk_1", "choice": "yes"}, "there is no task `tsk_1`"),
        ("pull", {"connection": "tilt"}, "there is no connection `tilt`; known: letters, till"),
        ("pull", {"connection": "letters"}, "nothing that can be pulled"),
        ("pull", {"connection": "till", "since": "yesterday"}, "`yesterday` is not a moment"),
        ("dance", {}, "there is no command `dance`; known: adjust"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_changes_nothing(
    make: Any, command: str, payload: dict[str, Any], says: str
) -> None:
    """The answer is a sentence for people."""
    world = make(POINTS, BUTTON)
    with pytest.raises(HubError, match=says):
        world.do(command, **payload)
    assert world.events() == []


@pytest.mark.parametrize("points", [1.5, "many", None, 0, 10**30, True])
def test_an_adjustment_takes_whole_points_alone(world: World, points: object) -> None:
    """Nothing is rounded in silence."""
    world.pay("p1", "10.00")
    world.work()
    with pytest.raises(HubError, match="points"):
        world.do("adjust", member=world.member(), points=points, reason="because")
    assert world.balance() == 10


def test_an_adjustment_needs_a_reason_and_enough_points(world: World) -> None:
    """Both refusals leave the balance alone."""
    world.pay("p1", "10.00")
    world.work()
    with pytest.raises(HubError, match="reason"):
        world.do("adjust", member=world.member(), points=5)
    with pytest.raises(HubError, match="10"):
        world.do("adjust", member=world.member(), points=-11, reason="too much")
    assert world.balance() == 10


def test_an_adjustment_is_a_fact_of_the_hub_and_expires_as_usual(make: Any) -> None:
    """Recipes hear of it; the statement names who did it."""
    heard = recipe("heard", 'when: hub.points_adjusted\ndo:\n  - set_attribute: {name: heard, value: "{{ event.points }}"}\n')
    world = make(POINTS, heard)
    world.pay("p1", "10.00")
    world.work()
    answer = world.do("adjust", member=world.member(), points=7, reason="sorry", by="Kim")
    assert answer["balance"] == 17
    assert world.one("SELECT attributes FROM member")["attributes"] == '{"heard": "7"}'
    assert world.one("SELECT actor FROM txn WHERE kind = 'adjust'")["actor"] == "Kim"
    world.sleep(days=200)
    world.work()
    assert world.balance() == 0


def test_a_recipe_with_a_button_is_set_off_once_for_each_press(make: Any) -> None:
    """With or without a member."""
    world = make(POINTS, BUTTON)
    world.pay("p1", "1.00")
    world.work()
    for _ in range(2):
        world.do("trigger", recipe="gift", member=world.member(), input="A gift", by="Kim")
    world.do("trigger", recipe="gift")
    assert world.balance() == 51
    assert [run["state"] for run in world.runs("gift")] == ["done"] * 3


def test_a_command_is_carried_out_once_though_the_worker_is_killed(make: Any) -> None:
    """It stays in the inbox until its answer is written with its effect."""
    world = make()
    world.pay("p1", "10.00")
    world.work()
    command = world.hub.inbox.command("adjust", {"member": world.member(), "points": 5, "reason": "x"})
    for _ in range(2):
        world.restart()
        world.work()
    assert world.balance() == 15
    assert world.one("SELECT ok FROM answer WHERE command_id = :id", id=command)["ok"] == 1


def test_a_command_that_breaks_off_is_answered_all_the_same(world: World) -> None:
    """Whoever waits for it does not wait for ever, and its neighbours are worked."""
    broken = world.hub.inbox.keep(Delivery("command", b'["not", "a", "mapping"]', world.clock.now(), path="adjust"))
    world.pay("p1", "10.00")
    world.work()
    answer = world.one("SELECT ok, result FROM answer WHERE command_id = :id", id=broken)
    assert answer["ok"] == 0
    assert "broke off" in json.loads(answer["result"])["error"]
    assert world.balance() == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"type": "payment"}',
        b'{"type": "payment", "data": {}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": "NaN", "at": "2026-03-02T00:00:00Z"}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": "-1.00", "at": "2026-03-02T00:00:00Z"}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": "1e30", "at": "2026-03-02T00:00:00Z"}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": {"a": 1}, "at": "2026-03-02T00:00:00Z"}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": "1.00", "at": "2026-03-02T00:00:00"}}',
        b'{"type": "payment", "data": {"id": "", "amount": "1.00", "at": "2026-03-02T00:00:00Z"}}',
        b'{"type": "payment", "data": {"id": "p1", "amount": "1.00", "at": "2026-03-02T00:00:00Z", "currency": "usd"}}',
        b"[" * 5000,
    ],
)
def test_genuine_input_that_cannot_be_read_is_kept_and_shown(world: World, body: bytes) -> None:
    """It is acknowledged, leaves a receipt with the reason, and its neighbours are worked."""
    assert world.post("till", body).answer.status == 200
    world.pay("p2", "10.00")
    world.work()
    [receipt] = world.rows("SELECT * FROM receipt WHERE state = 'unreadable'")
    assert receipt["note"]
    assert [row["key"] for row in world.events()] == ["p2"]
    assert world.balance() == 10


def test_a_forged_delivery_leaves_nothing(world: World) -> None:
    """It is refused at the door."""
    with pytest.raises(Refused):
        world.post("till", b'{"type": "payment"}', signature="0" * 64)
    world.work()
    assert world.hub.inbox.last_seq() == 0


def test_what_could_not_be_read_is_replayed_once_the_connector_is_mended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that the answer says that it still cannot be read, and it stays where it was."""
    contract = till.triggers["payment"].contract
    real = contract.function

    def broken(told: Any) -> Any:
        raise LookupError("a field that we forgot")

    object.__setattr__(contract, "function", broken)
    try:
        world.pay("p1", "10.00")
        world.pay("p2", "20.00")
        world.work()
        first, second = world.rows("SELECT * FROM receipt ORDER BY seq")
        assert first["state"] == "unreadable"
        assert "a field that we forgot" in first["note"]
        with pytest.raises(HubError, match="still cannot be read"):
            world.do("replay", id=first["delivery_id"])
        assert len(world.rows("SELECT * FROM receipt")) == 2
    finally:
        object.__setattr__(contract, "function", real)
    world.do("replay", id=first["delivery_id"])
    assert world.balance() == 10
    assert [row["delivery_id"] for row in world.rows("SELECT * FROM receipt")] == [second["delivery_id"]]
    world.do("replay", id=first["delivery_id"])
    assert world.balance() == 10


def test_a_command_is_not_replayed(world: World) -> None:
    """It would be asked for once more than was meant."""
    world.do("pull", connection="till")
    command = world.one("SELECT command_id FROM answer")["command_id"]
    with pytest.raises(HubError, match="commands are carried out once"):
        world.do("replay", id=command)


def test_another_accounts_items_are_left_out(make: Any) -> None:
    """A webhook that several shops share; what is not ours leaves a receipt and no event."""
    world = make(POINTS, connections=CONNECTIONS.replace("till: {", "till: {account_id: ours, "))
    told = {"id": "p1", "amount": "5.00", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.deliver("till", "payment", told, account="theirs")
    world.deliver("till", "payment", {**told, "id": "p2"}, account="ours")
    world.work()
    assert [row["key"] for row in world.events()] == ["p2"]
    assert len(world.rows("SELECT * FROM receipt")) == 1


def _row(fact: str, key: str, data: dict[str, Any], at: Any) -> Delivery:
    body = json.dumps({"fact": fact, "key": key, "data": data, "file": "f.csv", "line": 2}, default=str).encode()
    return Delivery("row", body, at, connection="csv", method="ROW", path="sales")


def test_a_row_of_a_file_is_worked_once(world: World) -> None:
    """However often its file is read; a balance that somebody brings along too."""
    now = world.clock.now()
    sale = {"occurred_at": now, "amount": "10.00", "currency": "USD", "customer": {"id": "ann"}}
    opening = {"occurred_at": now, "points": 250, "customer": {"id": "ann"}}
    for _ in range(2):
        world.hub.inbox.keep_many([_row("sale", "o1", sale, now), _row("opening_balance", "b1", opening, now)])
        world.work()
    assert world.balance("id:csv:ann") == 260
    assert world.totals().adjusted == 250


def test_a_row_that_cannot_be_read_holds_up_nobody(world: World) -> None:
    """It was checked before it was kept; should it break all the same, it leaves a receipt."""
    now = world.clock.now()
    world.hub.inbox.keep_many([_row("sale", "o1", {"amount": "x"}, now), _row("nothing", "o2", {}, now)])
    world.pay("p1", "10.00")
    world.work()
    assert world.balance() == 10
    assert len(world.rows("SELECT * FROM receipt WHERE state = 'unreadable'")) == 2


def test_a_second_worker_of_a_folder_is_refused(tmp_path: Path) -> None:
    """One folder, one writer; it can take over when the first has gone."""
    world = World(tmp_path / "w", POINTS)
    connectors = {one.name: one for one in (built_in, till, letters)}
    other = bootstrap.open_hub(config.load(world.folder, {}), clock=world.clock, connectors=connectors)
    try:
        with pytest.raises(HubError, match="another worker"):
            other.worker(ThreadBell())
        assert not other.settle()
        world.hub.database.places.leave()
        other.worker(ThreadBell())
    finally:
        other.close()
        assert world.hub.database.places.join()
        world.close()


def test_a_worker_that_is_told_to_stop_finishes_what_it_began(make: Any) -> None:
    """The call that is being made is waited for, and what came of it is noted."""
    world = make(recipe("look", 'when: sale\ndo:\n  - letters.look: {what: "{{ event.order_id }}"}\n'))
    asked, stop = threading.Event(), threading.Event()

    def slow(call: Any) -> None:
        if call.path.startswith("/things"):
            asked.set()
            assert stop.wait(20)

    world.platform.script = slow
    working = threading.Thread(target=world.worker.run, args=(stop,))
    working.start()
    world.pay("p1", "1.00", order="o1")
    world.worker._bell.ring()  # type: ignore[attr-defined]
    assert asked.wait(20)
    stop.set()
    world.worker._bell.ring()  # type: ignore[attr-defined]
    working.join(20)
    assert not working.is_alive()
    assert world.run("look")["state"] == "done"


def test_deliveries_are_refused_with_a_later_when_the_hub_is_closed(world: World) -> None:
    """The platform sends them again; nothing was acknowledged that was not kept."""
    world.hub.inbox.close()
    with pytest.raises(Unavailable):
        world.pay("p1", "1.00")
