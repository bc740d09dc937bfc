"""What facts do by themselves: whom they are about, commands by SMS, consent and activity."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.programme import Programme
from hub.programme.arrival import joined, take_note, whose
from hub.programme.consent import CONSENTS
from hub.programme.facts import ClaimAnswered, PointsAwarded
from hub.programme.messages import recognise
from hub.sdk.fact import Customer, Fact
from hub.sdk.facts import (
    Booking,
    CustomerChanged,
    CustomersMerged,
    MessageReceived,
    RedemptionRequested,
    Refund,
    Sale,
    Unsubscribed,
)

AT = datetime(2026, 3, 10, 18, tzinfo=UTC)
PHONE = "+14155550123"


class Parcel(Fact):
    """A connector's own fact, which is no reason to join."""

    fact = "parcel"
    makes_member = False


def message(text: str, **more: Any) -> MessageReceived:
    return MessageReceived(message_id="msg_1", address=PHONE, text=text, **more)


def admit(shop: Any, fact: Any) -> Any:
    with shop.unit() as unit:
        return whose(shop.roll(unit), fact, "twilio", AT, cause="evt_1")


def note(shop: Any, fact: Any, member_id: str | None, claim: Any = None) -> None:
    with shop.step(member_id, fact) as work:
        take_note(work, claim or (lambda code, member: "unknown"))


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        ("BALANCE", "balance", ""),
        ("  balance?  ", "balance", ""),
        ("Redeem oil change", "redeem", "oil change"),
        ("REDEEM", "redeem", ""),
        ("claim: ab-42.", "claim", "ab-42"),
        ("join", "join", ""),
        ("Join please", "join", "please"),
        ("stop", "stop", ""),
        ("STOP.", "stop", ""),
        ("Stop texting me", "stop", ""),
        ("unsubscribe me now", "stop", ""),
        ("Cancel", "stop", ""),
        ("Cancel my booking", "", ""),
        ("Yes", "start", ""),
        ("Yes, ten is fine", "", ""),
        ("help", "help", ""),
        ("help yourself", "", ""),
        ("What is my balance", "", ""),
        ("", "", ""),
        ("?!", "", ""),
    ],
)
def test_commands_are_recognised_in_what_people_write(shop: Any, text: str, command: str, argument: str) -> None:
    """Any case, with full stops and politeness; sentences that only begin like a carrier's word are left alone."""
    found = recognise(message(text), shop.programme)
    assert (found.command, found.argument) == (command, argument)


def test_the_programmes_own_words_count(shop: Any) -> None:
    """A word of several parts is a whole message."""
    own = Programme.model_validate({**shop.programme.model_dump(), "commands": {"balance": ["MY  points", "KONTO"]}})
    assert recognise(message("my points"), own).command == "balance"
    assert recognise(message("konto bitte"), own).command == "balance"
    assert recognise(message("BALANCE"), own).command == ""


def test_join_makes_a_member_who_may_be_written_to(shop: Any) -> None:
    """JOIN enrols the number that wrote and is its consent."""
    fact = recognise(message("JOIN"), shop.programme)
    found = admit(shop, fact)
    assert found.created
    assert joined(shop.member(found.member_id), AT).tier == "Bronze"
    note(shop, fact, found.member_id)
    assert shop.member(found.member_id).phone == PHONE
    with shop.unit() as unit:
        assert unit.get(CONSENTS, ("sms", PHONE)).status == "granted"


@pytest.mark.parametrize(
    "fact",
    [
        message("Are you open?"),
        message("STOP", command="stop"),
        Refund(amount="5", currency="USD", refund_id="r1", customer=Customer(email="ada@example.com")),
        Unsubscribed(channel="email", address="ada@example.com", customer=Customer(email="ada@example.com")),
        CustomerChanged(customer=Customer(id="C1"), deleted=True),
        CustomersMerged(customer=Customer(id="C1"), merged_ids=("C2",)),
        Sale(amount="5", currency="USD"),
        Sale(amount="5", currency="USD", customer=Customer(first_name="Ada")),
        Parcel(customer=Customer(email="ada@example.com")),
    ],
)
def test_not_every_fact_is_a_reason_to_join(shop: Any, fact: Any) -> None:
    """A stranger's message, a refund or an unsubscription makes nobody a member."""
    found = admit(shop, fact)
    assert found == (None, False)


def test_who_is_known_is_found_by_such_facts(shop: Any) -> None:
    """They do find the member who is there."""
    ada = shop.join(phone=PHONE)
    assert admit(shop, message("Are you open?")).member_id == ada.id


def test_the_hubs_own_facts_are_about_their_member(shop: Any) -> None:
    """They carry the member's id."""
    ada = shop.join()
    fact = PointsAwarded(member_id=ada.id, key="k", points=1, balance=1, lifetime_points=1)
    assert admit(shop, fact).member_id == ada.id
    assert admit(shop, fact.model_copy(update={"member_id": ""})).member_id is None


def test_stop_is_heeded_even_from_a_stranger(shop: Any) -> None:
    """No member is needed to opt out."""
    note(shop, message("STOP", command="stop"), None)
    with shop.unit() as unit:
        assert unit.get(CONSENTS, ("sms", PHONE)).status == "withdrawn"


def test_redeem_becomes_a_request_for_a_reward(shop: Any) -> None:
    """What they wrote after REDEEM is the reward; the request is known by the message."""
    ada = shop.join(phone=PHONE)
    note(shop, message("REDEEM oil change", command="redeem", argument="oil change"), ada.id)
    (request,) = shop.heard(RedemptionRequested)
    assert (request.reward, request.channel, request.request_id) == ("oil change", "sms", "square:msg_1")


@pytest.mark.parametrize(("argument", "outcome"), [("ab42", "attached"), ("zz", "unknown"), ("", "unknown")])
def test_claim_hands_the_code_to_the_engine_and_tells_what_came_of_it(shop: Any, argument: str, outcome: str) -> None:
    """The engine knows the unclaimed sales; the answer is a fact for recipes."""
    ada = shop.join(phone=PHONE)
    asked: list[tuple[str, str]] = []

    def claim(code: str, member_id: str) -> str:
        asked.append((code, member_id))
        return "attached" if code == "ab42" else "unknown"

    note(shop, message("CLAIM", command="claim", argument=argument), ada.id, claim)
    (answer,) = shop.heard(ClaimAnswered)
    assert (answer.outcome, answer.member_id) == (outcome, ada.id)
    assert asked == ([(argument, ada.id)] if argument else [])


@pytest.mark.parametrize(
    ("fact", "moves"),
    [
        (Sale(amount="0", currency="USD"), True),
        (Booking(booking_id="b", status="completed"), True),
        (Booking(booking_id="b", status="cancelled"), False),
        (message("BALANCE", command="balance"), False),
    ],
)
def test_what_ends_a_silence(shop: Any, fact: Any, moves: bool) -> None:
    """Buying and visiting do, writing and cancelling do not."""
    ada = shop.join(phone=PHONE)
    note(shop, fact, ada.id)
    assert (shop.member(ada.id).last_activity_at is not None) == moves


def test_a_platforms_tags_and_attributes_arrive(shop: Any) -> None:
    """Customer changed brings its tags to the member."""
    ada = shop.join()
    note(shop, CustomerChanged(customer=Customer(email="ada@example.com"), tags=("fleet",), attributes={"car": "Golf"}), ada.id)
    assert shop.member(ada.id).tags == {"fleet"}
    assert shop.member(ada.id).attributes == {"car": "Golf"}
