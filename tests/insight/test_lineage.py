"""Lineage: "why 37?" and "why nothing?", asked of a hub that has worked real deliveries."""

import hashlib
import json

import pytest

from hub.insight.stories import EventStory, MemberStory, Moved, Unheard
from hub.sdk.request import Answer

BONUS = """\
recipe: bonus
when: sale
do:
  - award: {rate: 1, multiply: 1.5, bonus: 3, cap: 40, reason: "Order {{ event.order_id }}"}
    if: event.amount > 1
"""

THANKS = """\
recipe: thanks
when: hub.points_redeemed
do:
  - award: {points: 1, reason: "Thanks for coming"}
"""

PATIENT = """\
recipe: patient
when: sale
do:
  - wait: {time: 3 days}
  - award: {points: 5}
"""


def _version(shop, name):
    return hashlib.sha256((shop.folder / "recipes" / name).read_bytes()).hexdigest()[:12]


def _event(shop, what):
    """The oldest event that is about it."""
    story = shop.find(what)[0]
    assert isinstance(story, EventStory)
    return story


def _member(shop, what="pay_1042"):
    (story,) = shop.find(_event(shop, what).heard.member_id)
    assert isinstance(story, MemberStory)
    return story


# Why 37?


def test_points_are_told_from_their_delivery_to_their_lot(shop):
    """The delivery, the event, the recipe with its version and line, the condition, the exact value, and the lot."""
    shop.sale("1042", "37.50")
    (moved,) = _event(shop, "pay_1042").moved
    assert isinstance(moved, Moved)
    assert moved.heard.delivery_id in shop.bodies([moved.heard.delivery_id])
    rule = moved.rule
    assert (rule.recipe, rule.version, rule.step, rule.line) == ("purchase", _version(shop, "r0.yaml"), 1, 6)
    assert (rule.condition, rule.inputs["points"]) == ("event.amount >= 10", "event.amount")
    told = shop.why(moved.line.txn_id)
    for part in (
        "+37 points on 2026-02-06: “Order 1042” earned",
        "Sale of 37.50 USD (payment pay_1042, order 1042)",
        moved.heard.delivery_id,
        moved.heard.id,
        f"version {rule.version}, step 1 (recipes/r0.yaml:6), says award `points: event.amount`",
        "its condition `event.amount >= 10` held",
        "came 37.5 points; rounded down that is 37",
        f"{moved.line.lot.id}, good through 2026-03-08; all of the 37 are left",
    ):
        assert part in told


def test_multiplier_bonus_and_cap_are_told(open_shop):
    """What was multiplied, what was added, what a cap took away: worked out by hand."""
    shop = open_shop(BONUS)
    shop.sale("1042", "33.33")
    told = shop.why("1042")
    assert "33.33 × 1.5 + 3 = 52.995 points; rounded down that is 52." in told
    assert "A cap brought 52 down to 40." in told
    assert "its condition `event.amount > 1` held" in told


def test_awards_of_one_group_are_told_together(open_shop):
    """Two awards of one group are one sum; each says what it brought of it."""
    base = "recipe: a-base\nwhen: sale\ndo:\n  - award: {rate: 1, group: shop, reason: Base}\n"
    double = "recipe: b-double\nwhen: sale\ndo:\n  - award: {multiply: 2, group: shop, reason: Double}\n"
    shop = open_shop(base, double)
    shop.sale("1042", "10.75")
    told = shop.why("1042")
    assert "It came to +21 points." in told
    assert "came 10.75 points; rounded down that is 10. All awards of the group `shop` came to 10 points together" in told
    assert "came 21.5 points; rounded down that is 21. All awards of the group `shop` came to 21 points together" in told
    assert "this one brought 11 of them" in told


def test_what_became_of_points_is_told(shop):
    """What was spent of a lot, taken back and expired stands with the award, each with its transaction."""
    shop.sale("1042", "37.50")
    shop.tell("redemption_requested", "rq1", reward="wash", customer={"id": "c_7"})
    shop.tell("refund", "ref_1", amount="7.50", currency="USD", payment_id="pay_1042")
    shop.later(days=40)
    (moved,) = _event(shop, "pay_1042").moved
    assert [(one.kind, one.points) for one in moved.later] == [("redeem", -20), ("clawback", -7), ("expire", -10)]
    told = shop.why(moved.line.lot.id)
    assert "none of the 37 are left" in told
    for said, later in zip(("20 spent", "7 taken back", "10 expired"), moved.later, strict=True):
        assert f"Later {said} on" in told
        assert later.txn_id in told


def test_what_was_spent_says_where_it_was_earned(shop):
    """A redemption names the awards that its points came from, the one that expires first in full."""
    shop.sale("1", "15")
    shop.later(days=1)
    shop.sale("2", "15")
    shop.tell("redemption_requested", "rq1", reward="wash", customer={"id": "c_7"})
    told = shop.why("rq1")
    assert "-20 points" in told
    assert "They came from 15 of “Order 1” and 5 of “Order 2”." in told


def test_a_refund_says_what_part_it_takes(shop):
    """The refund's own story says what was given back in all and what that takes; a full one takes the rest."""
    shop.sale("1042", "37.50")
    shop.tell("refund", "ref_1", amount="7.50", currency="USD", payment_id="pay_1042")
    shop.tell("refund", "ref_2", amount="30.00", currency="USD", order_id="1042")
    assert "It came to -7 points." in shop.why("ref_1")
    assert "37.50 of 37.50 have been given back in all, which takes 37 points back in all." in shop.why("ref_2")


def test_a_debt_that_an_award_repaid_is_told(shop):
    """Points that repaid a debt are not in the lot, and the award says so."""
    shop.sale("1", "25")
    shop.tell("redemption_requested", "rq1", reward="wash", customer={"id": "c_7"})
    shop.tell("refund", "ref_1", amount="25.00", currency="USD", payment_id="pay_1")
    assert "has -20 points. -20 = 0 - 20 owed." in shop.why(_event(shop, "pay_1").heard.member_id)
    shop.sale("2", "30")
    told = shop.why("pay_2")
    assert "20 of them repaid a debt." in told
    assert "all of the 10 are left" in told


def test_a_fact_of_the_hub_leads_back_to_what_caused_it(open_shop):
    """Points for a fact that the hub told itself are told down to the delivery."""
    shop = open_shop(BONUS, THANKS, "recipe: spend\nwhen: redemption_requested\ndo:\n  - redeem: {points: 2}\n")
    shop.sale("1042", "10")
    shop.tell("redemption_requested", "rq1", customer={"id": "c_7"})
    thanks = next(moved for moved in _member(shop).holding if moved.line.source.recipe == "thanks")
    told = shop.why(thanks.line.txn_id)
    assert thanks.heard.cause.id == _event(shop, "rq1").heard.id
    assert "Points redeemed" in told
    assert "It arose from this: Redemption requested (rq1)" in told
    assert thanks.heard.cause.delivery_id in told


def test_a_members_points_add_up(shop):
    """The balance is what is left of each credit, less what is owed; every credit is told."""
    for day, amount in enumerate(("37.50", "12", "99.99")):
        shop.sale(str(day), amount)
        shop.later(days=1)
    shop.tell("redemption_requested", "rq1", reward="wash", customer={"id": "c_7"})
    story = _member(shop, "pay_0")
    assert story.balance.spendable == sum(one.line.lot.left for one in story.holding) == 37 + 12 + 99 - 20
    assert story.sums == {"award": 148, "redeem": -20}
    told = shop.why(story.member_id)
    assert "Ada Ng" in told
    assert "128 = 17 of “Order 0” + 12 of “Order 1” + 99 of “Order 2”." in told


def test_a_recipe_is_told_as_it_was(shop):
    """An edit does not change what is told of points that were given before it."""
    shop.sale("1042", "37.50")
    before = shop.why("1042")
    (shop.folder / "recipes" / "r0.yaml").write_text("recipe: purchase\nwhen: sale\ndo:\n  - award: {points: 1}\n")
    assert shop.why("1042") == before


# Why nothing?


def test_a_condition_that_did_not_hold_is_told(shop):
    """The part of the condition that failed, with the value that stood there."""
    shop.sale("1042", "5.00")
    told = shop.why("1042")
    assert "It earned nothing." in told
    assert f"Recipe purchase, version {_version(shop, 'r0.yaml')}, did nothing: event.amount >= 10 (was 5.00)." in told


def test_an_order_that_earned_before_is_told(shop):
    """A second payment of one order earns nothing, and the event that did earn is named."""
    shop.sale("1042", "37.50")
    first = _event(shop, "pay_1042").heard.id
    shop.tell("sale", "pay_b", amount="37.50", currency="USD", order_id="1042", customer={"id": "c_7"})
    assert len(shop.find("1042")) == 2
    told = shop.why("pay_b")
    assert "It earned nothing." in told
    assert f"1042 was used by {first}" in told


def test_an_award_that_came_to_nothing_is_told(open_shop):
    """A run whose award was rounded to nothing shows it at its step."""
    shop = open_shop("recipe: few\nwhen: sale\ndo:\n  - award: {points: event.amount / 100}\n")
    shop.sale("1042", "5.00")
    assert "It earned nothing. Recipe few" in shop.why("1042")
    assert "step 1, award: nothing." in shop.why("1042")


def test_a_sale_without_a_buyer_is_unclaimed(shop):
    """It says how it can be claimed, and by which code."""
    shop.sale("1042", "37.50", customer=None)
    told = shop.why("1042")
    assert "It is unclaimed, so it has earned nothing yet" in told
    assert "the SMS CLAIM 1042" in told


def test_a_refund_before_its_sale_waits(shop):
    """It says for what it waits."""
    shop.tell("refund", "ref_1", amount="5", currency="USD", payment_id="pay_1042")
    assert "It waits: what it refers to has not come yet: payment pay_1042." in shop.why("ref_1")


def test_a_parked_event_and_what_waits_behind_it(shop):
    """A sale in another currency is parked; the member's next sale names it, and so does the member's story."""
    shop.sale("1041", "20")
    shop.tell("sale", "pay_1042", amount="37.50", currency="EUR", order_id="1042", customer={"id": "c_7"})
    shop.sale("1043", "20")
    parked = _event(shop, "pay_1042").heard
    assert f"`hub replay {parked.id}`" in shop.why("1042")
    assert "EUR" in shop.why("1042")
    assert f"It waits behind event {parked.id}" in shop.why("1043")
    assert f"What came after waits behind event {parked.id}" in shop.why(parked.member_id)


def test_a_held_run_says_where_it_stands(shop):
    """A call that cannot be done holds its run: the step, its line, the reason, and how to go on."""
    shop.replies[:] = [Answer(410)]
    shop.sale("1042", "37.50")
    (run,) = _event(shop, "1042").runs
    told = shop.why(run.id)
    assert "It came to +37 points." in told
    assert "It is held before step 2 at line 10" in told
    assert "410" in told
    assert f"`hub replay {run.id}`" in told
    assert "shop.send_webhook is held" in told


def test_a_waiting_run_says_until_when(open_shop):
    """A run that waits for a time says which."""
    shop = open_shop(PATIENT)
    shop.sale("1042", "37.50")
    assert "It earned nothing. Recipe patient" in shop.why("1042")
    assert "It waits at step 1 at line 4 until 2026-02-09 12:00." in shop.why("1042")


def test_a_fact_that_nobody_listens_to(shop):
    """It says that no recipe listened."""
    shop.tell("review", "rev_1", rating=5, customer={"id": "c_7"})
    assert "No enabled recipe listened to shop.review or `review`" in shop.why("rev_1")


def test_an_event_that_is_not_worked_yet(shop):
    """A delivery that waits in the inbox, and one that is known already, make no event."""
    body = json.dumps(
        {"type": "sale", "id": "p", "data": {"amount": "20", "currency": "USD", "customer": {"id": "c"}}}
    ).encode()
    shop.post(body)
    shop.hub.settle()
    again = shop.post(body)
    shop.hub.settle()
    assert again.outcome
    (first, second) = shop.hub.inbox.after(0, 10)
    assert isinstance(shop.find(first.id)[0], EventStory)
    assert "what it tells was known already" in shop.why(second.id)


def test_a_delivery_that_could_not_be_read_is_found_by_what_it_speaks_of(shop):
    """Asked for the order in a delivery that is unreadable, the reason and the way to replay it are told."""
    shop.post(b'{"type": "sale", "id": "pay_9", "data": {"order_id": "1042"}}')
    shop.hub.settle()
    (unheard,) = shop.find("1042")
    assert isinstance(unheard, Unheard)
    assert (unheard.state, unheard.connection) == ("unreadable", "shop")
    told = shop.why("1042")
    assert "`data.amount` is missing" in told
    assert f"`hub replay {unheard.id}`" in told
    assert shop.why(unheard.id) == told
    for another in ("104", "042", " "):
        assert shop.find(another) == ()


@pytest.mark.parametrize(
    "what", ["", "1042", "evt_1", "txn_1", "lot_1", "run_1", "mem_1", "dlv_1", "'; DROP TABLE event", "%", "é"]
)
def test_what_nobody_knows_has_no_story(shop, what):
    """Whatever is asked, an unknown thing has no story."""
    shop.sale("77", "37.50")
    assert shop.find(what) == ()


# What goes out with it


def test_a_recipe_tells_the_shop_what_it_did(shop):
    """The data of `send_webhook` goes out with the types that its expressions have; exact amounts are text."""
    shop.sale("1042", "37.50")
    (call,) = shop.play.calls
    sent = json.loads(call.body)
    assert (call.url, sent["type"]) == ("https://shop.example.com/points", "points.earned")
    assert sent["data"] == {"points": 37, "order": "1042", "amount": "37.50"}


def test_a_repeated_attempt_hours_later_carries_the_same_id(shop):
    """The outbox's later attempt is the same message to the receiver, signed at its own time."""
    shop.replies[:] = [Answer(503), Answer(503), Answer(503), Answer(204)]
    shop.sale("1042", "37.50")
    shop.later(hours=5)
    assert len(shop.play.calls) == 4
    assert len({call.headers["webhook-id"] for call in shop.play.calls}) == 1
    stamps = [int(call.headers["webhook-timestamp"]) for call in shop.play.calls]
    assert stamps[3] - stamps[0] == 5 * 3600
