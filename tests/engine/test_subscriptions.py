"""Subscriptions: an address that the hub told a platform is told again before that ends, and what is told in turn is kept."""

from __future__ import annotations

from typing import Any

import pytest

from hub.engine.subscriptions import subscribed_at
from hub.errors import HubError
from hub.store import Unit
from hub.vault import kept_secrets
from tests.engine.platforms import Answered, Asked
from tests.engine.world import NOON, World

URL = "https://points.example.com/hooks/letters"


def _told(world: World, **told: str) -> None:
    """Letters takes our address and tells this in turn."""

    def script(asked: Asked) -> Answered | None:
        return Answered(200, told) if asked.path == "/webhook" else None

    world.platform.script = script


def _asked(world: World) -> list[Any]:
    return [asked.body for asked in world.platform.asked if asked.path == "/webhook"]


def test_it_is_renewed_each_time_before_it_ends(make: Any) -> None:
    """Once a period, whatever is started again between; nobody who did not begin it is subscribed."""
    world = make()
    _told(world)
    world.later(days=20)
    assert _asked(world) == []
    world.do("subscribed", connection="letters")
    world.later(days=7)
    world.restart()
    world.later(days=6)
    assert _asked(world) == [{"url": URL}] * 2
    assert [call["state"] for call in world.calls("subscribe")] == ["done", "done"]


def test_after_a_downtime_it_is_told_once(make: Any) -> None:
    """Three periods of sleep are one renewal."""
    world = make()
    _told(world)
    world.do("subscribed", connection="letters")
    world.close()
    world.sleep(days=20)
    world.open()
    world.work()
    assert len(_asked(world)) == 1


def test_what_was_taken_back_is_not_renewed(make: Any) -> None:
    """It is the person's word that counts."""
    world = make()
    _told(world)
    world.do("subscribed", connection="letters")
    world.do("unsubscribed", connection="letters")
    world.later(days=30)
    assert _asked(world) == []
    with world.hub.store.read() as session:
        assert subscribed_at(Unit(session), "letters") is None


def test_a_key_that_is_told_at_a_renewal_is_kept_encrypted(make: Any) -> None:
    """Who runs takes it up when it is started again; it stands in no row."""
    world = make()
    _told(world, told_key="fresh-key-7Qd2")
    world.do("subscribed", connection="letters")
    world.later(days=7)
    with world.hub.store.read() as session:
        assert [(one.connection, one.name, one.set_by) for one in kept_secrets(session)] == [
            ("letters", "told_key", "the platform")
        ]
    assert "fresh-key" not in str(world.calls())
    world.restart()
    assert world.hub.connections["letters"].settings.secret("told_key").reveal() == "fresh-key-7Qd2"


def test_a_refusal_is_held_for_a_person_and_can_be_replayed(make: Any) -> None:
    """The next period is tried all the same."""
    world = make()
    world.platform.script = lambda asked: Answered(422, {"error": "no"}) if asked.path == "/webhook" else None
    world.do("subscribed", connection="letters")
    world.later(days=6, hours=1)
    [held] = world.calls("subscribe")
    assert held["state"] == "held" and "422" in held["note"]
    _told(world)
    world.do("replay", id=held["id"])
    world.work()
    assert [call["state"] for call in world.calls("subscribe")] == ["done"]


def test_what_the_platform_tells_must_be_a_setting(make: Any) -> None:
    """A connector's mistake is no secret thing that is lost."""
    world = make()
    _told(world, other="x")
    world.do("subscribed", connection="letters")
    world.later(days=6, hours=1)
    [held] = world.calls("subscribe")
    assert held["state"] == "held" and "`other`, which is none of its settings" in held["note"]


def test_when_it_was_told_is_known(make: Any) -> None:
    """To the second, for those who look; an unknown connection is an error."""
    world = make()
    world.do("subscribed", connection="letters")
    with world.hub.store.read() as session:
        moment = subscribed_at(Unit(session), "letters")
    assert moment is not None and (moment - NOON).total_seconds() == 1
    with pytest.raises(HubError, match="no connection `nobody`"):
        world.do("subscribed", connection="nobody")
