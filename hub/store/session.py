"""Sessions: what the rest of the hub sees of a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hub.errors import Unavailable
from hub.store.queries import Query

Row = Mapping[str, Any]


class Collided(Exception):
    """Another transaction got in the way of this one, and nothing of it was written: do it again, whole."""


class OutOfReach(Unavailable):
    """The database cannot be reached, or cannot write anything now. Whether a commit under way was made is not known."""


class Session(Protocol):
    """One transaction, or one consistent read."""

    def lock(self, names: Collection[str]) -> bool:
        """Hold these lanes until the transaction ends; waits for whoever has them.

        True when one of them was not held before: what was read of it until now may be out of date. Where only one process
        writes, and in a read, there is nothing to wait for.
        """
        ...

    def try_lock(self, names: Collection[str]) -> Collection[str]:
        """Hold those of these lanes that nobody else has; gives them, with those that were held before."""
        ...

    def rows(self, query: Query, **values: Any) -> list[Row]:
        """Every row that the query gives."""
        ...

    def row(self, query: Query, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    def run(self, query: Query, **values: Any) -> int:
        """How many rows the statement changed."""
        ...

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        """The statement for each row; a row's values stand in the order of `query.parameters`.

        It may reach the database later, with the next question or at the end of the transaction, and its error with it.
        """
        ...


class Store(Protocol):
    """A database: many readers, and transactions. name: what people call it.

    is_shared: several processes may write at once, and hold the lanes of what they change; else transactions go one after
    another.
    """

    name: str
    is_shared: bool

    def read(self) -> AbstractContextManager[Session]:
        """A consistent view that changes nothing."""
        ...

    def write(self, *, alone: bool = False) -> AbstractContextManager[Session]:
        """A transaction: committed when the block ends, undone when it raises. alone: with no other one meanwhile.

        Collided and OutOfReach say that it is not the fault of what was asked; after OutOfReach it is not known whether a
        commit under way was made.
        """
        ...

    def migrate(self) -> list[str]:
        """Bring the tables up to date; gives the names of the steps that were taken."""
        ...

    def checkpoint(self) -> None:
        """Tidy up what readers and writers left behind."""
        ...

    def missing_steps(self) -> list[str]:
        """The migrations that have not been taken yet."""
        ...

    def size_bytes(self) -> int:
        """The space that the database takes."""
        ...

    def room_bytes(self) -> int | None:
        """How much the disk has left for it; None when that is not for us to know."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class NoRows:
    """A session on a database that has nothing and keeps nothing: for work that stays in a Unit's memory."""

    def lock(self, names: Collection[str]) -> bool:
        return False

    def try_lock(self, names: Collection[str]) -> Collection[str]:
        return names

    def rows(self, query: Query, **values: Any) -> list[Row]:
        return []

    def row(self, query: Query, **values: Any) -> Row | None:
        return None

    def run(self, query: Query, **values: Any) -> int:
        return 0

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        return None
