"""A programme, a migrated store and units of work to try it in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.clock import VirtualClock
from hub.ids import Ids
from hub.ledger import Book
from hub.programme import EventInfo, Member, Programme, Roll, Work
from hub.sdk.fact import Customer, Fact
from hub.sdk.facts import Sale
from hub.store import Unit
from hub.store.sqlite import SqliteStore

NOON = datetime(2026, 3, 10, 18, tzinfo=UTC)
"""A day after the change to summer time; noon and one hour in Chicago."""
SETTINGS: dict[str, Any] = {
    "name": "Diesel Rewards",
    "timezone": "America/Chicago",
    "currency": "USD",
    "region": "US",
    "points": {"name": "points", "value": Decimal("0.01"), "rounding": "floor"},
    "expiry": "12 months after earning",
    "tiers": [{"name": "Bronze", "from": 0}, {"name": "Silver", "from": 500}, {"name": "Gold", "from": 2000}],
    "rewards": [{"id": "oil-change", "title": "Free oil change", "cost": 500}],
}


class Shop:
    """The programme of one shop on one store: makes members, and does steps at a moment."""

    def __init__(self, store: SqliteStore, settings: Mapping[str, Any]) -> None:
        self.store = store
        self.programme = Programme.model_validate({**SETTINGS, **settings})
        self.clock = VirtualClock(NOON)
        self.ids = Ids(self.clock)
        self.told: list[Fact] = []
        self._steps = 0

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with self.store.write() as session:
            unit = Unit(session)
            yield unit
            unit.flush()

    def roll(self, unit: Unit) -> Roll:
        return Roll(unit, self.programme, self.ids, self.clock.now())

    def join(self, email: str = "ada@example.com", **fields: Any) -> Member:
        with self.unit() as unit:
            customer = Customer(email=email, **fields)
            roll = self.roll(unit)
            member_id = roll.find_or_create(customer, "square", self.clock.now(), cause="evt_join").member_id
            assert member_id is not None
            return roll.fill(member_id, customer, "square", cause="evt_join")

    def member(self, member_id: str) -> Member:
        with self.unit() as unit:
            return self.roll(unit).get(member_id)

    def work(
        self, unit: Unit, member_id: str | None, fact: Fact | None = None, *, event: str = "", key: str = "", **more: Any
    ) -> Work:
        self._steps += 1
        now = self.clock.now()
        fact = fact or Sale(amount=Decimal("120.00"), currency="USD", order_id="1042")
        info = EventInfo(event or f"evt_{self._steps}", "key", fact, fact.occurred_at or now, 0, "square", "payment_completed")
        return Work(
            unit=unit,
            book=Book(unit, self.ids, now),
            roll=self.roll(unit),
            programme=self.programme,
            ids=self.ids,
            now=now,
            event=info,
            member_id=member_id,
            run_id=f"run_{self._steps}",
            recipe=more.pop("recipe", "purchase-points"),
            version="0123456789ab",
            step="1",
            key=key or f"run_{self._steps}:1",
            emit=self.told.append,
        )

    @contextmanager
    def step(self, member_id: str | None, fact: Fact | None = None, **more: Any) -> Iterator[Work]:
        with self.unit() as unit:
            yield self.work(unit, member_id, fact, **more)

    def balance(self, member_id: str) -> int:
        with self.unit() as unit:
            return Book(unit, self.ids, self.clock.now()).balance(member_id).spendable

    def heard(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.told if type(fact) is kind]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "hub.db", "hub")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def shop(store: SqliteStore) -> Shop:
    return Shop(store, {})
