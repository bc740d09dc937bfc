"""What members have bought: counted with each sale before its recipes are asked, and taken off when it comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.engine.conftest import Make
from tests.engine.test_alike import TWO_TILLS
from tests.engine.world import World, recipe

FIRST = recipe("first", "when: sale\nif: member.purchases == 1\nonce_per: member.id\ndo:\n  - award: {points: 100}\n")
REPEAT = recipe("repeat", "when: sale\nif: member.purchases >= 2\ndo:\n  - award: {points: 10}\n")
BIG = recipe("big", "when: sale\nif: member.spent >= 100\nonce_per: member.id\ndo:\n  - award: {points: 1000}\n")


def bought(world: World, buyer: str = "id:till:ann") -> tuple[int, Decimal]:
    member: Any = world.one("SELECT purchases, spent FROM member WHERE id = :id", id=world.member(buyer))
    return member["purchases"], Decimal(member["spent"]) / 100


def test_first_and_repeat_purchases_are_told_apart(make: Make) -> None:
    """A recipe sees the sale that it works already counted; one told twice counts once."""
    world = make(FIRST, REPEAT)
    for _ in range(2):
        world.pay("p1", "30.00")
    world.work()
    assert world.balance() == 100
    world.pay("p2", "40.50")
    world.pay("p3", "0.00")
    world.work()
    assert world.balance() == 120
    assert bought(world) == (2, Decimal("70.50"))


def test_what_somebody_has_spent_is_a_milestone_once(make: Make) -> None:
    """The sale that reaches it counts itself."""
    world = make(BIG)
    for number, amount in enumerate(("60.00", "39.99", "0.01", "500.00")):
        world.pay(f"p{number}", amount)
        world.work()
        assert world.balance() == (0 if number < 2 else 1000)


def test_what_comes_back_is_taken_off(make: Make) -> None:
    """A part of the money leaves the purchase; all of it, in however many refunds, takes it off once."""
    world = make(FIRST)
    world.pay("p1", "30.00")
    world.pay("p2", "12.00")
    world.give_back("r1", "10.00", payment="p1")
    world.work()
    assert bought(world) == (2, Decimal("32.00"))
    world.give_back("r2", "20.00", payment="p1")
    world.give_back("r3", "5.00", payment="p1")
    world.work()
    assert bought(world) == (1, Decimal("12.00"))


def test_money_of_another_currency_counts_by_its_rate(make: Make) -> None:
    """Without a rate the purchase counts and its money does not: no recipe waits for a number that nobody asked for."""
    world = make(recipe("nothing", "when: review\ndo:\n  - award: {points: 1}\n"), programme="  exchange_rates: {EUR: 1.10}\n")
    world.pay("p1", "10.00", currency="EUR")
    world.pay("p2", "10.00", currency="CHF")
    world.work()
    assert world.states("payment") == ["done", "done"]
    assert bought(world) == (2, Decimal("11.00"))


def test_a_sale_that_finds_its_buyer_later_counts_then(make: Make) -> None:
    """Unclaimed, it is nobody's purchase."""
    world = make(FIRST)
    world.pay("p1", "30.00", None)
    world.work()
    world.pay("p1", "30.00")
    world.work()
    assert bought(world) == (1, Decimal("30.00"))
    assert world.balance() == 100


def test_one_piece_of_business_is_one_purchase(make: Make) -> None:
    """Two platforms that name one order, and several payments of one: it counts once, with the money that was paid once."""
    world = make(FIRST, REPEAT, connections=TWO_TILLS)
    ann = {"id": "ann", "email": "ann@example.com"}
    world.pay("p1", "80.00", ann, order="o1")
    there = {"id": "i9", "amount": "80.00", "at": world.clock.now(), "buyer": {**ann, "id": "c-7"}}
    world.deliver("books", "payment", {**there, "order": "o1", "order_of": "till"})
    world.pay("p2", "20.00", ann, order="o1")
    world.work()
    assert bought(world) == (1, Decimal("100.00"))
    world.deliver("books", "refund", {"id": "r9", "amount": "80.00", "at": world.clock.now(), "payment": "i9"})
    world.work()
    assert bought(world) == (1, Decimal("100.00"))
    world.give_back("r1", "80.00", payment="p1")
    world.work()
    assert bought(world) == (0, Decimal("20.00"))
