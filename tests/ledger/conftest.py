"""The ledger on a database of its own, on each engine, with a clock that the test moves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.clock import VirtualClock
from hub.ids import Ids
from hub.ledger import Balance, Book, Source, Verification, lots_due, verify
from hub.store import Session, Unit, migrations
from tests.databases import Folder, Place, ask

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Desk:
    """Posts with short words: every key is its own, every posting is committed."""

    def __init__(self, place: Place) -> None:
        self.clock = VirtualClock(START)
        self.store = place.open("hub")
        self.is_sqlite = isinstance(place, Folder)
        self.ids = Ids(self.clock, random.Random(7))
        self._keys = 0

    @contextmanager
    def book(self) -> Iterator[Book]:
        """One unit of work, committed at the end."""
        with self.store.write() as session:
            unit = Unit(session)
            yield Book(unit, self.ids, self.clock.now())
            unit.flush()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.store.read() as session:
            yield session

    def award(self, points: int, member: str = "mem_1", days: float | None = 365, **more: Any) -> Any:
        """An award now, that expires after some days."""
        now = self.clock.now()
        expires_at = None if days is None else now + timedelta(days=days)
        asked = {"key": self.key(), "source": Source(), "effective_at": now, "expires_at": expires_at} | more
        with self.book() as book:
            return book.award(member, points, **asked)

    def do(self, operation: str, *given: Any, **more: Any) -> Any:
        """Any operation of the book."""
        asked = {"key": self.key(), "source": Source()} | more
        with self.book() as book:
            return getattr(book, operation)(*given, **asked)

    def sweep(self) -> list[Any]:
        """Expire what is due."""
        with self.read() as session:
            due = lots_due(session, self.clock.now(), 1000)
        with self.book() as book:
            return book.expire(due)

    def balance(self, member: str = "mem_1") -> Balance:
        with self.book() as book:
            return book.balance(member)

    def left(self, member: str = "mem_1") -> list[int]:
        """What is left in the member's lots, in spend order."""
        with self.read() as session:
            rows = ask(
                session,
                "SELECT points FROM lot_left WHERE member_id = ? AND points > 0 "
                "ORDER BY expires_at IS NULL, expires_at, effective_at, lot_id",
                member,
            )
            return [points for (points,) in rows]

    def verify(self) -> Verification:
        with self.read() as session:
            return verify(session)

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.clock.move_to(self.clock.now() + timedelta(**span))

    def key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """A statement past the ledger."""
        with self.store.write() as session:
            return ask(session, text, *values)

    def dump(self) -> list[str]:
        """Every row of the database, as text."""
        with self.read() as session:
            return [
                f"{table} {line}"
                for table in migrations.tables("hub")
                for line in sorted(str(row) for row in ask(session, f"SELECT * FROM {table}"))
            ]


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    desk = Desk(place)
    yield desk
    desk.store.close()


@pytest.fixture
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes more desks, on SQLite: so what must be the same is the same on both engines."""
    return lambda: Desk(Folder(tmp_path_factory.mktemp("ledger")))
