"""Workers: any number on one PostgreSQL database do what one does: each event once, each lane in order, nothing lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.clock import VirtualClock
from hub.engine import lanes
from hub.engine.intake import ADMISSION
from hub.engine.workshop import Workshop
from hub.errors import Unavailable
from hub.sdk import client
from hub.store.wake import ThreadBell
from tests.databases import Corner, Server
from tests.engine.crew import Crew
from tests.engine.world import JOINED, POINTS, World, recipe

THANKS = recipe(
    "thanks", 'when: sale\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ event.payment_id }}"}\n'
)
ONCE = recipe("once", "when: sale\nonce_per: event.order_id\ndo:\n  - award: {points: 3}\n")
TOLD = recipe("told", "when: hub.points_awarded\ndo:\n  - tag: {name: awarded}\n")
LATER = recipe("later", "when: sale\ndo:\n  - wait: {time: 1 days}\n  - award: {points: 1}\n")


@pytest.fixture
def crew_of(tmp_path: Path, postgres_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Crew]]:
    """Makes a crew: `crew_of(2, recipe, …)`. The books must hold at the end."""
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)
    corner: Corner = postgres_server.take()
    made: list[Crew] = []

    def one(number: int, *recipes: str) -> Crew:
        world = World(tmp_path / "w", *(recipes or (POINTS,)), database=corner.url)
        made.append(Crew(world, number))
        return made[-1]

    yield one
    for crew in made:
        crew.world.prove()
        crew.close()
        crew.world.close()
    postgres_server.give_back(corner)


def _buyers(number: int) -> list[dict[str, Any]]:
    return [{"id": f"c{n}", "phone": f"+1415555{n:04}", "sms": True} for n in range(number)]


@contextmanager
def _counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, Counter[str]]]:
    """Which events were worked, by the thread that did."""
    found: dict[int, Counter[str]] = {}
    real = Workshop._work_one

    def work(workshop: Workshop, event: Any) -> bool:
        found.setdefault(threading.get_ident(), Counter())[event.key] += 1
        return real(workshop, event)

    monkeypatch.setattr(Workshop, "_work_one", work)
    yield found
    monkeypatch.setattr(Workshop, "_work_one", real)


def test_two_workers_come_to_what_one_comes_to(crew_of: Callable[..., Crew]) -> None:
    """Many sales of few members, with refunds, letters, waits and facts of the hub's own."""
    crew = crew_of(2, POINTS, THANKS, ONCE, TOLD, LATER)
    world, buyers = crew.world, _buyers(9)
    for number in range(360):
        buyer = buyers[number % 9]
        world.pay(f"p{number}", "10.00", buyer, order=f"o{number // 2}")
        if number % 5 == 0:
            world.give_back(f"r{number}", "5.00", payment=f"p{number}")
    crew.work()
    world.clock.move_to(world.clock.now() + timedelta(days=2))
    crew.work()
    assert set(world.states()) == {"done"}
    assert Counter(run["state"] for run in world.runs("later")) == {"done": 360}
    totals = world.totals()
    # 10 a sale, 3 an order; of each fifth sale half of what it gave by then was taken back
    assert totals.issued == 360 * 10 + 180 * 3 + 360
    assert sorted(text for _, text in world.platform.sent) == sorted(f"p{number}" for number in range(360))
    assert world.postings("award") == 360 + 180 + 360


def test_one_order_by_two_connections_earns_once(crew_of: Callable[..., Crew]) -> None:
    """`once_per` holds where the two are worked at the same time, by two workers, in two lanes."""
    crew = crew_of(2, ONCE)
    for number in range(40):
        crew.world.pay(f"a{number}", "10.00", f"c{number}", order=f"o{number}")
        crew.world.pay(f"b{number}", "10.00", f"d{number}", order=f"o{number}")
    crew.work()
    assert set(crew.world.states()) == {"done"}
    assert crew.world.postings("award") == 40


def test_a_lane_is_worked_in_order_by_however_many(crew_of: Callable[..., Crew]) -> None:
    """What one worker leaves in a lane, the next one goes on with."""
    crew = crew_of(3, recipe("last", 'when: sale\ndo:\n  - set_attribute: {name: last, value: "{{ event.payment_id }}"}\n'))
    for number in range(200):
        crew.world.pay(f"p{number:03}", "1.00", f"c{number % 4}")
    crew.work()
    for buyer in range(4):
        member = crew.world.member(f"id:till:c{buyer}")
        said = crew.world.rows(
            "SELECT new_value FROM member_change WHERE member_id = :id AND field = 'attributes.last' ORDER BY seq", id=member
        )
        assert [row["new_value"] for row in said] == [f"p{number:03}" for number in range(200) if number % 4 == buyer]


def test_no_event_is_worked_twice(crew_of: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by one worker, and both have their part."""
    crew = crew_of(2)
    for number in range(400):
        crew.world.pay(f"p{number}", "1.00", f"c{number}")
    with _counted(monkeypatch) as worked:
        crew.work()
    together = sum(worked.values(), Counter())
    assert set(together.values()) == {1}
    assert len(together) == 400


def test_a_deadlock_is_run_again(crew_of: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers that each want the lane of the other: the server lets one go on, and the other does its batch again."""
    crew = crew_of(2)
    world = crew.world
    for name in ("ann", "bob"):
        world.pay(f"p-{name}", "1.00", name)
    world.work()
    members = [world.member(f"id:till:{name}") for name in ("ann", "bob")]
    for name in ("ann", "bob"):
        world.pay(f"q-{name}", "1.00", name)
    meeting, met = threading.Barrier(2), set[str]()
    real = Workshop._work_one

    def crossing(workshop: Workshop, event: Any) -> bool:
        if event.key not in met and event.key.startswith("q-"):
            met.add(event.key)
            meeting.wait(20)
            workshop._batch.roll.get(members[1 - members.index(event.member_id)])
        return real(workshop, event)

    monkeypatch.setattr(lanes, "_EVENTS_MOST", 1)
    monkeypatch.setattr(Workshop, "_work_one", crossing)
    world.worker.step()
    crew.work()
    assert met == {"q-ann", "q-bob"}
    assert set(world.states()) == {"done"}
    assert (world.balance("id:till:ann"), world.balance("id:till:bob")) == (2, 2)


def test_the_lanes_and_calls_of_a_killed_worker_are_taken_over_at_once(crew_of: Callable[..., Crew]) -> None:
    """Nothing has to run out first: its connections are gone, and with them what it held."""
    crew = crew_of(2, POINTS, THANKS)
    world, other = crew.world, crew.workers[1]
    world.pay("p1", "10.00", {"id": "ann", "phone": JOINED, "sms": True})
    world.take_in()

    def killed() -> bool:
        raise SystemExit

    world.worker._outbox.launch = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.work()
    assert [call["state"] for call in world.calls("send_safe")] == ["begun"]
    assert other.drain() == 0
    world.pay("p2", "10.00", "bob")
    with pytest.raises(Unavailable), world.hub.store.write() as session:  # it was about to work these lanes
        session.try_lock([row["lane"] for row in world.events()])
        world.hub.database.places.leave()
        session._connection.close()  # type: ignore[attr-defined]
        other.drain()
        world.clock.move_to(world.clock.now() + timedelta(minutes=1))
        other.drain()
    assert world.calls("send_safe")[0]["state"] == "done"
    assert world.balance("id:till:bob") == 10


def test_an_answer_that_comes_after_another_has_taken_up_the_call_is_left_out(crew_of: Callable[..., Crew]) -> None:
    """The worker was cut off while it waited for the platform; what came of the call is noted once."""
    crew = crew_of(2, THANKS)
    world, other = crew.world, crew.workers[1]
    world.pay("p1", "10.00", {"id": "ann", "phone": JOINED, "sms": True})
    world.take_in()
    world.worker._take_places()
    world.worker._calling.claim()
    world.worker._outbox.close()  # it has been answered, and that is not noted yet
    world.hub.database.places.leave()
    other.drain()
    [call] = world.calls("send_safe")
    assert (call["state"], call["attempts"]) == ("due", 1)
    assert "may have been done" in call["note"]
    assert world.worker._calling.record()
    assert world.calls("send_safe") == [call]
    world.clock.move_to(world.clock.now() + timedelta(minutes=1))
    other.drain()
    [call] = world.calls("send_safe")
    assert (call["state"], call["attempts"]) == ("done", 2)
    assert [run["state"] for run in world.runs("thanks")] == ["done"]


def test_a_worker_that_lost_its_places_does_not_go_on_with_calls(crew_of: Callable[..., Crew], postgres_server: Server) -> None:
    """It sees that its session was cut, and claims nothing before it has a place again."""
    crew = crew_of(2, THANKS)
    world, other = crew.world, crew.workers[1]
    world.work()
    assert world.hub.database.places.held
    world.hub.database.places._connection.close()  # type: ignore[attr-defined]
    other._take_places()
    assert other._places.held
    world.pay("p1", "10.00", {"id": "ann", "phone": JOINED, "sms": True})
    world.work()
    assert [call["state"] for call in world.calls("send_safe")] == ["due"]
    other.drain()
    assert [call["state"] for call in world.calls("send_safe")] == ["done"]


def test_each_timer_goes_off_once_however_many_workers(crew_of: Callable[..., Crew]) -> None:
    """One of them lets time pass."""
    crew = crew_of(3, POINTS, recipe("mondays", "when: {schedule: {cron: 0 9 * * 1}}\ndo:\n  - log: {text: monday}\n"))
    crew.world.pay("p1", "10.00")
    crew.work()
    for _ in range(3):
        crew.world.clock.move_to(crew.world.clock.now() + timedelta(days=7))
        crew.work()
    assert len([row for row in crew.world.events() if row["fact"] == "schedule"]) == 3
    crew.world.clock.move_to(crew.world.clock.now() + timedelta(days=200))
    crew.work()
    assert crew.world.totals().expired == 10


def test_clocks_that_differ_keep_the_order_of_a_lane(crew_of: Callable[..., Crew]) -> None:
    """What comes later is recorded under a greater id, also by a worker whose clock is behind."""
    crew = crew_of(1)
    world = crew.world
    behind = crew.open(7, clock=VirtualClock(world.clock.now() - timedelta(minutes=3)))
    crew.hubs.append(behind)
    late = behind.worker(ThreadBell())
    for number in range(6):
        world.pay(f"p{number}", "1.00", order=f"o{number}")
        (late if number % 2 else world.worker).drain()
    assert [row["key"] for row in world.events("payment")] == [f"p{number}" for number in range(6)]
    reasons = world.rows("SELECT txn.reason FROM txn JOIN link ON link.txn_id = txn.id ORDER BY link.seq")
    assert [row["reason"] for row in reasons] == [f"Order o{number}" for number in range(6)]


def test_what_a_slow_clock_records_is_sealed_all_the_same(crew_of: Callable[..., Crew]) -> None:
    """Its transaction has a smaller id than the newest that is sealed already."""
    crew = crew_of(1)
    world = crew.world
    world.pay("p1", "1.00", "ann")
    world.work()
    world.worker.seal()
    behind = crew.open(7, clock=VirtualClock(world.clock.now() - timedelta(minutes=3)))
    with behind.store.write() as session:
        batch = behind.begin(session)
        batch.book.adjust("mem_x", 5, key="k", source=batch.work_for(_event(world), key="x").source("by hand"))
        batch.unit.flush()
    behind.close()
    world.worker.seal()
    assert len(world.rows("SELECT seq FROM block")) == 2
    assert len(world.rows("SELECT member_id FROM block_head")) == 2
    world.worker.seal()
    assert len(world.rows("SELECT seq FROM block")) == 2


def _event(world: World) -> Any:
    with world.hub.store.read() as session:
        return world.hub.begin(session).events.by_id(world.events("payment")[0]["id"])


def test_health_says_how_many_workers_there_are(crew_of: Callable[..., Crew]) -> None:
    """Each says that it is there, and that it ends."""
    crew = crew_of(2)
    for worker in crew.workers:
        worker._transactions.do(worker._beat)
    [check] = [one for one in crew.world.hub.checks() if one.name == "worker"]
    assert check.ok
    assert check.detail == "2 there, seen 0 seconds ago"
    crew.workers[1].close()
    [check] = [one for one in crew.world.hub.checks() if one.name == "worker"]
    assert check.detail == "seen 0 seconds ago"


def test_whoever_drains_waits_for_what_another_worker_is_at(crew_of: Callable[..., Crew]) -> None:
    """Nothing is left to do only when nobody has anything left."""
    crew = crew_of(2)
    world, ended = crew.world, threading.Event()
    world.pay("p1", "10.00")
    with world.hub.store.write() as session:
        session.lock([ADMISSION])
        drained = threading.Thread(target=lambda: (crew.workers[1].drain(), ended.set()))
        drained.start()
        assert not ended.wait(0.3)
    drained.join(20)
    assert ended.is_set()
    assert world.states() == ["done"]
