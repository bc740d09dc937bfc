"""Held: what waits for a person is listed, whatever it is, and can be given up."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.held import held
from tests.engine.platforms import Answered
from tests.engine.world import World, recipe

REFUSED = Answered(422, {"message": "not a mobile number"})
ANN = {"id": "ann", "phone": "+14155550101", "sms": True}


def listed(world: World) -> list[dict[str, Any]]:
    told = CliRunner().invoke(held, ["--json", "-w", str(world.folder)], catch_exceptions=False)
    found: list[dict[str, Any]] = json.loads(told.stdout)
    return found


@pytest.fixture
def refusing(make: Any) -> Any:
    """Makes a hub whose messages are all refused."""

    def one(step: str) -> World:
        world: World = make(
            recipe("send", f"when: sale\ndo:\n  - letters.send_keyed: {{to: '+14155550101', text: hi}}\n{step}")
        )
        world.platform.script = lambda asked: REFUSED if asked.path == "/letters" else None
        world.pay("p1", "1.00", ANN)
        world.work()
        return world

    return one


def test_a_held_call_is_listed_with_the_run_that_it_holds(refusing: Any) -> None:
    """Once: whoever replays the run replays the call."""
    [line] = listed(refusing(""))
    assert line["what"] == "run"
    assert "not a mobile number" in line["why"]


def test_a_held_call_whose_run_went_on_is_listed_by_itself(refusing: Any) -> None:
    """It can be made again, or given up."""
    world = refusing("    on_failure: continue\n")
    assert world.run("send")["state"] == "done"
    [line] = listed(world)
    assert (line["what"], line["name"]) == ("call", "letters.send_keyed")
    world.do("drop", id=line["id"], reason="the number is wrong")
    assert listed(world) == []


def test_a_notice_whose_object_cannot_be_had_is_listed(world: World) -> None:
    """A held call of no run."""
    world.deliver("till", "visit", {"id": "v1"})
    world.work()
    [line] = listed(world)
    assert (line["what"], line["name"]) == ("call", "till.visit")
