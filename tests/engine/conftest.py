"""A hub that is worked by hand: see `world.World`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.sdk import client
from tests.databases import ENGINES, Corner, Server
from tests.engine.world import POINTS, World

Make = Callable[..., World]


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes worlds: `make(recipe, …)`, with the recipe of points where none is given, on each engine in turn.

    The books must hold at the end.
    """
    monkeypatch.setattr(client, "PAUSE_SECONDS", 0.0)  # quick repeats inside one attempt need not be waited for here
    made: list[World] = []
    server: Server | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    corners: list[Corner] = []

    def one(*recipes: str, programme: str = "", kind: type[World] = World, **more: str) -> World:
        if server is not None:
            corners.append(server.take())
            more["database"] = corners[-1].url
        world = kind(tmp_path / f"w{len(made)}", *(recipes or (POINTS,)), programme=programme, **more)
        made.append(world)
        return world

    yield one
    for world in made:
        world.prove()
        world.close()
    for corner in corners if server is not None else ():
        server.give_back(corner)


@pytest.fixture
def world(make: Make) -> World:
    """A hub with one recipe: a point a dollar."""
    return make()
