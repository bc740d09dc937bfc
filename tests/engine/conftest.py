"""A hub that is worked by hand: see `world.World`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.sdk import client
from tests.engine.world import POINTS, World

Make = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes worlds: `make(recipe, …)`, with the recipe of points where none is given. The books must hold at the end."""
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)  # quick repeats inside one attempt need not be waited for here
    made: list[World] = []

    def one(*recipes: str, programme: str = "", **more: str) -> World:
        world = World(tmp_path / f"w{len(made)}", *(recipes or (POINTS,)), programme=programme, **more)
        made.append(world)
        return world

    yield one
    for world in made:
        world.prove()
        world.close()


@pytest.fixture
def world(make: Make) -> World:
    """A hub with one recipe: a point a dollar."""
    return make()
