"""Gate: no means no, decided when a message goes out and not when it was queued."""

from __future__ import annotations

from typing import Any

from tests.engine.platforms import Answered
from tests.engine.world import recipe

PHONE = "+14155550101"
SEND = recipe(
    "send",
    'when: sale\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ event.order_id }}"}\n    as: sent\n'
    "  - award: {points: 1}\n"
    '  - set_attribute: {name: told, value: "{{ sent.letter_id }}"}\n',
)
BALANCE = recipe(
    "balance",
    'when: message_received\nif: event.command == "balance"\ndo:\n'
    '  - letters.send_safe: {to: "{{ event.address }}", text: "{{ member.balance }}"}\n',
)


def _ann(**more: Any) -> dict[str, Any]:
    return {"id": "ann", "phone": PHONE, **more}


def test_a_stop_between_queueing_and_sending_wins(make: Any) -> None:
    """The call was waiting for the platform to come back; by then they had opted out. The run goes on without it."""
    world = make(SEND)
    world.platform.script = lambda asked: Answered(503) if asked.path == "/letters" else None
    world.pay("p1", "1.00", _ann(sms=True), order="o1")
    world.work()
    world.platform.script = lambda asked: None
    world.write_sms("STOP", PHONE)
    world.later(hours=1)
    assert world.platform.sent == []
    assert [call["state"] for call in world.calls("send_safe")] == ["refused"]
    assert [entry["outcome"] for entry in world.run("send")["journal"]] == ["blocked", "done", "skipped"]
    assert "opted out" in world.run("send")["journal"][0]["why"]


def test_who_has_not_agreed_gets_no_sms(make: Any) -> None:
    """SMS need a yes first; what a till notes counts, and START brings them back after STOP."""
    world = make(SEND)
    world.pay("p1", "1.00", _ann(), order="o1")
    world.work()
    world.pay("p2", "1.00", _ann(sms=True), order="o2")
    world.work()
    assert world.platform.sent == [(PHONE, "o2")]
    world.write_sms("STOP", PHONE)
    world.pay("p3", "1.00", _ann(sms=True), order="o3")
    world.work()
    world.sleep(minutes=1)
    world.write_sms("START", PHONE)
    world.pay("p4", "1.00", _ann(), order="o4")
    world.work()
    assert world.platform.sent == [(PHONE, "o2"), (PHONE, "o4")]


def test_an_answer_to_their_own_request_needs_no_yes_but_passes_no_stop(make: Any) -> None:
    """Who texts BALANCE gets the balance, unless they wrote STOP."""
    world = make(BALANCE)
    world.pay("p1", "1.00", _ann())
    world.write_sms("BALANCE", PHONE)
    world.work()
    assert world.platform.sent == [(PHONE, "0")]
    world.write_sms("STOP", PHONE)
    world.write_sms("BALANCE", PHONE)
    world.work()
    assert world.platform.sent == [(PHONE, "0")]


def test_an_answer_that_the_hubs_own_fact_gives_is_still_an_answer(make: Any) -> None:
    """The chain of causes begins with their message."""
    world = make(
        recipe(
            "claim",
            'when: hub.claim_answered\ndo:\n  - letters.send_safe: {to: "{{ member.phone }}", text: "{{ event.outcome }}"}\n',
        )
    )
    world.pay("p1", "1.00", _ann())
    world.write_sms("CLAIM 77", PHONE)
    world.work()
    assert world.platform.sent == [(PHONE, "unknown")]


def test_a_message_without_an_address_is_not_sent(make: Any) -> None:
    """The trace says so, and the run goes on."""
    steps = '  - letters.send_safe: {to: "nobody", text: hello}\n  - award: {points: 1}\n'
    world = make(recipe("send", f"when: sale\ndo:\n{steps}"))
    world.pay("p1", "1.00")
    world.work()
    assert world.platform.sent == []
    assert world.run("send")["journal"][0]["outcome"] == "blocked"
    assert world.balance() == 1


def test_the_address_says_which_gate_is_asked_where_an_action_speaks_on_two_channels(make: Any) -> None:
    """A STOP by SMS keeps back what goes to the number, and not what goes to the e-mail address."""
    send = "  - letters.send_either_way: {{to: {}, text: hello}}\n"
    world = make(recipe("send", "when: sale\ndo:\n" + send.format(f'"{PHONE}"') + send.format("ann@example.com")))
    world.write_sms("STOP", PHONE)
    world.pay("p1", "1.00", _ann())
    world.work()
    assert world.platform.sent == [("ann@example.com", "hello")]
    assert [entry["outcome"] for entry in world.run("send")["journal"]] == ["blocked", "done"]


def test_what_speaks_to_nobody_passes_no_gate(make: Any) -> None:
    """A STOP is about messages."""
    world = make(recipe("look", 'when: sale\ndo:\n  - letters.look: {what: "{{ event.order_id }}"}\n'))
    world.write_sms("STOP", PHONE)
    world.pay("p1", "1.00", _ann(), order="o1")
    world.work()
    assert world.run("look")["state"] == "done"
