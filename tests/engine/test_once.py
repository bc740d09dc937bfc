"""Once, and whose: what becomes of sales and refunds, however and in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from tests.engine.world import POINTS, World, recipe

JOINING = "+14155550101"


def test_a_sale_earns_once(world: World) -> None:
    """The same payment delivered three times, in two batches and after a restart, is one event and one award."""
    for _ in range(2):
        world.pay("p1", "29.33")
    world.work()
    world.restart()
    world.pay("p1", "29.33")
    world.work()
    assert world.balance() == 29
    assert world.states("payment") == ["done"]
    assert world.postings("award") == 1


@pytest.mark.parametrize("make", ["sqlite"], indirect=True)
def test_a_new_sale_asks_nothing_of_what_was_posted_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither postings under its keys, which cannot be there, nor the lots of its member are read: they may be very many.

    On PostgreSQL a sale is admitted first and worked then, so its keys are asked for: somebody may have worked it meanwhile.
    """
    world.pay("p1", "29.33")
    world.work()
    asked: list[str] = []
    with world.hub.store.read() as session:
        kind: Any = type(session)
    rows = kind.rows
    monkeypatch.setattr(kind, "rows", lambda self, query, **values: asked.append(query.name) or rows(self, query, **values))
    world.pay("p2", "10.00")
    world.work()
    assert world.balance() == 39
    assert "balances" in asked
    assert not {"txns_by_key", "open_lots"} & set(asked)


def test_a_sale_that_is_told_and_pulled_earns_once(world: World) -> None:
    """Webhook, poll and backfill of one fact meet in one event."""
    told = {"id": "p1", "amount": "40.00", "at": world.clock.now(), "buyer": {"id": "ann"}}
    world.deliver("till", "payment", told)
    world.platform.payments = [told, {**told, "id": "p2"}]
    world.work()
    world.do("pull", connection="till")
    world.work()
    world.do("pull", connection="till", since="2026-01-01T00:00:00Z")
    world.work()
    assert world.states("payment") == ["done", "done"]
    assert world.balance() == 80


def test_a_newer_content_is_adopted_by_an_event_that_was_not_worked(world: World) -> None:
    """Also where both come in one batch: what is worked is the newest."""
    world.pay("p1", "10.00", None)
    world.work()
    assert world.states("payment") == ["unclaimed"]
    world.pay("p1", "20.00", None)
    world.pay("p1", "30.00", "ann")
    world.pay("p2", "1.00", "ann")
    world.pay("p2", "2.00", "ann")
    world.work()
    assert world.states("payment") == ["done", "done"]
    assert world.balance() == 32


def test_a_newer_content_of_a_worked_event_is_noted_and_earns_nothing(world: World) -> None:
    """Its note says in what the later delivery differs."""
    world.pay("p1", "10.00")
    world.work()
    world.pay("p1", "99.00")
    world.work()
    assert world.balance() == 10
    assert "amount" in world.events("payment")[0]["note"]


def test_what_says_no_time_is_no_news_when_it_is_told_again(world: World) -> None:
    """The hub stamps it when it hears of it; a second hearing, at another time, says nothing else."""
    for _ in range(2):
        world.deliver("till", "revoked", {"id": "r1"})
        world.work()
        world.later(hours=1)
    assert [event["note"] for event in world.events("revoked")] == [""]


def test_a_sale_of_an_unknown_buyer_waits_for_an_update(world: World) -> None:
    """It is kept unclaimed and earns when the platform says who it was."""
    world.pay("p1", "15.00", None)
    world.work()
    assert world.states("payment") == ["unclaimed"]
    world.later(days=2)
    world.pay("p1", "15.00", "ann")
    world.work()
    assert world.states("payment") == ["done"]
    assert world.balance() == 15


def test_a_sale_of_an_unknown_buyer_is_claimed_by_sms(make: Any) -> None:
    """CLAIM and the number on the receipt attach it to whoever wrote; the second one hears that it is taken."""
    answer = recipe(
        "sms-claim",
        "when: hub.claim_answered\ndo:\n  - letters.send_safe: "
        '{to: "{{ member.phone }}", text: "{{ event.code }} {{ event.outcome }}"}\n',
    )
    world = make(POINTS, answer)
    world.pay("p1", "15.00", None, order="o17")
    for sender in (JOINING, "+14155550102"):
        world.write_sms("JOIN", sender)
    world.write_sms("claim O17")
    world.write_sms("CLAIM o17", "+14155550102")
    world.write_sms("CLAIM o18")
    world.work()
    assert world.balance(f"phone:{JOINING}") == 15
    assert world.balance("phone:+14155550102") == 0
    assert sorted(text for _, text in world.platform.sent) == ["O17 attached", "o17 taken", "o18 unknown"]


def test_an_update_that_names_the_order_lets_the_sale_be_claimed_and_refunded_by_it(world: World) -> None:
    """A revision brings its references along."""
    world.pay("p1", "15.00", None)
    world.work()
    world.pay("p1", "15.00", None, order="o17")
    world.write_sms("JOIN")
    world.write_sms("CLAIM o17")
    world.work()
    assert world.balance(f"phone:{JOINING}") == 15
    world.give_back("r1", "15.00", order="o17")
    world.work()
    assert world.balance(f"phone:{JOINING}") == 0


def test_a_refund_that_comes_before_its_sale_waits_for_it(world: World) -> None:
    """It is worked right after the sale, in the sale's lane."""
    world.give_back("r1", "10.00", payment="p1")
    world.work()
    assert world.states("refund") == ["waiting"]
    world.pay("p1", "40.00")
    world.work()
    assert world.states() == ["done", "done"]
    assert world.balance() == 30
    assert world.lifetime() == 30


def test_a_refund_waits_for_the_sale_and_not_for_anything_else_about_the_order(world: World) -> None:
    """Another fact about the same order does not wake it."""
    world.give_back("r1", "40.00", order="o1")
    told = {"id": "a1", "at": world.clock.now(), "order": "o1", "buyer": {"id": "ann"}}
    world.deliver("till", "activity", told)
    world.work()
    assert world.states("refund") == ["waiting"]
    world.pay("p1", "40.00", order="o1")
    world.work()
    assert world.balance() == 0


def test_a_refund_of_an_unclaimed_sale_waits_until_it_is_claimed(world: World) -> None:
    """Whoever claims the purchase gets what is left of it."""
    world.pay("p1", "40.00", None, order="o1")
    world.give_back("r1", "10.00", payment="p1")
    world.work()
    assert world.states("refund") == ["waiting"]
    world.write_sms("JOIN")
    world.write_sms("CLAIM o1")
    world.work()
    assert world.balance(f"phone:{JOINING}") == 30


def test_a_refund_finds_its_own_payment_among_those_of_an_order(world: World) -> None:
    """Where an order was paid in two parts, the refund of one takes back what that one earned."""
    world.pay("p1", "10.00", "ann", order="o1")
    world.pay("p2", "90.00", "bob", order="o1")
    world.give_back("r2", "90.00", payment="p2", order="o1")
    world.work()
    assert (world.balance(), world.balance("id:till:bob")) == (10, 0)


def test_a_refund_of_the_second_payment_waits_for_it(world: World) -> None:
    """It is not laid to the first payment of the same order."""
    world.pay("p1", "10.00", "ann", order="o1")
    world.give_back("r2", "90.00", payment="p2", order="o1")
    world.work()
    assert world.states("refund") == ["waiting"]
    world.pay("p2", "90.00", "bob", order="o1")
    world.work()
    assert (world.balance(), world.balance("id:till:bob")) == (10, 0)


@pytest.mark.parametrize("order", list(permutations(["sale", "10.00", "3.33", "6.67"])))
def test_partial_refunds_in_any_order_take_the_same(world: World, order: Sequence[str]) -> None:
    """What is clawed back depends on what was returned, not on when or in how many parts we hear of it."""
    for what in order:
        if what == "sale":
            world.pay("p1", "99.99")
        else:
            world.give_back(f"r{what}", what, payment="p1")
        world.work()
    assert world.balance() == 99 - 99 * 2000 // 9999


def test_a_refund_takes_back_no_more_than_was_earned(world: World) -> None:
    """A full refund after a partial one, and one too many, come to all of the award."""
    world.pay("p1", "50.00")
    for number, amount in enumerate(["20.00", "30.00", "50.00"]):
        world.give_back(f"r{number}", amount, payment="p1")
    world.work()
    assert world.balance() == 0
    assert world.totals().clawed_back == 50


def test_spent_points_of_a_refunded_sale_become_debt_that_later_awards_repay(world: World) -> None:
    """The member is below zero until they have earned it again."""
    world.pay("p1", "100.00")
    world.work()
    world.do("adjust", member=world.member(), points=-80, reason="a gift")
    world.give_back("r1", "100.00", payment="p1")
    world.work()
    assert world.balance() == -80
    world.pay("p2", "100.00")
    world.work()
    assert world.balance() == 20


def test_an_award_that_comes_after_the_refund_gives_only_what_is_left(make: Any) -> None:
    """A run that slept while the sale was given back does not pay for it."""
    world = make(recipe("later", "when: sale\ndo:\n  - wait: {time: 3 days}\n  - award: {points: event.amount}\n"))
    world.pay("p1", "40.00")
    world.pay("p2", "40.00")
    world.later(days=1)
    world.give_back("r1", "40.00", payment="p1")
    world.give_back("r2", "10.00", payment="p2")
    world.later(days=3)
    assert world.balance() == 30
    world.give_back("r3", "30.00", payment="p2")
    world.work()
    assert world.balance() == 0


def test_a_refund_in_another_currency_than_its_sale_is_parked(world: World) -> None:
    """A person decides what part of the sale it was, adjusts by hand and drops it; the lane goes on."""
    world.pay("p1", "40.00")
    world.give_back("r1", "10.00", payment="p1", currency="EUR")
    world.pay("p2", "5.00")
    world.work()
    assert world.states("payment", "refund") == ["done", "parked", "ready"]
    world.do("drop", id=world.events("refund")[0]["id"], reason="adjusted by hand")
    world.work()
    assert world.states("payment", "refund") == ["done", "done", "done"]
    assert "adjusted by hand" in world.events("refund")[0]["note"]
    assert world.balance() == 45


def test_a_sale_that_was_voided_gives_back_all_that_is_left_of_it(world: World) -> None:
    """Whatever amount and currency are said, and whatever was given back before; a second voiding takes nothing."""
    world.pay("p1", "40.00")
    world.give_back("r1", "10.00", payment="p1")
    world.give_back("v1", 0, payment="p1", currency="EUR", whole=True)
    world.pay("p2", "5.00")
    world.work()
    assert world.balance() == 5
    world.give_back("v2", 0, payment="p1", whole=True)
    world.work()
    assert world.balance() == 5


def test_a_refund_that_names_no_sale_is_its_customers(make: Any) -> None:
    """By itself it takes nothing back, but a recipe may; nobody becomes a member by it, and nobody is asked for."""
    back = recipe("back", "when: refund\ndo:\n  - adjust: {points: 0 - event.amount, reason: Credit memo}\n")
    world = make(POINTS, back)
    world.pay("p1", "40.00")
    world.give_back("r1", "10.00", buyer={"id": "ann"})
    world.give_back("r2", "10.00", buyer={"id": "stranger"})
    world.give_back("r3", "10.00")
    world.work()
    assert world.balance() == 30
    assert world.states("refund") == ["done", "done", "done"]
    assert [bool(event["member_id"]) for event in world.events("refund")] == [True, False, False]


def test_a_foreign_sale_is_parked_until_there_is_a_rate(world: World) -> None:
    """The reason says what to add; with a rate the replay converts, and both amounts are kept."""
    world.pay("p1", "10.00", currency="EUR")
    world.work()
    assert world.states("payment") == ["parked"]
    assert "exchange_rates" in world.events("payment")[0]["note"]
    world.restart(edit=lambda: world.configure(programme="  exchange_rates: {EUR: 1.25}\n"))
    world.do("replay", id=world.events("payment")[0]["id"])
    assert world.balance() == 12
    assert '"currency":"EUR"' in world.events("payment")[0]["data"]
    assert '"base":"12.50"' in world.one("SELECT context FROM txn WHERE kind = 'award'")["context"].replace(": ", ":")


def test_facts_of_two_customers_records_find_the_one_member(world: World) -> None:
    """The till's id and a phone number that writes to us lead to the same balance."""
    world.pay("p1", "10.00", {"id": "ann", "phone": "(415) 555-0101"})
    world.write_sms("JOIN")
    world.pay("p2", "5.00", {"phone": JOINING})
    world.work()
    assert world.balance() == world.balance(f"phone:{JOINING}") == 15
