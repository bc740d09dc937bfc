"""What went out to a member last: read from the calls, and from what the platform told of them later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import Make
from tests.engine.platforms import Answered
from tests.engine.world import World, recipe

PHONE = "+14155550101"
SEND = recipe(
    "send",
    "when: sale\nif: member.phone != none\ndo:\n"
    '  - letters.send_safe: {to: "{{ member.phone }}", text: hello}\n'
    "  - letters.look: {what: it}\n",
)
ASKED = recipe(
    "asked",
    "when: review\ndo:\n  - last_delivery: {}\n    as: last\n"
    '  - set_attribute: {name: last, value: "{{ last.outcome }} {{ last.through }} {{ last.channel }} {{ last.on }}"}\n',
)


@pytest.fixture
def world(make: Make) -> World:
    return make(SEND, ASKED)


def ask(world: World, buyer: str = "ann") -> str:
    world.deliver("till", "opinion", {"id": f"o{world.number()}", "at": world.clock.now(), "buyer": {"id": buyer}})
    world.work()
    member: Any = world.one("SELECT attributes FROM member WHERE id = :id", id=world.member(f"id:till:{buyer}"))
    return str(member["attributes"]).split('"')[3]


def test_it_was_sent_and_then_it_arrived(world: World) -> None:
    """What speaks to nobody is passed over; what another member got is none of this one's."""
    world.pay("p1", "1.00", {"id": "ann", "phone": PHONE, "sms": True})
    world.work()
    assert ask(world) == "sent Letters sms 2026-03-02"
    letter = str(world.calls("send_safe")[0]["result"]).split('"')[3]
    world.deliver("letters", "arrived", {"id": letter, "sender": PHONE, "text": "", "at": world.clock.now()})
    world.work()
    assert ask(world) == "arrived Letters sms 2026-03-02"
    assert ask(world, "bob") == "nothing   "


def test_it_waits_or_was_not_wanted(world: World) -> None:
    """A platform that is away, and a member who has not agreed."""
    world.platform.script = lambda asked: Answered(503) if asked.path == "/letters" else None
    world.pay("p1", "1.00", {"id": "ann", "phone": PHONE, "sms": True})
    world.work()
    assert ask(world) == "waiting Letters sms 2026-03-02"
    world.pay("p2", "1.00", {"id": "bob", "phone": "+14155550102"})
    world.work()
    assert ask(world, "bob") == "refused Letters sms 2026-03-02"
