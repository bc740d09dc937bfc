"""What tests of several rooms share: a place for databases, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import ENGINES, Folder, Place, Server, server

# Examples are about what comes out: how long one takes depends on who else has the core.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite runs on every core. What is named on the command line runs here: no other process need be started for it.

    Who says `-n` is obeyed, and so is an environment that has no pytest-xdist.
    """
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    is_worker = hasattr(config, "workerinput")  # one of those processes: it would start others, and they others still
    if is_whole and not is_worker and config.pluginmanager.hasplugin("xdist") and config.option.numprocesses is None:
        config.option.numprocesses = "logical"
        config.option.dist = "worksteal"  # few tests take most of the time, and they stand side by side


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
