"""Outbox: calls to platforms, each made as often as its action allows, and no more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests

from hub.engine.health import Pace
from hub.sdk.network import CALLS_AT_ONCE
from hub.sdk.rate import rate
from tests.engine.platforms import Answered, Asked
from tests.engine.world import World, recipe

PHONE = "+14155550101"
ANN = {"id": "ann", "phone": PHONE, "sms": True}
DOWN = Answered(503, {"message": "out of order"})
BUSY = Answered(429, {"message": "not so fast"}, {"Retry-After": "7200"})
LOST = requests.ReadTimeout("no answer")
MARK = recipe("mark", 'when: sale\ndo:\n  - letters.mark: {member: "{{ member.id }}", mark: "{{ event.order_id }}"}\n')


def sending(action: str) -> str:
    text = '{to: "{{ member.phone }}", text: "{{ event.order_id }}"}'
    return recipe("send", f"when: sale\ndo:\n  - letters.{action}: {text}\n  - award: {{points: 1}}\n")


def answers(*given: Answered | Exception | None) -> Callable[[Asked], Answered | Exception | None]:
    """These to the messenger, one after another, then its usual ones."""
    left = list(given)
    return lambda asked: None if asked.path.startswith("/payments") or not left else left.pop(0)


def to_letters(world: World) -> list[Asked]:
    return [asked for asked in world.platform.asked if not asked.path.startswith("/payments")]


def _attempt(world: World) -> dict[str, Any]:
    [call] = [call for call in world.calls() if call["kind"] == "action"]
    return call


def test_a_call_that_cannot_be_made_now_is_tried_again_later_and_later(make: Any) -> None:
    """Over about a day, each time after a longer pause, under the same key; then a person sees it, with the reason."""
    world = make(sending("send_keyed"))
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/letters") else None
    world.pay("p1", "1.00", ANN, order="o1")
    world.work()
    pauses, last = [], world.clock.now()
    while _attempt(world)["state"] == "due":
        world.clock.move_to(world.worker.next_due())
        before = len(to_letters(world))
        world.work()
        if len(to_letters(world)) > before:
            pauses.append(world.clock.now() - last)
            last = world.clock.now()
    assert _attempt(world)["state"] == "held"
    assert _attempt(world)["attempts"] == 11
    assert pauses == sorted(pauses)
    assert timedelta(hours=20) < sum(pauses, timedelta()) < timedelta(hours=36)
    assert len(set(world.platform.keys())) == 2  # of the pull there is none
    assert world.run("send")["state"] == "held"
    assert "out of order" in world.run("send")["note"]
    world.platform.script = lambda asked: None
    world.later(hours=1)
    world.do("replay", id=world.run("send")["id"])
    world.later(hours=1)
    assert world.run("send")["state"] == "done"
    assert world.platform.sent == [(PHONE, "o1")]
    assert len(set(world.platform.keys())) == 2


def test_a_platform_that_names_its_time_is_not_asked_before(make: Any) -> None:
    """Retry-After is never undercut."""
    world = make(sending("send_keyed"))
    world.platform.script = answers(BUSY)
    world.pay("p1", "1.00", ANN, order="o1")
    world.work()
    world.later(minutes=119)
    assert world.platform.sent == []
    world.later(minutes=2)
    assert world.platform.sent == [(PHONE, "o1")]


def test_a_lasting_refusal_is_held_at_once(make: Any) -> None:
    """Asking again cannot help; the platform's own words are there."""
    world = make(sending("send_keyed"))
    world.platform.script = answers(Answered(422, {"message": "not a mobile number"}))
    world.pay("p1", "1.00", ANN, order="o1")
    world.later(days=2)
    assert _attempt(world)["state"] == "held"
    assert "not a mobile number" in _attempt(world)["note"]
    assert len(to_letters(world)) == 1


def test_an_access_that_was_taken_back_stops_the_connection(make: Any) -> None:
    """It says so, asks no more for a while, and goes on by itself when the access is renewed."""
    world = make(sending("send_keyed"))
    world.platform.script = answers(Answered(401))
    world.pay("p1", "1.00", ANN, order="o1")
    world.work()
    assert world.health()["state"] == "needs_reconnecting"
    world.pay("p2", "1.00", ANN, order="o2")
    world.later(minutes=14)
    assert len(to_letters(world)) == 1
    world.later(minutes=2)
    assert sorted(world.platform.sent) == [(PHONE, "o1"), (PHONE, "o2")]
    assert world.health()["state"] == "ok"


def test_a_platform_that_tells_that_the_access_is_gone_is_asked_no_more(make: Any) -> None:
    """The fact alone stops its connection."""
    world = make()
    world.deliver("till", "revoked", {"id": "by the owner"})
    world.work()
    assert world.health("till")["state"] == "needs_reconnecting"
    assert "by the owner" in world.health("till")["last_error"]


@pytest.mark.parametrize("action", ["send_safe", "send_keyed"])
def test_a_call_whose_answer_was_lost_is_made_again_where_that_does_no_harm(make: Any, action: str) -> None:
    """A platform that keeps keys sees the same one."""
    world = make(sending(action))
    world.platform.script = answers(LOST, LOST, LOST)
    world.pay("p1", "1.00", ANN, order="o1")
    world.later(minutes=1)
    assert world.run("send")["state"] == "done"
    assert world.platform.sent == [(PHONE, "o1")]
    assert len({asked.key for asked in to_letters(world)}) == 1


def test_a_call_whose_answer_was_lost_is_held_where_nobody_can_look(make: Any) -> None:
    """It says that it may have been done; a person may have it made again."""
    world = make(sending("send_once"))
    world.platform.script = answers(LOST)
    world.pay("p1", "1.00", ANN, order="o1")
    world.later(days=2)
    assert len(to_letters(world)) == 1
    assert _attempt(world)["state"] == "held"
    assert _attempt(world)["note"].startswith("may have been done")
    world.do("replay", id=_attempt(world)["id"])
    world.work()
    assert world.platform.sent == [(PHONE, "o1")]
    assert world.run("send")["state"] == "done"


@pytest.mark.parametrize("was_sent", [True, False])
@pytest.mark.parametrize("looks_lost", [0, 1, 2])
def test_a_call_whose_answer_was_lost_is_looked_up_where_one_can(make: Any, was_sent: bool, looks_lost: int) -> None:
    """Also when looking fails too: the doubt stays until it is answered, and nothing is sent twice."""
    world = make(sending("send_checked"))
    left = [looks_lost * 3]

    def script(asked: Asked) -> Answered | Exception | None:
        if asked.method == "POST" and len([one for one in world.platform.asked if one.method == "POST"]) == 1:
            if was_sent:
                world.platform.sent.append((PHONE, "o1"))
            return LOST
        if asked.path.startswith("/letters?") and left[0] > 0:
            left[0] -= 1
            return DOWN
        return None

    world.platform.script = script
    world.pay("p1", "1.00", ANN, order="o1")
    world.later(minutes=10)
    assert world.platform.sent == [(PHONE, "o1")]
    assert world.run("send")["state"] == "done"


def test_a_doubt_is_still_there_after_it_was_held(make: Any) -> None:
    """When every look failed for a day and a person replays, it is looked up first."""
    world = make(sending("send_checked"))
    world.platform.script = lambda asked: (
        LOST if asked.method == "POST" else DOWN if asked.path.startswith("/letters") else None
    )
    world.pay("p1", "1.00", ANN, order="o1")
    world.later(days=2)
    assert _attempt(world)["state"] == "held"
    world.platform.script = lambda asked: None
    world.platform.sent.append((PHONE, "o1"))
    world.do("replay", id=_attempt(world)["id"])
    world.later(hours=1)
    assert world.platform.sent == [(PHONE, "o1")]
    assert world.run("send")["state"] == "done"


@pytest.mark.parametrize(
    ("action", "sent", "state"),
    [("send_safe", 2, "done"), ("send_keyed", 2, "done"), ("send_once", 1, "held"), ("send_checked", 1, "done")],
)
def test_a_call_that_was_cut_off_with_its_worker_is_taken_up(make: Any, action: str, sent: int, state: str) -> None:
    """As its action declares: made again, looked up, or held. Under the same key."""
    world = make(sending(action))
    keys: list[str | None] = []

    def killed(*_: object) -> None:
        raise SystemExit

    world.pay("p1", "1.00", ANN, order="o1")
    world.take_in()
    world.worker._outbox.launch = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.work()
    [call] = [row for row in world.calls() if row["kind"] == "action"]
    assert call["state"] == "begun"
    world.platform.sent.append((PHONE, "o1"))  # it had reached the platform
    world.restart()
    world.later(minutes=5)
    assert len(world.platform.sent) == sent
    assert world.run("send")["state"] == state
    keys = [asked.key for asked in to_letters(world) if asked.method == "POST"]
    assert len(set(keys)) <= 1


def test_calls_that_were_cut_off_with_their_worker_open_no_breaker(make: Any) -> None:
    """The platform did nothing wrong: its other calls go out."""
    world = make(sending("send_safe"))

    def killed(*_: object) -> None:
        raise SystemExit

    for number in range(7):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.take_in()
    world.worker._outbox.launch = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.work()
    assert sum(call["state"] == "begun" for call in world.calls("send_safe")) > 5
    world.restart()
    world.pay("p8", "1.00", ANN, order="o8")
    world.work()
    assert world.health()["state"] == "ok"
    assert world.platform.sent == [(PHONE, "o8")]
    world.later(minutes=1)
    assert len(world.platform.sent) == 8


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through(make: Any) -> None:
    """While it is open nothing is asked; when the platform is back everything goes out."""
    world = make(sending("send_keyed"))
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/letters") else None
    for number in range(8):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.work()
    assert world.health()["state"] == "open"
    tried = {asked.body["text"] for asked in to_letters(world)}
    before = len(to_letters(world))
    assert 5 <= len(tried) <= 8
    world.later(seconds=50)
    assert len(to_letters(world)) == before
    world.later(seconds=40)
    probes = [asked.body["text"] for asked in to_letters(world)[before:]]
    assert len(set(probes)) == 1
    world.platform.script = lambda asked: None
    world.later(hours=1)
    assert sorted(world.platform.sent) == [(PHONE, f"o{number}") for number in range(8)]
    assert world.health()["state"] == "ok"


def test_a_platform_that_is_down_delays_nobody_elses_calls(make: Any) -> None:
    """The breaker is of one connection."""
    world = make(sending("send_keyed"))
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/letters") else None
    for number in range(8):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.work()
    world.platform.payments = [{"id": "p9", "amount": "1.00", "at": world.clock.now(), "buyer": {"id": "bob"}}]
    world.do("pull", connection="till")
    world.work()
    assert len(world.events("payment")) == 9


def _step_until(world: World, done: Callable[[], bool]) -> None:
    """Rounds of the worker until it is done; calls take the time of their threads."""
    for _ in range(200):
        if done():
            return
        if not world.worker.step():
            world.worker._bell.wait(0.05)
    raise AssertionError("it never comes to that")


@pytest.mark.parametrize("why", ["silent", "paced"])
def test_a_platform_that_lets_many_calls_wait_delays_nobody_elses(make: Any, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its threads nor its place in the queue are taken from others, however many of its calls are due before theirs."""
    world, answered = make(sending("send_safe")), threading.Event()
    if why == "paced":
        monkeypatch.setattr(world.hub.connections["letters"].connector, "rate", rate("1 per day"))

    def hangs(asked: Asked) -> None:
        if asked.path.startswith("/letters") and why == "silent":
            answered.wait(60)

    world.platform.script = hangs
    for number in range(90):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    most = CALLS_AT_ONCE if why == "silent" else 1
    _step_until(world, lambda: sum(asked.path == "/letters" for asked in list(world.platform.asked)) == most)
    for number in range(20):
        world.platform.visits[f"v{number}"] = {"id": f"v{number}", "at": world.clock.now(), "buyer": {"id": "bob"}}
        world.deliver("till", "visit", {"id": f"v{number}"})
    _step_until(world, lambda: len(world.events("visit")) == 20)
    assert len([asked for asked in world.platform.asked if asked.path == "/letters"]) == most
    answered.set()


def test_the_pace_lets_no_more_through_than_the_rate() -> None:
    """So many at once, then one for each share of the time; connections do not take from one another."""
    now = [0.0]
    pace, five = Pace(lambda: now[0]), rate("5 per 10 seconds")
    assert [pace.take("a", five) for _ in range(7)] == [True] * 5 + [False] * 2
    assert pace.take("b", five)
    assert pace.take("c", None)
    now[0] += 4
    assert [pace.take("a", five) for _ in range(3)] == [True, True, False]
    now[0] += 3600
    assert [pace.take("a", five) for _ in range(7)] == [True] * 5 + [False] * 2


def test_calls_keep_to_the_connections_rate(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much for now is left for a moment, and lost to nobody."""
    world = make(sending("send_keyed"))
    monkeypatch.setattr(world.hub.connectors["letters"], "rate", rate("50 per 1 second"))
    world.worker._outbox._pace._buckets["letters"] = (2.0, world.worker._outbox._pace._monotonic())
    for number in range(5):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.work()
    assert len(world.platform.sent) == 5


def test_what_was_left_for_a_moment_waits_for_the_breaker_that_opens_meanwhile(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looks for it again and again until then."""
    world = make(sending("send_keyed"))
    monkeypatch.setattr(world.hub.connectors["letters"], "rate", rate("1 per 2 seconds"))
    world.platform.script = answers(Answered(401))
    for number in range(2):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.work()
    assert world.health()["state"] == "needs_reconnecting"
    assert len(to_letters(world)) == 1


def test_a_batch_goes_out_as_one_with_a_result_for_each(make: Any) -> None:
    """Seven marks are three calls; the one that was refused is held, the others are done."""
    world = make(MARK)

    def script(asked: Asked) -> Answered | None:
        if asked.path != "/marks":
            return None
        return Answered(body={"answers": ["no" if one["mark"] == "o3" else "ok" for one in asked.body["marks"]]})

    world.platform.script = script
    for number in range(7):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.work()
    assert [len(asked.body["marks"]) for asked in to_letters(world)] == [3, 3, 1]
    assert [run["state"] for run in world.runs("mark")] == ["done"] * 3 + ["held"] + ["done"] * 3
    assert "no" in world.runs("mark")[3]["note"]
    world.platform.script = lambda asked: None
    world.do("replay", id=world.runs("mark")[3]["id"])
    world.work()
    assert [one["mark"] for one in to_letters(world)[-1].body["marks"]] == ["o3"]


def test_a_batch_that_fails_is_tried_again_for_all_of_it(make: Any) -> None:
    """Each of its calls by itself is due again."""
    world = make(MARK)
    world.platform.script = answers(DOWN, DOWN, DOWN)
    for number in range(3):
        world.pay(f"p{number}", "1.00", ANN, order=f"o{number}")
    world.later(minutes=1)
    assert [run["state"] for run in world.runs("mark")] == ["done"] * 3


def test_a_thin_notice_is_fetched_by_the_worker_and_becomes_one_event(make: Any) -> None:
    """However often it comes; the points are the fetched object's."""
    world = make(recipe("visit", "when: booking\ndo:\n  - award: {points: 5}\n"))
    world.platform.visits["v1"] = {"id": "v1", "at": world.clock.now(), "buyer": {"id": "ann"}}
    for _ in range(2):
        world.deliver("till", "visit", {"id": "v1"})
    world.work()
    assert world.states("visit") == ["done"]
    assert world.balance() == 5


def test_a_thin_notice_whose_object_is_not_there_is_held(make: Any) -> None:
    """A person sees it, and its replay fetches again; one that nobody needs can be given up."""
    world = make(recipe("visit", "when: booking\ndo:\n  - award: {points: 5}\n"))
    for name in ("v1", "v2"):
        world.deliver("till", "visit", {"id": name})
    world.work()
    first, second = [call for call in world.calls("visit") if call["state"] == "held"]
    assert "no such visit" in first["note"]
    world.platform.visits["v1"] = {"id": "v1", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.do("replay", id=first["id"])
    world.do("drop", id=second["id"], reason="deleted at the till")
    world.work()
    assert world.balance() == 5
    assert [call["state"] for call in world.calls("visit")] == ["done", "refused"]


def test_a_fetched_object_without_its_key_holds_its_call_alone(make: Any) -> None:
    """What the platform answers cannot stop the worker."""
    world = make(recipe("visit", "when: booking\ndo:\n  - award: {points: 5}\n"))
    world.platform.visits["v1"] = {"id": "", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.deliver("till", "visit", {"id": "v1"})
    world.pay("p1", "1.00")
    world.work()
    [call] = world.calls("visit")
    assert call["state"] == "held"
    assert "booking_id" in call["note"]
    assert world.states("payment") == ["done"]


def test_a_poke_pulls_from_the_cursor(make: Any) -> None:
    """And what it brings is told once more by nobody."""
    world = make()
    world.work()
    world.platform.payments = [{"id": "p1", "amount": "4.00", "at": world.clock.now(), "buyer": {"id": "ann"}}]
    world.deliver("till", "changed", {"id": "x"})
    world.work()
    assert world.balance() == 4
    assert len([path for path in world.platform.paths() if path == "/payments"]) == 2


def test_a_pull_of_a_later_time_leaves_no_gap_behind_the_cursor(make: Any) -> None:
    """After days of failed polls somebody pulls the last hour alone; the next poll still asks from where it had come to."""
    world = make()
    world.work()
    reached = world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"]
    world.sleep(days=3)
    world.platform.script = lambda asked: Answered(422) if "since=2026-03-02" in asked.path else None
    world.do("pull", connection="till", since=(world.clock.now() - timedelta(hours=1)).isoformat())
    world.work()
    assert world.one("SELECT value FROM cursor WHERE name = 'pull:till:payments'")["value"] == reached
    world.platform.script = lambda asked: None
    world.do("pull", connection="till")
    world.work()
    assert "since=2026-03-02" in world.platform.asked[-1].path


def test_what_came_of_a_call_is_not_lost_when_the_database_is_in_trouble(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noted when the database is back, and the call is not made again."""
    world = make(sending("send_once"))
    world.pay("p1", "1.00", ANN, order="o1")
    real = world.worker._store.write
    worker, calling = world.worker, world.worker._calling

    def record(**said: Any) -> Any:
        def full(**how: Any) -> Any:
            raise OSError("no space left on device")

        monkeypatch.setattr(worker._store, "write", full)
        try:
            return type(calling).record(calling, **said)
        finally:
            monkeypatch.setattr(worker._store, "write", real)

    monkeypatch.setattr(calling, "record", record)
    with pytest.raises(OSError, match="no space"):
        world.work()
    monkeypatch.undo()
    world.work()
    assert world.run("send")["state"] == "done"
    assert world.platform.sent == [(PHONE, "o1")]
