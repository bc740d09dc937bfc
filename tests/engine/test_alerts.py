"""Alerts: the owner is told of what is the matter: once, soon, in few messages, and when it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.alerts import alerts as command
from hub.engine.alerts import silence
from hub.engine.timekeeper import Timekeeper
from hub.errors import ConfigError, HubError
from hub.store import Unit
from tests.engine.platforms import KEY, Answered, Asked, letters
from tests.engine.world import CONNECTIONS, POINTS, World, recipe

OWNER = "+14155550199"
REFUSED = Answered(422, {"message": "not a mobile number"})
DOWN = Answered(503, {"message": "out of order"})
SEND = recipe("send", "when: manual\ndo:\n  - letters.look: {what: x}\n")


def owned(more: str = "", *, connections: str = "") -> str:
    """The connections of a workspace whose owner has a phone."""
    return CONNECTIONS + connections + f'owner: {{phone: "{OWNER}", through: letters.send_keyed{more}}}\n'


@pytest.fixture
def watched(make: Any) -> Callable[..., World]:
    """Makes hubs whose owner is told by SMS."""

    def one(*recipes: str, more: str = "", connections: str = "") -> World:
        world: World = make(*(recipes or (POINTS,)), connections=owned(more, connections=connections))
        world.work()
        return world

    return one


def park(world: World, *names: str) -> None:
    """Payments in a currency that the programme does not know, each of another buyer."""
    for name in names:
        world.pay(name, "1.00", f"buyer-{name}", currency="EUR")
    world.work()


def told(world: World) -> list[str]:
    """What the owner was sent."""
    return [text for to, text in world.platform.sent if to == OWNER]


def listed(world: World) -> list[dict[str, Any]]:
    shown = CliRunner().invoke(command, ["--json", "-w", str(world.folder)], catch_exceptions=False)
    found: list[dict[str, Any]] = json.loads(shown.stdout)
    return found


def speak(world: World, hours: int) -> None:
    """The till tells of a payment in each of so many hours."""
    for number in range(hours):
        world.pay(f"h{world.number()}-{number}", "1.00")
        world.later(hours=1)


# What is told, and when ---------------------------------------------------------------------------------------------------


def test_nothing_is_told_where_nothing_is_the_matter(watched: Callable[..., World]) -> None:
    """A day of work leaves the owner in peace."""
    world = watched()
    speak(world, 5)
    world.later(days=1)
    assert told(world) == []
    assert listed(world) == []


def test_a_parked_lane_is_told_after_a_minute_with_its_reason(watched: Callable[..., World]) -> None:
    """Once, however long it stays; to the owner's own phone, without anybody's consent."""
    world = watched()
    park(world, "p1")
    assert told(world) == []
    world.later(minutes=1)
    [text] = told(world)
    assert text.startswith("Diesel Rewards needs a look:\n- 1 lane is parked (till.payment): The amount is in EUR")
    assert text.endswith("More: hub alerts")
    world.later(days=3)
    assert len(told(world)) == 1


def test_what_is_over_within_a_minute_is_told_to_nobody(watched: Callable[..., World]) -> None:
    """Neither that it was, nor that it is over."""
    world = watched()
    park(world, "p1")
    world.do("drop", id=world.events("payment")[0]["id"], reason="a test")
    world.later(days=1)
    assert told(world) == []
    [alert] = listed(world)
    assert alert["over_at"] is not None
    assert alert["told_at"] is None


def test_a_thousand_parked_lanes_are_one_message(watched: Callable[..., World]) -> None:
    """With their number; those that come later wait for the next message, an hour later."""
    world = watched()
    park(world, *[f"p{number}" for number in range(1_000)])
    world.later(minutes=1)
    [text] = told(world)
    assert "1,000 lanes are parked (till.payment)" in text
    park(world, "q1", "q2")
    world.later(minutes=58)
    assert len(told(world)) == 1
    world.later(minutes=2)
    assert "1,002 lanes are parked" in told(world)[1]
    world.later(days=1)
    assert len(told(world)) == 2


def test_one_that_takes_the_place_of_another_is_told(watched: Callable[..., World]) -> None:
    """The number is the same; the trouble is not."""
    world = watched()
    park(world, "p1")
    world.later(hours=2)
    park(world, "p2")
    world.do("drop", id=world.events("payment")[0]["id"], reason="a test")
    world.later(hours=2)
    assert len(told(world)) == 2


def test_what_is_mended_is_told_once(watched: Callable[..., World]) -> None:
    """And not again."""
    world = watched()
    park(world, "p1")
    world.later(hours=2)
    world.do("drop", id=world.events("payment")[0]["id"], reason="a test")
    world.later(days=1)
    assert told(world)[1:] == ["Diesel Rewards: trouble is over:\n- over: no lane is parked any more\nMore: hub alerts"]


def test_what_comes_back_before_its_end_was_told_has_not_ended(watched: Callable[..., World]) -> None:
    """Of a trouble that comes and goes the owner hears at most once an hour, and nothing false."""
    world = watched()
    park(world, "p0")
    for number in range(6):
        world.later(minutes=20)
        world.do("drop", id=next(one for one in world.events("payment") if one["state"] == 2)["id"], reason="a test")
        park(world, f"q{number}")
    world.later(days=1)
    assert 2 <= len(told(world)) <= 4
    assert not any("over" in text for text in told(world))
    assert len(listed(world)) == 1


def test_a_held_run_names_its_recipe_and_why(watched: Callable[..., World]) -> None:
    """The platform's own words, without the run's other contents."""
    world = watched(SEND)
    world.platform.script = lambda asked: REFUSED if asked.path.startswith("/things") else None
    world.do("trigger", recipe="send")
    world.later(minutes=1)
    [text] = told(world)
    assert "- 1 run is held (send): " in text
    assert "not a mobile number" in text
    assert "call is held" not in text


def test_a_held_call_of_no_run_is_told(watched: Callable[..., World]) -> None:
    """A thin notice whose object is not given."""
    world = watched()
    world.deliver("till", "visit", {"id": "v1"})
    world.later(minutes=1)
    assert "- 1 call is held (till.visit): " in told(world)[0]


def test_an_unreadable_delivery_is_told(watched: Callable[..., World]) -> None:
    """As is a pulled record."""
    world = watched()
    world.deliver("till", "payment", {"id": "p1"})
    world.platform.payments = [{"id": "p2"}]
    world.do("pull", connection="till")
    world.later(minutes=1)
    assert "- 2 deliveries cannot be read (till): " in told(world)[0]


def test_a_timer_that_is_set_aside_is_told(watched: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    """With its name."""
    world = watched(recipe("night", "when: {schedule: {cron: '0 3 * * *'}}\ndo:\n  - award: {points: 1}\n"))
    [timer] = [one for one in world.worker._time._schedule.timers._timers if one.name.startswith("watch:")]
    monkeypatch.setattr(Timekeeper, "_work", breaking(timer, Timekeeper._work))
    world.later(days=1)
    assert f"- 1 timer is set aside ({timer.name}): " in told(world)[0]


def breaking(broken: Any, works: Callable[..., bool]) -> Callable[..., bool]:
    def work(self: Any, batch: Any, timer: Any, most: int) -> bool:
        if timer.name == broken.name:
            raise ValueError("a wrong turn")
        return works(self, batch, timer, most)

    return work


# Connections --------------------------------------------------------------------------------------------------------------


def test_a_connection_that_needs_reconnecting_is_told_with_the_recipes_that_it_stops(watched: Callable[..., World]) -> None:
    """And that it works again."""
    world = watched(POINTS, recipe("shop", "when: till.payment\ndo:\n  - award: {points: 1}\n"))
    world.deliver("till", "revoked", {"id": "by the owner"})
    world.later(minutes=1)
    [text] = told(world)
    assert "- till needs reconnecting: it stops shop; " in text
    assert "by the owner" in text
    world.do("pull", connection="till")
    world.later(hours=2)
    assert "- over: till works again" in told(world)[1]


def test_a_platform_that_does_not_answer_is_told(watched: Callable[..., World]) -> None:
    """When its breaker opens, not at its first failure."""
    world = watched()
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/payments") else None
    world.do("pull", connection="till")
    world.later(minutes=2)
    assert told(world) == []
    world.later(hours=1)
    [text] = told(world)
    assert "- till does not answer: " in text
    assert "out of order" in text


def test_a_connection_that_lacks_settings_is_told(watched: Callable[..., World]) -> None:
    """With the recipes that it stops."""
    stopped = recipe("spare", "when: spare.payment\ndo:\n  - award: {points: 1}\n")
    world = watched(POINTS, stopped, connections='  spare: {connector: till, key: "${SPARE_KEY}"}\n')
    world.later(minutes=1)
    assert "- spare lacks settings: it stops spare" in told(world)[0]


def test_trouble_with_the_only_way_to_the_owner_is_listed_and_told_when_it_is_over(watched: Callable[..., World]) -> None:
    """No message about itself waits in it; the others go out when it works again, as one."""
    world = watched()
    world.platform.script = lambda asked: Answered(401) if asked.path == "/letters" else None
    world.do("test_alerts")
    world.work()
    park(world, "p1")
    world.later(hours=3)
    assert told(world) == []
    assert {alert["kind"] for alert in listed(world)} == {"needs_reconnecting", "parked_lane"}
    world.platform.script = lambda asked: None
    world.later(days=1)
    test, text = told(world)
    assert "this is a test" in test
    assert "1 lane is parked" in text
    assert "letters" not in text


def test_no_message_goes_out_about_its_own_way(watched: Callable[..., World]) -> None:
    """It could only arrive when it is no longer true."""
    world = watched(SEND)
    world.platform.script = lambda asked: Answered(401) if asked.path.startswith("/things") else None
    world.do("trigger", recipe="send")
    world.later(minutes=10)
    assert world.calls("send_keyed") == []
    assert [alert["kind"] for alert in listed(world)] == ["needs_reconnecting"]


def test_a_way_that_is_out_of_order_is_passed_over(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any message has failed on it."""
    world = with_mail(make, monkeypatch, SEND)
    world.platform.script = lambda asked: Answered(401) if asked.path.startswith("/things") else None
    world.do("trigger", recipe="send")
    world.later(minutes=2)
    assert told(world) == []
    assert "- letters needs reconnecting: it stops send; " in mailed(world)[0]


def mailed(world: World) -> list[str]:
    """What reached the owner through the second messenger."""
    return [text for to, text in world.platform.sent if to == "owner@example.com"]


def test_trouble_with_one_way_goes_by_the_other(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phone's connection is out of order, and the e-mail says so."""
    world = with_mail(make, monkeypatch)
    world.platform.script = lambda asked: Answered(401) if by_phone(asked) else None
    world.do("test_alerts")
    world.later(minutes=2)
    assert told(world) == []
    assert "this is a test" in mailed(world)[0]
    assert "- letters needs reconnecting" in mailed(world)[1]


def test_a_message_that_is_refused_is_told_by_the_other_way(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays on the list of what is held, once, and the owner hears of the rest by the other way."""
    world = with_mail(make, monkeypatch)
    world.platform.script = lambda asked: REFUSED if by_phone(asked) else None
    park(world, "p1")
    world.later(hours=2)
    assert "- letters did not take a message to you: " in mailed(world)[0]
    assert "held" not in mailed(world)[0]
    park(world, "p2")
    world.later(hours=2)
    assert "2 lanes are parked" in mailed(world)[1]
    assert [call["state"] for call in world.calls("send_keyed")] == ["held"]


def with_mail(make: Any, monkeypatch: pytest.MonkeyPatch, *recipes: str) -> World:
    """A hub whose owner has a phone and an e-mail address, each through a connection of its own."""
    monkeypatch.setitem(letters.actions, "send_safe", replace(letters.actions["send_safe"], channel="email"))
    owner = f'owner: {{phone: "{OWNER}", email: Owner@example.com, through: [letters.send_keyed, mail.send_safe]}}\n'
    world: World = make(*recipes, connections=CONNECTIONS + f"  mail: {{connector: letters, key: {KEY}}}\n" + owner)
    world.work()
    return world


def by_phone(asked: Asked) -> bool:
    return asked.method == "POST" and asked.path == "/letters" and asked.body["to"] == OWNER


# Silence ------------------------------------------------------------------------------------------------------------------


def a_week(world: World) -> None:
    """The till speaks from nine to five, each day."""
    for _ in range(7):
        for _ in range(8):
            world.pay(f"w{world.number()}", "1.00")
            world.later(hours=1)
        world.later(hours=16)


def test_a_connection_that_falls_silent_is_told_and_that_it_is_heard_again(watched: Callable[..., World]) -> None:
    """After three times its longest pause, which were 17 hours."""
    world = watched()
    a_week(world)
    assert told(world) == []
    world.later(hours=3 * 17 - 16 - 1)
    assert told(world) == []
    world.later(hours=2)
    [text] = told(world)
    assert "- till is silent: nothing was heard of it since 2026-03-" in text
    assert "its longest pause before was 17 hours" in text
    world.later(days=5)
    assert len(told(world)) == 1
    world.pay("again", "1.00")
    world.later(hours=1)
    assert "- over: till is heard again" in told(world)[1]


def test_what_was_heard_little_is_not_missed(watched: Callable[..., World]) -> None:
    """Four payments in a month, or a busy first day, are no habit."""
    world = watched()
    for _ in range(4):
        world.pay(f"p{world.number()}", "1.00")
        world.later(days=7)
    world.later(days=60)
    speak(world, 6)
    world.later(days=30)
    assert told(world) == []


def test_a_late_delivery_does_not_undo_what_was_heard_since(world: World) -> None:
    """Three weeks are kept: an hour and the one three weeks before share a place, and the later one stays."""
    now = world.clock.now()
    for heard in ([now - timedelta(days=day) for day in range(8)], [now - timedelta(weeks=3)]):
        with world.hub.store.write() as session:
            unit = Unit(session)
            silence.note(unit, [("till", at) for at in heard])
            unit.flush()
    with world.hub.store.read() as session:
        found = silence.Hearing(["till"]).expected(session)["till"]
    assert found.heard_at == now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    assert found.usual == timedelta(days=1)


def test_a_silence_outlives_a_restart(watched: Callable[..., World]) -> None:
    """It is told once, whatever happens to the worker."""
    world = watched()
    a_week(world)
    world.sleep(days=3)
    world.restart()
    world.later(minutes=2)
    world.restart()
    world.later(hours=3)
    assert len([text for text in told(world) if "till is silent" in text]) == 1


# Limits -------------------------------------------------------------------------------------------------------------------


def test_quiet_hours_are_kept(watched: Callable[..., World]) -> None:
    """In the programme's time zone; it is noon in Chicago when the world begins."""
    world = watched(more=", quiet_hours: '11:30 to 06:00'")
    park(world, "p1")
    world.later(hours=17)
    assert told(world) == []
    world.later(hours=2)
    assert len(told(world)) == 1


def test_an_owner_may_want_to_hear_of_problems_alone(watched: Callable[..., World]) -> None:
    """Warnings are listed."""
    world = watched(more=", tell: problems")
    world.deliver("till", "payment", {"id": "p1"})
    world.later(hours=1)
    assert told(world) == []
    assert [alert["severity"] for alert in listed(world)] == ["warning"]
    park(world, "p2")
    world.later(hours=1)
    assert "parked" in told(world)[0]
    assert "cannot be read" not in told(world)[0]


def test_there_are_no_more_messages_than_the_cap(watched: Callable[..., World]) -> None:
    """Whatever is said of how often, 24 within a day are the most; the next one has what came meanwhile."""
    world = watched(more=", every: 5 minutes")
    for number in range(60):
        park(world, f"p{number}")
        world.later(minutes=10)
    assert len(told(world)) == 24
    with pytest.raises(HubError, match="24 messages"):
        world.do("test_alerts")
    world.later(days=1)
    assert len(told(world)) == 25
    assert "60 lanes" in told(world)[-1]


def test_a_message_that_is_under_way_is_not_overtaken(watched: Callable[..., World]) -> None:
    """While the messenger is out of order there is one message, not one an hour."""
    world = watched()
    world.platform.script = lambda asked: DOWN if asked.path == "/letters" else None
    for number in range(5):
        park(world, f"p{number}")
        world.later(hours=1, minutes=1)
    assert len(world.calls("send_keyed")) == 1
    world.platform.script = lambda asked: None
    world.later(hours=9)
    assert "1 lane is parked" in told(world)[0]
    assert "5 lanes are parked" in told(world)[1]


def test_a_message_never_shows_a_secret(watched: Callable[..., World]) -> None:
    """Whatever a platform puts into its errors."""
    world = watched(SEND)
    world.platform.script = lambda asked: (
        Answered(422, {"message": f"bad key {KEY}"}) if asked.path.startswith("/things") else None
    )
    world.do("trigger", recipe="send")
    world.later(minutes=1)
    [text] = told(world)
    assert "bad key" in text
    world.deliver("till", "payment", {"id": "p1", "amount": f"x {KEY}", "at": world.clock.now(), "currency": KEY})
    world.later(hours=2)
    assert "cannot be read" in told(world)[1]
    assert KEY not in "".join(told(world))
    assert KEY not in json.dumps(listed(world))


def test_the_opt_out_of_a_member_with_the_same_number_keeps_nothing_from_the_owner(watched: Callable[..., World]) -> None:
    """The gate is the members'."""
    world = watched()
    world.write_sms("STOP", sender=OWNER)
    park(world, "p1")
    world.later(minutes=1)
    assert len(told(world)) == 1


def test_a_message_is_sent_once_when_the_worker_dies_in_between(watched: Callable[..., World]) -> None:
    """It is made again under its key."""
    world = watched()
    park(world, "p1")
    world.clock.move_to(world.clock.now() + timedelta(minutes=1))

    def killed(*_: object) -> None:
        raise SystemExit

    world.worker._outbox.launch = killed  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        world.work()
    world.restart()
    world.later(hours=2)
    assert len(told(world)) == 1


# The section, and the command ---------------------------------------------------------------------------------------------


def test_a_test_message_reaches_the_owner(watched: Callable[..., World]) -> None:
    """And leaves the next alert its turn."""
    world = watched()
    assert world.do("test_alerts") == {"sent": [f"{OWNER} through letters.send_keyed"]}
    park(world, "p1")
    world.later(minutes=1)
    test, text = told(world)
    assert "this is a test" in test
    assert "parked" in text


def test_without_an_owner_nobody_is_told(world: World) -> None:
    """The command says what to add."""
    park(world, "p1")
    world.later(days=1)
    assert world.platform.sent == []
    with pytest.raises(HubError, match="no section `owner`"):
        world.do("test_alerts")


@pytest.mark.parametrize(
    ("owner", "says"),
    [
        ("{}", "says neither `phone` nor `email`"),
        ("{phone: '12'}", "`phone` is `12`, which is none"),
        ("{email: owner}", "`email` is `owner`, which is none"),
        ("{email: owner@example.com}", "no connection can send to a `email`"),
        ("{phone: '+14155550199', through: leters}", "there is no connection `leters`"),
        ("{phone: '+14155550199', through: letters.sent}", "`letters` has no action `sent`"),
        ("{phone: '+14155550199', through: till}", "no connection among till can send to a `phone`"),
        ("{phone: '+14155550199', through: letters.look}", "no connection among letters.look can send"),
        ("{phone: '+14155550199', every: 1 minute}", "too often"),
        ("{phone: '+14155550199', every: often}", "is not a length of time"),
        ("{phone: '+14155550199', quiet_hours: at night}", "no quiet hours such as"),
        ("{phone: '+14155550199', quiet_hours: '22:00 to 25:00'}", "no quiet hours such as"),
        ("{phone: '+14155550199', tell: nothing}", "`tell` is `nothing`"),
        ("{fax: '+14155550199'}", "`fax` is not a setting"),
        ("nobody", "must be a mapping"),
    ],
)
def test_a_section_that_is_wrong_is_an_error_at_its_place(make: Any, owner: str, says: str) -> None:
    """In words that say what to write."""
    with pytest.raises(ConfigError) as error:
        make(connections=CONNECTIONS + f"owner: {owner}\n")
    assert says in str(error.value)
    assert "hub.yaml:" in str(error.value)
