"""Gaps: what a webhook left out is found by asking, worked like anything else, and reported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.engine.gaps import missed_of_late, missed_since
from tests.engine.world import NOON, World


def _listed(world: World, id_: str, **ago: float) -> dict[str, Any]:
    """A payment as the till lists it."""
    at = world.clock.now() - timedelta(**ago)
    return {"id": id_, "amount": "10.00", "at": at.isoformat(), "buyer": {"id": "ann"}}


def _missed(world: World) -> dict[str, tuple[int, tuple[str, ...]]]:
    with world.hub.store.read() as session:
        return {name: (one.number, one.kinds) for name, one in missed_of_late(session).items()}


@pytest.fixture
def heard(make: Any) -> World:
    """A till whose webhooks come, and that was asked for the first time."""
    world: World = make()
    world.pay("p1", "5.00")
    world.work()
    world.later(hours=2)
    return world


def test_what_a_webhook_left_out_is_worked_and_reported(heard: World) -> None:
    """The points are there, and so is the note whose webhook it was."""
    heard.platform.payments = [_listed(heard, "p1", hours=2), _listed(heard, "p2", hours=1), _listed(heard, "p3", minutes=30)]
    heard.do("pull", connection="till")
    heard.work()
    assert heard.balance() == 25
    assert _missed(heard) == {"till": (2, ("payment",))}
    assert heard.hub.snapshot().missed == {"till": 2}


def test_what_is_asked_for_twice_is_missed_once(heard: World) -> None:
    """The second time it is known."""
    heard.platform.payments = [_listed(heard, "p2", hours=1)]
    for _ in range(2):
        heard.do("pull", connection="till")
        heard.work()
    with heard.hub.store.read() as session:
        assert missed_since(session, NOON)["till"].number == 1


def test_a_webhook_that_leaves_nothing_out_any_more_is_well_again(heard: World) -> None:
    """The next asking says so; what was missed stays on record."""
    heard.platform.payments = [_listed(heard, "p2", hours=1)]
    heard.do("pull", connection="till")
    heard.work()
    heard.do("pull", connection="till")
    heard.work()
    assert _missed(heard) == {}
    with heard.hub.store.read() as session:
        assert missed_since(session, NOON)["till"].number == 1


def test_what_may_still_be_on_its_way_is_no_gap(heard: World) -> None:
    """A webhook may come some minutes after the fact."""
    heard.platform.payments = [_listed(heard, "p2", minutes=3)]
    heard.do("pull", connection="till")
    heard.work()
    assert heard.balance() == 15 and _missed(heard) == {}


def test_history_is_no_gap(heard: World, make: Any) -> None:
    """Neither what somebody asked for from a moment on, nor what came about before the connection was ever heard of."""
    heard.platform.payments = [_listed(heard, "p2", hours=1)]
    heard.do("pull", connection="till", since=(heard.clock.now() - timedelta(days=1)).isoformat())
    heard.work()
    heard.platform.payments = [_listed(heard, "p0", days=3)]
    heard.do("pull", connection="till")
    heard.work()
    assert heard.balance() == 25 and _missed(heard) == {}
    silent = make()
    silent.platform.payments = [_listed(silent, "p9", hours=1)]
    silent.work()
    assert _missed(silent) == {}


OWNER = 'owner: {phone: "+14155550199", through: letters.send_safe}\n'


def test_the_owner_is_told(make: Any) -> None:
    """With the connection, how many, and what to look at; and when it is over."""
    world = make(programme=OWNER)
    world.pay("p1", "5.00")
    world.work()
    world.later(hours=2)
    world.platform.payments = [_listed(world, "p2", hours=1)]
    world.do("pull", connection="till")
    world.later(minutes=5)
    told = " ".join(text for _, text in world.platform.sent)
    assert "till did not tell everything: 1 fact of payment came by asking alone" in told
    world.do("pull", connection="till")
    world.later(hours=3)
    assert "till tells everything again" in " ".join(text for _, text in world.platform.sent)
