"""Two workers at once beside the plain model: the rules of `test_stateful` on PostgreSQL, both drained before each look."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, rule

from tests.databases import Server
from tests.engine import test_stateful
from tests.engine.crew import Crew
from tests.engine.model import Model
from tests.engine.world import POINTS, World

_SERVERS: list[Server] = []


@pytest.fixture(autouse=True, scope="module")
def _server(postgres_server: Server) -> Iterator[None]:
    _SERVERS.append(postgres_server)
    yield
    _SERVERS.clear()


class SharedProgramme(test_stateful.Programme):
    """What two workers do at the same time comes to what the model says."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hub-stateful-")
        self.corner = _SERVERS[0].take()
        recipes = POINTS, test_stateful.REDEEM, test_stateful.THANKS
        self.world = World(Path(self.folder.name) / "w", *recipes, database=self.corner.url)
        self.crew = Crew(self.world, 2)
        self.model = Model(self.world.clock.now())
        self.told = {}
        for number, who in enumerate(sorted(test_stateful.PHONES), start=1):
            self.pay(f"p{number}", who, 150_00, 0, now=False)
        self.work()

    def teardown(self) -> None:
        if not hasattr(self, "crew"):
            return
        try:
            self.work()
            self.agree()
        finally:
            self.crew.close()
            self.world.close()
            self.folder.cleanup()
            _SERVERS[0].give_back(self.corner)

    def work(self) -> None:
        self.crew.work()
        super().work()

    @rule()
    def restart(self) -> None:
        self.work()
        self.crew.close()
        self.world.restart()
        self.crew = Crew(self.world, 2)
        self.model.until(self.world.clock.now())


SharedProgramme.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
TestSharedProgramme = SharedProgramme.TestCase
