"""Who may be written to: what counts as yes and no, and what the gate lets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.programme import Programme, consent
from hub.programme.consent import Allowed, Blocked
from hub.programme.members import queries
from hub.sdk.fact import Customer
from hub.sdk.facts import MessageReceived, Sale, Subscribed, Unsubscribed
from hub.store import NoRows, Unit

AT = datetime(2026, 3, 10, 18, tzinfo=UTC)
PHONE = "+14155550123"


def say(shop: Any, status: Any, source: str, minutes: int = 0) -> bool:
    with shop.unit() as unit:
        at = AT + timedelta(minutes=minutes)
        return consent.record(unit, "sms", PHONE, status, source=source, at=at, now=AT, evidence="evt_1")


def gate(shop: Any, channel: str = "sms", address: str = PHONE, *, own: bool = False) -> Allowed | Blocked:
    with shop.store.read() as session:
        return consent.gate(session, channel, address, shop.programme, answers_own_request=own)


def history(shop: Any) -> list[tuple[str, str]]:
    with shop.store.read() as session:
        rows = session.rows(queries.consent_history, channel="sms", address=PHONE)
    return [(row["status"], row["source"]) for row in rows]


def test_sms_needs_a_yes_and_email_heeds_a_no(shop: Any) -> None:
    """Nothing is known: SMS is blocked with the reason, e-mail goes out, an answer to their own request too."""
    blocked = gate(shop)
    assert isinstance(blocked, Blocked)
    assert "opt-in" in blocked.reason
    assert isinstance(gate(shop, "email", "ada@example.com"), Allowed)
    assert isinstance(gate(shop, own=True), Allowed)


def test_a_yes_opens_the_gate_for_that_address_on_that_channel_alone(shop: Any) -> None:
    """However the number is written; another number and another channel stay closed."""
    assert say(shop, "granted", "join")
    assert isinstance(gate(shop, address="(415) 555-0123"), Allowed)
    assert isinstance(gate(shop, address="+14155550199"), Blocked)
    assert isinstance(gate(shop, "whatsapp"), Blocked)


def test_nothing_passes_a_stop(shop: Any) -> None:
    """Not even an answer to their own request; START opens the gate again."""
    say(shop, "granted", "join")
    say(shop, "withdrawn", "stop", 1)
    for own in (False, True):
        assert isinstance(gate(shop, own=own), Blocked)
    say(shop, "granted", "start", 2)
    assert isinstance(gate(shop), Allowed)
    assert history(shop) == [("granted", "join"), ("withdrawn", "stop"), ("granted", "start")]


def test_a_till_cannot_lift_what_the_person_withdrew(shop: Any) -> None:
    """A platform that still says yes, or a yes from before the STOP, changes nothing."""
    say(shop, "withdrawn", "stop")
    assert not say(shop, "granted", "customer", 5)
    assert not say(shop, "granted", "subscribed", -5)
    assert not say(shop, "granted", "start", 0)
    assert isinstance(gate(shop), Blocked)


def test_a_no_at_the_till_blocks_all_but_the_answer_to_a_request(shop: Any) -> None:
    """Declined is weaker than STOP: who asks for their balance gets it."""
    say(shop, "declined", "customer")
    assert isinstance(gate(shop), Blocked)
    assert isinstance(gate(shop, own=True), Allowed)
    say(shop, "granted", "customer", 1)
    assert isinstance(gate(shop), Allowed)


def test_a_late_stop_does_not_undo_a_later_start(shop: Any) -> None:
    """Facts may arrive out of order; what was said last counts."""
    say(shop, "granted", "start", 10)
    assert not say(shop, "withdrawn", "stop", 5)
    assert isinstance(gate(shop), Allowed)


def test_the_same_word_again_leaves_no_row(shop: Any) -> None:
    """A till that says yes with each sale does not fill the history."""
    for minutes in range(5):
        say(shop, "granted", "customer", minutes)
    assert history(shop) == [("granted", "customer")]


def test_their_own_yes_is_kept_as_evidence_beside_a_tills(shop: Any) -> None:
    """JOIN after a ticked box changes nothing that holds, and is the better proof."""
    say(shop, "granted", "customer")
    assert not say(shop, "granted", "join", 1)
    assert history(shop) == [("granted", "customer"), ("granted", "join")]


def test_the_gate_sees_what_its_unit_has_not_written_yet(shop: Any) -> None:
    """Within a batch, a STOP holds at once."""
    with shop.unit() as unit:
        consent.record(unit, "sms", PHONE, "withdrawn", source="stop", at=AT, now=AT, evidence="evt_1")
        assert isinstance(consent.gate(unit, "sms", PHONE, shop.programme, answers_own_request=True), Blocked)


@pytest.mark.parametrize("address", ["ask Bob", "", "12"])
def test_an_address_that_cannot_be_reached_is_blocked_with_the_reason(shop: Any, address: str) -> None:
    """A number that is none is no vendor's problem."""
    blocked = gate(shop, address=address, own=True)
    assert isinstance(blocked, Blocked)
    assert "correct it" in blocked.reason


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (
            MessageReceived(message_id="1", address="415 555 0123", text="STOP", command="stop"),
            ("sms", PHONE, "withdrawn", "stop"),
        ),
        (MessageReceived(message_id="1", address=PHONE, text="JOIN", command="join"), ("sms", PHONE, "granted", "join")),
        (MessageReceived(message_id="1", address=PHONE, text="hi"), None),
        (Subscribed(channel="email", address="Ada@Example.com"), ("email", "ada@example.com", "granted", "subscribed")),
        (Unsubscribed(channel="email", address="ada@example.com"), ("email", "ada@example.com", "withdrawn", "unsubscribed")),
        (
            Sale(amount="1", currency="USD", customer=Customer(phone=PHONE, consents={"sms": False})),
            ("sms", PHONE, "declined", "customer"),
        ),
        (Sale(amount="1", currency="USD", customer=Customer(phone="ask", consents={"sms": True})), None),
        (Sale(amount="1", currency="USD", customer=Customer(phone=PHONE, consents={"fax": True})), None),
    ],
)
def test_what_facts_say_about_consent(shop: Any, fact: Any, said: Any) -> None:
    """Each fact that carries a yes or a no, in the address's one written form."""
    found = [(*key, status, source) for key, status, source in consent.said_in(fact, shop.programme)]
    assert found == ([] if said is None else [said])


def test_an_answer_goes_to_the_address_that_asked(shop: Any) -> None:
    """On the same channel and to the same number, however it is written."""
    asked = MessageReceived(message_id="1", address=PHONE, text="BALANCE")
    assert consent.answers(asked, "sms", "415-555-0123", shop.programme)
    assert not consent.answers(asked, "sms", "+14155550199", shop.programme)
    assert not consent.answers(asked, "whatsapp", PHONE, shop.programme)
    assert not consent.answers(Sale(amount="1", currency="USD"), "sms", PHONE, shop.programme)


def test_in_a_chat_a_no_closes_the_gate_and_nothing_is_needed_to_open_it(shop: Any) -> None:
    """Only who comes by sees what is said there; the address is the platform's own name of the person."""
    assert isinstance(gate(shop, "chat", "6762f0dd"), Allowed)
    stop = MessageReceived(message_id="1", channel="chat", address="6762f0dd", text="STOP", command="stop")
    assert [(*key, status) for key, status, _ in consent.said_in(stop, shop.programme)] == [("chat", "6762f0dd", "withdrawn")]
    with shop.unit() as unit:
        consent.record(unit, "chat", "6762f0dd", "withdrawn", source="stop", at=AT, now=AT, evidence="evt_1")
    assert isinstance(gate(shop, "chat", "6762f0dd", own=True), Blocked)


words = some.lists(
    some.tuples(
        some.sampled_from([("granted", "start"), ("granted", "customer"), ("declined", "customer"), ("withdrawn", "stop")]),
        some.integers(0, 8),
    ),
    max_size=8,
)


@given(words=words, shuffle=some.randoms())
def test_after_the_last_own_word_was_a_stop_the_gate_is_shut_in_any_order(words: Any, shuffle: Any) -> None:
    """Deliveries late or out of order cannot open what STOP closed, nor what they never opened."""
    programme = Programme.model_validate({"name": "P", "timezone": "UTC", "currency": "USD"})
    unit = Unit(NoRows())
    shuffle.shuffle(words)
    for (status, source), minutes in words:
        at = AT + timedelta(minutes=minutes)
        consent.record(unit, "sms", PHONE, status, source=source, at=at, now=AT, evidence="e")
    stops = [minutes for (_, source), minutes in words if source == "stop"]
    starts = [minutes for (_, source), minutes in words if source == "start"]
    if stops and max(stops) >= max(starts, default=-1):
        assert isinstance(consent.gate(unit, "sms", PHONE, programme, answers_own_request=True), Blocked)
    elif starts:
        assert isinstance(consent.gate(unit, "sms", PHONE, programme, answers_own_request=True), Allowed)
