"""Retention: what need not be kept any more goes, oldest first, and whoever asks for it hears why."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hub import document
from hub.cli.app import main
from hub.engine import retention
from hub.engine.retention import Limits
from hub.errors import ConfigError, HubError
from hub.sdk.values import Duration
from tests.engine.platforms import Answered
from tests.engine.world import POINTS, World, recipe

Make = Callable[..., World]
FOR_TEN_DAYS = "retention: {deliveries: 10 days}\n"
GATED = recipe("gated", 'when: sale\nif: event.amount > 500\ndo:\n  - letters.send_once: {to: "{{ member.phone }}", text: x}\n')


def kept(world: World) -> list[str]:
    """The ids of the deliveries that are still there, oldest first."""
    return [one.id for one in world.hub.inbox.after(0, 100_000)]


def hub(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


def test_worked_deliveries_go_after_their_time_and_earn_nothing_again(make: Make) -> None:
    """The newest stays, the books stay, and what is delivered once more is known by its key."""
    world = make(programme=FOR_TEN_DAYS)
    for n in range(5):
        world.pay(f"p{n}", "10.00")
    world.later(days=5)
    world.pay("later", "10.00")
    world.later(days=4)
    assert len(kept(world)) == 6
    world.later(days=3)
    assert [one.body for one in world.hub.inbox.after(0, 10)] == [world.hub.inbox.by_ids(kept(world))[0].body]
    assert b'"later"' in world.hub.inbox.after(0, 10)[0].body
    world.later(days=30)
    assert len(kept(world)) == 1
    world.pay("p0", "10.00")
    world.work()
    assert world.totals().issued == 60
    assert world.hub.inbox.last_seq() == 7


def test_what_is_not_worked_yet_stays(make: Make) -> None:
    """However old it is: a hub that was switched off for a year works all of it."""
    world = make(programme=FOR_TEN_DAYS)
    world.pay("first", "10.00")
    world.later(days=12)
    for n in range(5):
        world.pay(f"p{n}", "10.00")
    world.sleep(days=365)
    [timer] = [one for one in world.worker._time._schedule.timers._timers if one.name == "retention"]
    world.worker._time._let_pass(timer)
    assert len(kept(world)) == 5
    world.work()
    assert world.totals().issued == 60


def test_what_a_person_may_need_stays_until_it_is_settled(make: Make) -> None:
    """Unreadable, parked, or with a held run: kept; given up or mended: gone at the next look, with its own date."""
    world = make(POINTS, GATED, programme=FOR_TEN_DAYS)
    world.deliver("till", "payment", b"{no json")
    world.pay("foreign", "5.00", currency="EUR")
    world.pay("held", "900.00", {"id": "bob", "phone": "+14155550102", "sms": True})
    world.pay("plain", "5.00")
    world.pay("newest", "5.00")
    world.platform.script = lambda asked: Answered(422, {"message": "no"}) if asked.path == "/letters" else None
    world.work()
    assert [run["state"] for run in world.runs("gated")] == ["held"]
    assert world.states("payment").count("parked") == 1
    before = kept(world)
    world.later(days=20)
    assert kept(world) == [*before[:3], before[4]]
    [receipt] = world.rows("SELECT delivery_id FROM receipt WHERE state = 'unreadable'")
    assert receipt["delivery_id"] == before[0]
    world.do("drop", id=before[0], reason="a test")
    world.do("drop", id=world.run("gated")["id"], reason="gone")
    world.later(days=2)
    assert before[1] in kept(world)
    assert not {before[0], before[2], before[3]} & set(kept(world))
    gone = [world.hub.inbox.removed_at(one) for one in before]
    assert gone[1] is None
    assert gone[4] is None or gone[4] > gone[3]
    assert gone[0] == gone[2] > gone[3]


def test_what_was_said_of_a_delivery_and_answered_to_a_command_goes_with_it(make: Make) -> None:
    """Nothing about it grows for ever but what it led to."""
    world = make(programme=FOR_TEN_DAYS)
    world.deliver("till", "nothing we listen to", {"id": "x"})
    world.pay("p1", "10.00")
    world.work()
    world.do("adjust", member=world.member(), points=5, reason="Sorry")
    world.pay("p2", "10.00")
    world.work()
    assert len(world.rows("SELECT * FROM receipt")) == len(world.rows("SELECT * FROM answer")) == 1
    world.later(days=15)
    assert world.rows("SELECT * FROM receipt") == world.rows("SELECT * FROM answer") == []
    assert world.totals().outstanding == 25


def test_the_oldest_go_first_when_it_is_too_much(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as bring it under the limit, none younger than an hour; the limit is looked at each hour when it is near."""
    monkeypatch.setattr(retention, "_MEASURED_MOST", 7)
    world = make(programme="retention: {deliveries: for ever, size: 1 MB}\n")
    for n in range(40):
        world.pay(f"p{n}", "1.00", note=os.urandom(15_000).hex())
    world.work()
    before = kept(world)
    sizes = [one.size for one in world.hub.inbox.outlines(0, 100, 100)]
    world.later(days=1)
    left = kept(world)
    assert left == before[-len(left) :]
    assert sum(sizes[-len(left) :]) <= 1_000_000 < sum(sizes[-len(left) - 1 :])
    for n in range(40):
        world.pay(f"q{n}", "1.00", note=os.urandom(15_000).hex())
    world.later(minutes=50)
    assert len(kept(world)) == len(left) + 40
    world.later(minutes=120)
    assert len(kept(world)) < 40
    assert world.totals().issued == 80


def test_a_removal_that_is_cut_off_is_taken_up_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the inbox has let go of deliveries and the hub does not know it yet."""
    world = make(programme=FOR_TEN_DAYS)
    for n in range(3):
        world.pay(f"p{n}", "10.00")
        world.deliver("till", "nothing we listen to", {"id": f"x{n}"})
    world.pay("last", "10.00")
    world.later(days=9)
    removing = world.hub.inbox.remove

    def cut(groups: Any, at: Any) -> None:
        removing([group[:4] for group in groups], at)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(world.hub.inbox, "remove", cut)
        world.later(days=3)
    assert len(kept(world)) == 3
    assert len(world.rows("SELECT * FROM receipt")) == 3
    world.restart()
    world.later(days=1)
    assert len(kept(world)) == 1
    assert world.rows("SELECT * FROM receipt") == []


def test_removing_takes_turns_with_work(make: Make) -> None:
    """A portion a round: what comes in meanwhile is not held up until all is gone."""
    world = make(programme=FOR_TEN_DAYS)
    for n in range(1_300):
        world.deliver("till", "nothing we listen to", {"id": f"x{n}"})
    world.work()
    world.sleep(days=20)
    world.pay("p1", "1.00")
    left = []
    for _ in range(3):
        assert world.worker.step()
        left.append((len(kept(world)), len(world.events("payment"))))
    assert left == [(801, 1), (301, 1), (1, 1)]


def test_who_asks_for_what_was_removed_hears_when_and_why(make: Make) -> None:
    """`hub why` and `hub replay` speak of it; the story of its event is whole."""
    world = make(programme=FOR_TEN_DAYS)
    world.pay("p1", "10.00", order="o1")
    world.deliver("till", "nothing we listen to", {"id": "x"})
    world.pay("last", "10.00")
    world.later(days=15)
    [delivery] = [row["delivery_id"] for row in world.events("payment") if row["key"] == "p1"]
    said = hub("why", "p1", "-w", world.folder)
    assert f"The raw delivery {delivery} was removed on 2026-03-" in said
    assert "10 points" in said
    assert hub("why", delivery, "-w", world.folder) == said
    told = json.loads(hub("why", "p1", "--json", "-w", world.folder))
    assert any("was removed on" in sentence for sentence in told[0]["told"])
    with pytest.raises(HubError, match=rf"{delivery} was removed on 2026-03-\d\d by retention"):
        world.do("replay", id=delivery)
    with pytest.raises(HubError, match="there is no delivery dlv_0"):
        world.do("replay", id="dlv_0")


def test_a_delivery_without_an_event_is_not_unknown_when_it_was_removed(make: Make) -> None:
    """There is nothing more to tell of it, and that is told."""
    world = make(programme=FOR_TEN_DAYS)
    world.deliver("till", "nothing we listen to", {"id": "x"})
    world.pay("last", "10.00")
    world.work()
    [delivery, _] = kept(world)
    world.later(days=15)
    assert "was removed on 2026-03-" in hub("why", delivery, "-w", world.folder, code=1)


def test_the_space_goes_back_to_the_disk(tmp_path: Path) -> None:
    """Of SQLite the file becomes smaller, in slices; PostgreSQL sees to that by itself."""
    world = World(tmp_path / "w", POINTS, programme=FOR_TEN_DAYS)
    for _ in range(40):
        world.deliver("till", "nothing we listen to", {"id": os.urandom(40_000).hex()})
    world.pay("last", "1.00")
    world.work()
    world.hub.inbox_store.checkpoint()
    before = world.hub.inbox.size_bytes()
    world.later(days=15)
    assert before > 3_000_000
    assert world.hub.inbox.size_bytes() < 300_000
    world.close()


def test_the_age_of_the_oldest_delivery_is_shown(make: Make) -> None:
    """In the metrics, and by `hub db size`."""
    world = make(programme=FOR_TEN_DAYS)
    assert world.hub.snapshot().oldest_delivery_seconds == 0
    world.pay("p1", "10.00")
    world.later(days=2)
    assert world.hub.snapshot().oldest_delivery_seconds == 2 * 86_400
    shown = json.loads(hub("db", "size", "--json", "-w", world.folder))
    assert shown["oldest_delivery"].startswith("2026-03-02T18:00:")
    assert shown["kept"] == "for 10 days, and 10 GB at most"
    assert "worked ones are kept for 10 days" in hub("db", "size", "-w", world.folder)


def limits(text: str) -> Limits:
    found = document.load(f"retention: {text}\n", "hub.yaml")
    assert isinstance(found, document.Mapping)
    return Limits.from_node(found.get("retention"))


def test_the_section_says_how_long_and_how_much() -> None:
    """Without it, ninety days and ten gigabytes."""
    assert Limits.from_node(None) == Limits(Duration(days=90), 10 * 10**9) == limits("{}")
    assert limits("{deliveries: 2 years, size: 500 MB}") == Limits(Duration(months=24), 500 * 10**6)
    assert limits("{deliveries: for ever, size: unlimited}") == Limits(None, None)
    assert limits("{size: 1.5 TB}").size == 1_500 * 10**9
    assert str(limits("{deliveries: for ever, size: 1.5 GB}")) == "for ever, and 1.5 GB at most"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{deliveries: soon}", "'soon' is not a length of time"),
        ("{deliveries: 3 hours}", "too short; keep deliveries for a day at least"),
        ("{size: 10}", "'10' is not a size such as `500 MB`"),
        ("{size: 0 GB}", "'0 GB' is not a size"),
        ("{delivery: 3 days}", "`delivery` is not a key of `retention`"),
        ("90 days", "`retention` must be a mapping"),
    ],
)
def test_a_section_that_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """By `hub check`, and before anything is opened."""
    with pytest.raises(ConfigError) as found:
        limits(text)
    assert said in str(found.value)
    assert "hub.yaml:1:" in str(found.value)
    world = World(tmp_path / "w")
    world.close()
    world.configure(programme=f"retention: {text}\n", connections="")
    assert said in hub("check", "-w", world.folder, code=1)
