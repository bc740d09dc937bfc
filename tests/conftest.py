"""What tests of several rooms share: a place for databases, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import ENGINES, Folder, Place, Server, server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL database that these tests alone use."""
    with server() as made:
        yield made


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[Place]:
    """An empty place on PostgreSQL."""
    corner = postgres_server.take()
    yield corner
    postgres_server.give_back(corner)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place, on each engine in turn."""
    found: Place = Folder(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres")
    return found


@pytest.fixture(params=ENGINES)
def bare_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place that has no table yet, on each engine in turn."""
    return Folder(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_server").bare()
