"""Sessions: what the rest of the hub sees of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hub.errors import Unavailable
from hub.store.queries import Query

Row = Mapping[str, Any]


class OutOfReach(Unavailable):
    """The database cannot be reached, or cannot write anything now. Whether a commit under way was made is not known."""


class Session(Protocol):
    """One transaction, or one consistent read."""

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
    """A database: many readers, and transactions one after another. name: what people call it."""

    name: str

    def read(self) -> AbstractContextManager[Session]:
        """A consistent view that changes nothing."""
        ...

    def write(self) -> AbstractContextManager[Session]:
        """A transaction: committed when the block ends, undone when it raises. OutOfReach when the database is in trouble."""
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

    def rows(self, query: Query, **values: Any) -> list[Row]:
        return []

    def row(self, query: Query, **values: Any) -> Row | None:
        return None

    def run(self, query: Query, **values: Any) -> int:
        return 0

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        return None
