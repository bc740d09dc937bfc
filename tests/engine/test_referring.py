"""Referrals: by whom somebody was brought, and what that is worth to both."""

from __future__ import annotations

from typing import Any

from tests.engine.conftest import Make
from tests.engine.world import World, recipe

CODE = recipe(
    "code",
    "when: customer_changed\n"
    "do:\n"
    "  - referral_code: {}\n"
    "    as: mine\n"
    '  - set_attribute: {name: code, value: "{{ mine.code }}"}\n',
)
WELCOME = recipe("welcome", "when: hub.member_joined\nif: member.referred_by != none\ndo:\n  - award: {points: 20}\n")
JOINED = recipe("joined", "when: hub.friend_joined\ndo:\n  - award: {points: 5}\n")
BOUGHT = recipe("bought", "when: hub.friend_bought\ndo:\n  - award: {points: event.amount}\n")
ALL = (CODE, WELCOME, JOINED, BOUGHT)
ANN, BOB = "id:till:ann", "id:till:bob"


def code_of(world: World, buyer: str = "ann") -> str:
    """Makes them a member, and gives their code."""
    world.customer(f"v{world.number()}", id=buyer)
    world.work()
    member: Any = world.one("SELECT attributes FROM member WHERE id = :id", id=world.member(f"id:till:{buyer}"))
    return str(member["attributes"]).split('"')[3]


def bring(world: World, **more: Any) -> None:
    told = {"id": f"b{world.number()}", "at": world.clock.now(), "buyer": {"id": "bob"}, **more}
    world.deliver("till", "brought", told)
    world.work()


def test_a_code_is_the_members_own_and_stays_the_same(make: Make) -> None:
    """Two members have two; asked again it is no other; it has no letters that are taken for one another."""
    world = make(CODE)
    codes = [code_of(world), code_of(world, "bob"), code_of(world)]
    assert codes[0] == codes[2] != codes[1]
    assert all(len(code) == 6 and not set(code) & set("01ILO") for code in codes)


def test_a_friend_who_is_brought_counts_once_for_who_brought_them(make: Make) -> None:
    """By the code, however it is written, or by name; both are told, and a second time changes nothing."""
    world = make(*ALL)
    code = code_of(world)
    bring(world, code=f" {code[:3].lower()}-{code[3:]} ")
    assert (world.balance(ANN), world.balance(BOB)) == (5, 20)
    bring(world, by={"id": "ann"})
    assert (world.balance(ANN), world.balance(BOB)) == (5, 20)
    world.pay("p1", "30.00", "bob")
    world.pay("p2", "30.00", "bob")
    world.work()
    assert world.balance(ANN) == 35


def test_join_with_a_code_brings_somebody_by_sms(make: Make) -> None:
    """JOIN and the code; with politeness instead it is a plain JOIN."""
    world = make(*ALL)
    code = code_of(world)
    world.write_sms("join please", "+14155550102")
    world.write_sms(f"JOIN {code}", "+14155550103")
    world.work()
    assert (world.balance("phone:+14155550102"), world.balance("phone:+14155550103")) == (0, 20)
    assert world.balance(ANN) == 5


def test_who_cannot_be_brought(make: Make) -> None:
    """Oneself, a customer already, or by somebody whom nobody knows; the fact is worked all the same."""
    world = make(*ALL)
    code = code_of(world)
    bring(world, code=code, buyer={"id": "ann"})
    world.pay("p1", "10.00", "bob")
    world.work()
    bring(world, code=code)
    bring(world, code="NOBODY", buyer={"id": "cy"})
    bring(world, by={"id": "nobody"}, buyer={"id": "cy"})
    assert [world.balance(f"id:till:{who}") for who in ("ann", "bob", "cy")] == [0, 0, 0]
    assert world.states("brought") == ["done"] * 4


def test_a_first_purchase_that_comes_back_is_not_told_again(make: Make) -> None:
    """The next one is the first again for the friend; who brought them had their thanks."""
    world = make(*ALL)
    bring(world, code=code_of(world))
    world.pay("p1", "30.00", "bob")
    world.give_back("r1", "30.00", payment="p1")
    world.pay("p2", "50.00", "bob")
    world.work()
    assert world.balance(ANN) == 35
    assert world.states("payment") == ["done", "done"]
