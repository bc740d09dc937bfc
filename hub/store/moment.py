"""Moment: a database as it was at one moment, table by table, and a place where it is made again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hub.store.session import Session

Kind = Literal["text", "integer", "bytes"]
Values = Sequence[Any]
"""The values of a row: str, int, bytes or None, in the order of its table's columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, and what it holds on either engine."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns. key: those that order its rows."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> str:
        """Its columns, as SQL lists them."""
        return ", ".join(column.name for column in self.columns)


class Moment(Protocol):
    """One schema as it was at one moment, whatever is written meanwhile. session: for questions about that moment."""

    session: Session

    def steps(self) -> list[str]:
        """The migrations that had been taken."""
        ...

    def tables(self) -> list[Table]:
        """Its tables, by name."""
        ...

    def rows(self, table: Table) -> Iterator[Values]:
        """Every row, in the order of the table's key; read as they are asked for."""
        ...

    def last_numbers(self) -> Mapping[str, int]:
        """The last number that each `$sequence` gave out, by its table."""
        ...


class Refill(Protocol):
    """An empty database that is being filled. Nobody sees it until the block that holds it has ended without an error."""

    def prepare(self, schema: str, steps: Collection[str]) -> None:
        """Make the tables as they are after these migrations."""
        ...

    def fill(self, schema: str, table: Table, rows: Iterable[Values]) -> None:
        """Put the rows into a table."""
        ...

    def finish(self, schema: str, last_numbers: Mapping[str, int]) -> list[str]:
        """Number on from here and take the migrations that are left; gives their names."""
        ...

    def write(self, schema: str) -> AbstractContextManager[Session]:
        """A transaction on what has been filled."""
        ...

    def read(self, schema: str) -> AbstractContextManager[Session]:
        """A look at what has been filled."""
        ...
