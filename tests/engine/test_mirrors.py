"""Mirrors: a platform's fields show what the ledger says, within seconds, whatever happened to either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from hub.engine.backup import forget_the_past
from hub.errors import HubError
from hub.sdk.rate import rate
from tests.engine.cards import FIELDS, MIRRORED, SEVERAL, MirrorWorld, cards
from tests.engine.platforms import Answered
from tests.engine.world import POINTS, recipe

MakeMirrored = Callable[..., MirrorWorld]
DOWN = Answered(503, {"message": "out of order"})


@pytest.fixture
def mirrored(make: Any) -> MakeMirrored:
    def one(*recipes: str, connections: str = MIRRORED, **more: Any) -> MirrorWorld:
        return make(*recipes, kind=MirrorWorld, connections=connections, **more)

    return one


def test_a_purchase_shows_on_the_card(mirrored: MakeMirrored) -> None:
    """Balance, tier and the last good day of the points; nothing is kept of the calls."""
    world = mirrored()
    world.platform.give("ann", POINTS="0")
    world.shop("p1", "ann", "150.00")
    world.work()
    assert world.platform.there["ann"]["fields"] == {"POINTS": "150", "TIER": "Silver", "ENDS": "2026-09-02", "ENDING": "150"}
    assert world.calls("update") == world.calls("card_fields") == []
    image = world.image("ann")
    assert (image["state"], image["busy"], image["call_id"], image["platform_id"]) == (1, 0, "", "ann")


def test_many_changes_are_one_call_with_the_values_of_its_moment(mirrored: MakeMirrored) -> None:
    """While the platform is away nothing piles up, and what it hears then is the latest."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p0", "ann", "1.00")
    world.work()
    before = len(world.platform.writes())
    for number in range(1, 6):
        world.shop(f"p{number}", "ann", "10.00")
        world.take_in()
    world.work()
    assert [said["POINTS"] for _, said in world.platform.writes()[before:]] == ["51"]
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/cards") else None
    for number in range(6, 9):
        world.shop(f"p{number}", "ann", "10.00")
        world.work()
    assert len(world.calls("update")) == 1
    world.platform.script = lambda asked: None
    world.later(hours=1)
    assert world.platform.there["ann"]["fields"]["POINTS"] == "81"
    assert world.calls("update") == []


def test_nothing_is_written_where_nothing_mirrored_changed(mirrored: MakeMirrored) -> None:
    """A new birthday is none of the card's business; what is right there already is not written either."""
    world = mirrored()
    world.platform.give("ann", POINTS="10", TIER="Bronze", ENDS="2026-09-02", ENDING="10.0")
    world.shop("p1", "ann", "10.00")
    world.work()
    assert world.platform.writes() == [] and world.image("ann")["state"] == 1
    asked = len(world.platform.asked)
    world.customer("1", id="ann", birthday="1990-05-01")
    world.work()
    assert len(world.platform.asked) == asked


def test_every_cause_is_shown(mirrored: MakeMirrored) -> None:
    """Redemption, refund, a change by hand and expiry; a tier stays, and an end that is no more is cleared."""
    redeem = recipe("redeem", 'when: message_received\nif: event.command == "redeem"\ndo:\n  - redeem: {reward: wipers}\n')
    world = mirrored(POINTS, redeem)
    world.platform.give("ann")
    said = world.platform.there["ann"]["fields"]
    world.pay("p1", "150.00", {"id": "ann", "email": "ann@example.com", "phone": "+14155550101"})
    world.work()
    world.write_sms("REDEEM wipers")
    world.work()
    assert (said["POINTS"], said["ENDING"]) == ("90", "90")
    world.give_back("r1", "75.00", payment="p1")
    world.work()
    assert said["POINTS"] == "15"
    world.do("adjust", member=world.member("id:till:ann"), points=5, reason="by hand")
    world.work()
    assert said["POINTS"] == "20"
    world.later(days=200)
    assert said == {"POINTS": "0", "TIER": "Silver", "ENDS": "", "ENDING": "0"}


def test_who_is_not_there_is_left_out_and_found_later(mirrored: MakeMirrored) -> None:
    """Nobody is made a card; a recipe that makes one, a change, or the next comparison finds it."""
    join = recipe("join", 'when: sale\nif: event.amount > 50\ndo:\n  - cards.make_card: {email: "{{ member.email }}"}\n')
    world = mirrored(POINTS, join)
    world.shop("p1", "ann", "10.00")
    world.shop("p2", "bob", "10.00")
    world.work()
    assert world.platform.writes() == [] and world.platform.there == {}
    assert (world.image("ann")["state"], world.image("bob")["state"]) == (2, 2)
    world.shop("p3", "ann", "60.00")
    world.work()
    assert world.platform.there["ann"]["fields"]["POINTS"] == "70"
    world.platform.give("bob")
    world.do("compare_mirror", connection="cards")
    world.work()
    assert world.platform.there["bob"]["fields"]["POINTS"] == "10"


def test_a_card_that_is_gone_is_not_made_again(mirrored: MakeMirrored) -> None:
    """A write is refused: the platform is asked whether it still knows the member, and a person is not."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    del world.platform.there["ann"]
    world.shop("p2", "ann", "10.00")
    world.work()
    assert world.image("ann")["state"] == 2
    assert [call["state"] for call in world.calls() if call["kind"] in ("mirror", "look")] == []
    world.platform.there["new"] = {"id": "new", "email": "ann@example.com", "fields": {}}
    world.shop("p3", "ann", "10.00")
    world.work()
    assert world.platform.there["new"]["fields"]["POINTS"] == "30"
    assert world.image("ann")["platform_id"] == "new"


def test_what_is_refused_waits_for_a_person_and_takes_the_next_change_along(mirrored: MakeMirrored) -> None:
    """One held call for each member, however often they change; replayed, it says what is true then."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    refuse_writes = lambda asked: Answered(422, {"message": "the field is read only"}) if asked.method == "PUT" else None  # noqa: E731
    world.platform.script = refuse_writes
    for number in range(2, 5):
        world.shop(f"p{number}", "ann", "10.00")
        world.work()
    [held] = world.calls("update")
    assert held["state"] == "held" and "read only" in held["note"]
    assert world.balance() == 40
    world.platform.script = lambda asked: None
    world.do("replay", id=held["id"])
    world.work()
    assert world.platform.there["ann"]["fields"]["POINTS"] == "40"
    assert world.calls("update") == [] and world.image("ann")["call_id"] == ""


def test_what_was_given_up_is_tried_again_with_the_next_change(mirrored: MakeMirrored) -> None:
    """To drop a held call is no end of the mirror."""
    world = mirrored()
    world.platform.give("ann")
    world.platform.refused["ann"] = "locked"
    world.shop("p1", "ann", "10.00")
    world.work()
    [held] = world.calls("card_fields")
    assert held["state"] == "held"
    world.do("drop", id=held["id"], reason="later")
    world.platform.refused.clear()
    world.shop("p2", "ann", "10.00")
    world.work()
    assert world.platform.there["ann"]["fields"]["POINTS"] == "20"


def test_a_wrong_field_does_not_fill_the_list_of_the_held(mirrored: MakeMirrored) -> None:
    """After twenty a mirror waits for a person; when it is mended one command sets everything right."""
    world = mirrored()
    wrong = lambda asked: Answered(422, {"message": "no field POINTS"}) if asked.path.startswith("/cards") else None  # noqa: E731
    world.platform.script = wrong
    for number in range(1, 31):
        world.platform.give(f"c{number:02}")
        world.shop(f"p{number}", f"c{number:02}", "10.00")
        world.work()
    held = [call for call in world.calls() if call["kind"] == "look" and call["state"] == "held"]
    assert len(held) == 20
    world.platform.script = lambda asked: None
    world.do("compare_mirror", connection="cards")
    world.work()
    assert {card["fields"]["POINTS"] for card in world.platform.there.values()} == {"10"}
    assert [call for call in world.calls() if call["kind"] in ("mirror", "look")] == []


def test_the_night_finds_and_repairs_drift(mirrored: MakeMirrored) -> None:
    """What somebody changed at the platform is told, field by field, and put right."""
    world = mirrored()
    for who in ("ann", "bob", "cat"):
        world.platform.give(who)
        world.shop(f"p-{who}", who, "10.00")
    world.shop("p-dan", "dan", "10.00")
    world.work()
    world.platform.there["bob"]["fields"].update(POINTS="9999", TIER="Gold")
    world.later(days=1)
    night = world.comparisons()[-1]
    assert (night["compared"], night["differing"], night["repaired"], night["unknown"], night["failing"]) == (3, 1, 1, 1, 0)
    assert night["finished_at"] is not None and night["note"] == ""
    bob = world.member("id:till:bob")
    assert [(one["member_id"], one["field"], one["ours"], one["theirs"]) for one in world.drift()] == [
        (bob, "POINTS", "10", "9999"),
        (bob, "TIER", "Bronze", "Gold"),
    ]
    assert all(one["repaired_at"] for one in world.drift())
    assert world.platform.there["bob"]["fields"]["POINTS"] == "10"
    world.later(days=1)
    assert world.comparisons()[-1]["differing"] == 0


def test_a_change_under_way_is_no_drift(mirrored: MakeMirrored) -> None:
    """What is only not written yet is not told as a difference."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    world.platform.script = lambda asked: DOWN if asked.method == "PUT" else None
    world.shop("p2", "ann", "10.00")
    world.work()
    world.do("compare_mirror", connection="cards")
    world.work()
    assert world.comparisons()[-1]["differing"] == 0
    world.platform.script = lambda asked: None
    world.later(hours=1)
    assert world.platform.there["ann"]["fields"]["POINTS"] == "20"


def test_a_mirror_that_is_new_or_other_shows_everybody_at_once(mirrored: MakeMirrored) -> None:
    """Members of long ago are shown without having done anything, and so is a field that hub.yaml names later."""
    world = mirrored(connections=MIRRORED.replace(f", mirror: {FIELDS}", ""))
    for who in ("ann", "bob"):
        world.platform.give(who)
        world.shop(f"p-{who}", who, "10.00")
    world.work()
    assert world.platform.writes() == [] and world.rows("SELECT * FROM mirror") == []
    world.restart(edit=lambda: world.configure(connections=MIRRORED.replace(FIELDS, "{balance: POINTS}")))
    world.work()
    assert world.platform.there["bob"]["fields"] == {"POINTS": "10"}
    assert world.comparisons()[-1]["differing"] == 0
    world.restart(edit=lambda: world.configure(connections=MIRRORED))
    world.work()
    assert world.platform.there["ann"]["fields"]["TIER"] == "Bronze"
    world.restart(edit=lambda: world.configure(connections=MIRRORED.replace(f", mirror: {FIELDS}", "")))
    world.shop("p3", "ann", "10.00")
    world.work()
    assert world.platform.there["ann"]["fields"]["POINTS"] == "10"


def test_several_go_as_one_and_one_that_is_refused_spoils_none(mirrored: MakeMirrored) -> None:
    """Reads and writes in batches; who cannot be read is tried alone, then held; the comparison goes on."""
    world = mirrored(connections=SEVERAL)
    names = [f"c{number}" for number in range(7)]
    for who in names:
        world.platform.give(who)
        world.shop(f"p-{who}", who, "10.00")
    world.take_in()
    world.work()
    reads = [len(asked.body["cards"]) for asked in world.platform.asked if asked.path == "/desk/read"]
    writes = [len(asked.body["cards"]) for asked in world.platform.asked if asked.path == "/desk/write"]
    assert max(reads) == 3 and max(writes) == 3
    assert world.platform.there["c6"]["fields"]["POINTS"] == "10"
    world.platform.refused["c3"] = "locked"
    world.platform.there["c5"]["fields"]["POINTS"] = "11"
    world.do("compare_mirror", connection="desk")
    world.work()
    last = world.comparisons("desk")[-1]
    assert (last["compared"], last["differing"], last["repaired"], last["failing"]) == (6, 1, 1, 1)
    assert [call["state"] for call in world.calls("several_fields")] == ["held"]


def test_what_the_hub_wrote_itself_does_not_come_back_as_news(mirrored: MakeMirrored) -> None:
    """The platform tells of the change: the numbers become no attributes, and nothing is written again."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    asked = len(world.platform.asked)
    card = {**world.platform.there["ann"], "fields": {"POINTS": "10", "colour": "red"}}
    world.deliver("cards", "card", {"version": "1", "card": card})
    world.work()
    member = world.one("SELECT attributes FROM member WHERE email = 'ann@example.com'")
    assert member["attributes"] == '{"colour": "red"}'
    assert len(world.platform.writes()) == 1
    assert len(world.platform.asked) <= asked + 1


def test_a_comparison_is_one_at_a_time_and_says_what_can_be_compared(mirrored: MakeMirrored) -> None:
    """A second one is refused while one is under way."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/cards") else None
    world.do("compare_mirror", connection="cards")
    world.work()
    with pytest.raises(HubError, match="is being compared since"):
        world.do("compare_mirror", connection="cards")
    with pytest.raises(HubError, match="there are: `cards`"):
        world.do("compare_mirror", connection="till")
    world.platform.script = lambda asked: None
    world.later(hours=1)
    assert world.comparisons()[-1]["compared"] == 1


def test_a_platform_that_is_down_all_night_ends_its_comparison(mirrored: MakeMirrored) -> None:
    """After a day of trying a person sees the look; the next night begins anew."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    world.platform.script = lambda asked: DOWN if asked.path.startswith("/cards") else None
    world.do("compare_mirror", connection="cards")
    world.later(days=3)
    broken = next(one for one in world.comparisons() if one["note"])
    assert "out of order" in broken["note"]
    world.platform.script = lambda asked: None
    world.later(days=1)
    assert world.comparisons()[-1]["compared"] == 1
    assert [call for call in world.calls() if call["kind"] == "look"] == []


def test_a_comparison_leaves_the_platform_time_for_others(mirrored: MakeMirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than half of what a platform allows is asked for."""
    monkeypatch.setattr(cards, "rate", rate("1 per 10 seconds"))
    world = mirrored(connections=MIRRORED.replace(f", mirror: {FIELDS}", ""))
    for who in ("ann", "bob", "cat"):
        world.shop(f"p-{who}", who, "10.00")
    world.work()
    world.restart(edit=lambda: world.configure(connections=MIRRORED))
    moments = []
    while world.comparisons() == [] or world.comparisons()[0]["finished_at"] is None:
        before = len(world.platform.asked)
        world.work()
        moments += [world.clock.now()] * (len(world.platform.asked) > before)
        world.clock.move_to(world.worker.next_due())
    assert [later - sooner for sooner, later in pairwise(moments)] == [timedelta(seconds=20)] * 2


def test_the_owner_hears_of_much_drift_and_of_its_end(mirrored: MakeMirrored) -> None:
    """A few are put right without a word; a dozen mean that somebody else writes into our field."""
    owner = 'owner: {phone: "+14155550100", through: letters.send_safe}\n'
    world = mirrored(connections=MIRRORED + owner)
    names = [f"c{number:02}" for number in range(12)]
    for who in names:
        world.platform.give(who)
        world.shop(f"p-{who}", who, "10.00")
    world.work()
    for spoilt, told in ((names[:10], 0), (names, 1)):
        for who in spoilt:
            world.platform.there[who]["fields"]["POINTS"] = "9999"
        world.do("compare_mirror", connection="cards")
        world.work()
        world.later(minutes=5)
        assert len([text for _, text in world.platform.sent if "12 members" in text]) == told
    world.later(days=1)
    assert "Cards shows the right numbers again" in world.platform.sent[-1][1].replace("cards", "Cards")


def test_a_restored_hub_is_compared_at_once(mirrored: MakeMirrored) -> None:
    """What the platform shows may be newer than the backup."""
    world = mirrored()
    world.platform.give("ann")
    world.shop("p1", "ann", "10.00")
    world.work()
    world.platform.there["ann"]["fields"]["POINTS"] = "25"
    with world.hub.store.write() as session:
        forget_the_past(session, "2026-03-02", hold_calls=True)
    world.restart()
    world.work()
    assert world.platform.there["ann"]["fields"]["POINTS"] == "10"
