"""Mirrors beside a plain model: after any script, with failures and crashes between, cards show what the model says.

Nights compare nothing here, so that what a change alone must bring about is not put right by them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from hub.engine.mirrors.comparing import Comparing
from hub.engine.mirrors.rows import newest_comparison
from hub.store import OutOfReach, Unit
from tests.databases import Server
from tests.engine import test_stateful
from tests.engine.cards import SEVERAL, CardPlatform, MirrorWorld
from tests.engine.crew import Crew
from tests.engine.model import ZONE, Member, Model
from tests.engine.platforms import Answered, Asked
from tests.engine.test_full_disk import room
from tests.engine.world import POINTS

NOBODY = "zoe"
"""Somebody who has a card and never buys."""
WHO = st.sampled_from(sorted(test_stateful.PHONES))
DOWN = Answered(503, {"message": "out of order"})
_LONGEST_REST = timedelta(hours=10)
_SERVERS: list[Server] = []
_OPEN = ("mirror", "look")


@pytest.fixture(autouse=True, scope="module")
def _server(postgres_server: Server) -> Iterator[None]:
    _SERVERS.append(postgres_server)
    yield
    _SERVERS.clear()


@pytest.fixture(autouse=True, scope="module")
def _no_nights() -> Iterator[None]:
    usual = Comparing.due

    def due(self: Comparing, unit: Unit) -> datetime | None:
        last = newest_comparison(unit.session, self._name)
        return None if last is not None and last.terms == self.terms else usual(self, unit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Comparing, "due", due)
        yield


def shown(member: Member) -> dict[str, str]:
    """What a card should say, by the model."""
    days = [(lot.expires - timedelta(microseconds=1)).astimezone(ZONE).date() for lot in member.lots if lot.left]
    first = min(days, default=None)
    ending = sum(lot.left for lot, day in zip((lot for lot in member.lots if lot.left), days, strict=True) if day == first)
    ends = first.isoformat() if first is not None else ""
    return {"POINTS": str(member.balance), "TIER": member.tier, "ENDS": ends, "ENDING": str(ending)}


class Mirrored(test_stateful.Programme):
    """The rules of the programme, and what happens to cards and to the platforms that keep them."""

    database = "sqlite:///data"

    def make(self, database: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="hub-stateful-")
        recipes = POINTS, test_stateful.REDEEM, test_stateful.THANKS
        self.world = MirrorWorld(Path(self.folder.name) / "w", *recipes, connections=SEVERAL, database=database)
        self.platform: CardPlatform = self.world.platform
        self.model = Model(self.world.clock.now())
        self.told: dict[tuple[str, str], bytes] = {}
        self.spoilt: set[str] = set()
        for who in (*test_stateful.PHONES, NOBODY):
            self.platform.give(who)
        for number, who in enumerate(sorted(test_stateful.PHONES), start=1):
            self.pay(f"p{number}", who, 150_00, 0, now=False)
        self.work()

    def tell(self, connection: str, kind: str, data: dict[str, Any], now: bool) -> None:
        if kind == "payment":
            data["buyer"]["email"] = f"{data['buyer']['id']}@example.com"
        super().tell(connection, kind, data, now)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                self.compare()
            finally:
                self.leave()

    def leave(self) -> None:
        self.world.close()
        self.folder.cleanup()

    # What happens at the platforms ------------------------------------------------------------------------------------------

    @rule(who=WHO, points=st.integers(0, 500), now=st.booleans())
    def somebody_writes_on_a_card(self, who: str, points: int, now: bool) -> None:
        if who in self.platform.there:
            self.platform.there[who]["fields"]["POINTS"] = str(points)
            self.spoilt.add(who)

    @rule(who=WHO)
    def a_card_is_taken_away(self, who: str) -> None:
        self.platform.there.pop(who, None)
        self.spoilt.add(who)

    @rule(who=WHO)
    def a_card_is_made(self, who: str) -> None:
        if who not in self.platform.there:
            self.platform.give(who)
            self.spoilt.add(who)

    @rule(who=WHO)
    def a_card_is_locked(self, who: str) -> None:
        self.platform.refused[who] = "locked"
        self.spoilt.add(who)

    @rule(numbers=st.sets(st.integers(0, 12), min_size=1), how=st.sampled_from(["down", "lost", "lost after all"]))
    def calls_fail(self, numbers: set[int], how: str) -> None:
        """The next calls with these numbers."""
        made = -1

        def answer(asked: Asked) -> Answered | Exception | None:
            nonlocal made
            if not asked.path.startswith(("/cards", "/desk")):
                return None
            made += 1
            if made not in numbers:
                return None
            if how == "lost after all":
                self.platform._usual(asked)
            return DOWN if how == "down" else requests.ReadTimeout("no answer")

        self.platform.script = answer

    @rule()
    def settle(self) -> None:
        """The platforms work again; after the longest rest between two attempts all is shown that was not spoilt."""
        self.mend()
        held = {row["member_id"] for row in self.world.rows("SELECT member_id FROM mirror WHERE busy = 0 AND call_id <> ''")}
        self.look({who for who in self.model.members if self.world.member(f"id:till:{who}") in held})

    @rule()
    def compare(self) -> None:
        """A comparison puts right whatever was spoilt."""
        self.mend()
        for connection in ("cards", "desk"):
            self.world.do("compare_mirror", connection=connection)
        self.mend()
        self.spoilt.clear()
        self.look(set())
        assert [call for call in self.world.calls() if call["kind"] in _OPEN] == []
        assert self.world.rows("SELECT 1 FROM mirror WHERE version > settled OR busy = 1 OR drifted <> ''") == []

    def mend(self) -> None:
        self.work()
        self.platform.script = lambda asked: None
        self.platform.refused.clear()
        self.rest()
        self.model.until(self.world.clock.now())
        self.model.send()

    def rest(self) -> None:
        self.world.later(seconds=_LONGEST_REST.total_seconds())

    def look(self, but: set[str]) -> None:
        for who, member in self.model.members.items():
            if who in self.platform.there and who not in self.spoilt | but:
                assert self.platform.there[who]["fields"] == shown(member), who
        assert self.platform.there[NOBODY]["fields"] == {}


class Embedded(Mirrored):
    """In a folder: a full disk, and workers that are killed while they ask."""

    @initialize()
    def open(self) -> None:
        self.make("sqlite:///data")

    @rule(sale=test_stateful.sale_, who=WHO, cents=test_stateful.cents_, steps=st.integers(1, 6), hours=st.integers(0, 3))
    def die_while_asking(self, sale: str, who: str, cents: int, steps: int, hours: int) -> None:
        """What was begun is never made, or nobody hears of it."""
        self.work()
        self.pay(sale, who, cents, 0, now=False)
        outbox = self.world.worker._outbox
        outbox.launch = lambda: bool(outbox._claimed.clear())  # type: ignore[method-assign]
        for _ in range(steps):
            self.world.worker.step()
        self.world.restart()
        self.world.sleep(hours=hours)
        self.model.until(self.world.clock.now())
        self.work()

    @rule(sale=test_stateful.sale_, who=WHO, cents=test_stateful.cents_, pages=st.integers(0, 40))
    def pay_while_the_disk_is_full(self, sale: str, who: str, cents: int, pages: int) -> None:
        self.work()
        self.pay(sale, who, cents, 0, now=False)
        with room(self.world, pages), suppress(OutOfReach):
            self.world.work()
        self.work()


class Shared(Mirrored):
    """Two workers on PostgreSQL, drained before each look."""

    @initialize()
    def open(self) -> None:
        self.corner = _SERVERS[0].take()
        self.make(self.corner.url)

    def work(self) -> None:
        if not hasattr(self, "crew"):
            self.crew = Crew(self.world, 2)
        self.crew.work()
        super().work()

    def rest(self) -> None:
        for _ in range(6):
            self.world.sleep(seconds=_LONGEST_REST.total_seconds())
            self.crew.work()

    def leave(self) -> None:
        self.crew.close()
        super().leave()
        _SERVERS[0].give_back(self.corner)

    @rule()
    def restart(self) -> None:
        self.work()
        self.crew.close()
        self.world.restart()
        self.crew = Crew(self.world, 2)
        self.model.until(self.world.clock.now())


_USUAL = settings(
    max_examples=12,
    stateful_step_count=30,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
Embedded.TestCase.settings = Shared.TestCase.settings = _USUAL
TestEmbedded, TestShared = Embedded.TestCase, Shared.TestCase
