"""Sets: an INSERT or UPDATE for many rows as one statement of PostgreSQL, with an array for each parameter.

INSERT INTO lot (id, points) VALUES (:id, :points)
INSERT INTO lot (id, points) SELECT given.id, given.points FROM unnest($1::text[], $2::bigint[]) AS given (id, points)

UPDATE lot SET points = :points WHERE id = :id
UPDATE lot SET points = given.points FROM unnest($1::bigint[], $2::text[]) AS given (points, id) WHERE lot.id = given.id
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

from hub.store.queries import Query

_INSERT = re.compile(r"INSERT INTO (\w+) \(([^)]*)\)\s*VALUES \(([^)]*)\)([^:]*)")
_UPDATE = re.compile(r"UPDATE (\w+) SET (\w+ = :\w+(?:, \w+ = :\w+)*) WHERE (\w+) = :(\w+)")
_UPSERT = re.compile(r"ON CONFLICT \(([^)]*)\) DO UPDATE")
_NAMED = re.compile(r":([a-z_]\w*)")
_COLUMNS = """
SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0
"""
_BYTES_MOST = 64 * 1024 * 1024
"""A statement takes no more at once; the server refuses a value of a gigabyte."""

_HEAD = struct.Struct("!iiIii")  # dimensions, whether any is NULL, the type of each, how many, the number of the first
_LENGTH = struct.Struct("!i")
_INTEGER = struct.Struct("!iq")
_NULL = _LENGTH.pack(-1)


def _text(value: str) -> bytes:
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def _integer(value: int) -> bytes:
    return _INTEGER.pack(8, value)


def _bytes(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


_TYPES: Mapping[str, tuple[int, Callable[[Any], bytes]]] = {
    "text": (25, _text),
    "bigint": (20, _integer),
    "bytea": (17, _bytes),
}
"""What the tables use: the number that the server has for the type, and how a value travels."""
_OF_PYTHON = {str: "text", int: "bigint", bytes: "bytea"}


class Array(bytes):
    """Values of one type as the server's own form of an array."""


class ArrayDumper(Dumper):
    """Sends an Array as it is; its type stands in the statement."""

    format = pq.Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj


@dataclass(frozen=True, slots=True)
class Set:
    """A statement for many rows. types: of the parameters; unique: the places of those in which no two rows may agree."""

    statement: bytes
    types: tuple[str, ...]
    unique: tuple[int, ...]

    def portions(self, rows: Sequence[Sequence[Any]]) -> Iterator[list[Array]]:
        """The parameters for each time that the statement is to be run, until all rows are in."""
        for part in _told_apart(rows, self.unique) if self.unique else [rows]:
            yield from self._portions(part)

    def _portions(self, rows: Sequence[Sequence[Any]]) -> Iterator[list[Array]]:
        arrays = [_array(name, column) for name, column in zip(self.types, zip(*rows, strict=True), strict=True)]
        if sum(map(len, arrays)) <= _BYTES_MOST or len(rows) == 1:
            yield arrays
            return
        middle = len(rows) // 2
        del arrays
        yield from self._portions(rows[:middle])
        yield from self._portions(rows[middle:])


class Sets:
    """The sets of the queries of one schema, made when they are first needed."""

    def __init__(self) -> None:
        self._known: dict[Query, Set | None] = {}

    def of(self, query: Query, connection: psycopg.Connection[dict[str, Any]]) -> Set | None:
        """The query for many rows; None when it has no such form."""
        if query not in self._known:
            insert, update = _INSERT.fullmatch(query.sql), _UPDATE.fullmatch(query.sql)
            if insert:
                self._known[query] = _inserts(query, insert, _types(connection, insert[1]))
            else:
                self._known[query] = _updates(query, update, _types(connection, update[1])) if update else None
        return self._known[query]


def _types(connection: psycopg.Connection[dict[str, Any]], table: str) -> Mapping[str, str]:
    return {row["name"]: row["type"] for row in connection.execute(_COLUMNS, [table], prepare=False)}


def _inserts(query: Query, found: re.Match[str], types: Mapping[str, str]) -> Set | None:
    table, columns, values, rest = found.groups()
    column_of = {value.strip(): name.strip() for name, value in zip(columns.split(","), values.split(","), strict=True)}
    kinds = tuple(types.get(column_of.get(f":{name}", ""), "") for name in query.parameters)
    if not _TYPES.keys() >= set(kinds):
        return None
    upsert = _UPSERT.search(rest)
    key = {name.strip() for name in upsert[1].split(",")} if upsert else set()
    unique = tuple(place for place, name in enumerate(query.parameters) if column_of[f":{name}"] in key)
    chosen = _NAMED.sub(r"given.\1", values)
    return Set(f"INSERT INTO {table} ({columns}) SELECT {chosen} FROM {_given(query, kinds)} {rest}".encode(), kinds, unique)  # noqa: S608


def _updates(query: Query, found: re.Match[str], types: Mapping[str, str]) -> Set | None:
    table, changes, key, key_name = found.groups()
    column_of = {name: column for column, name in (change.split(" = :") for change in changes.split(", "))} | {key_name: key}
    kinds = tuple(types.get(column_of[name], "") for name in query.parameters)
    if not _TYPES.keys() >= set(kinds):
        return None
    chosen = _NAMED.sub(r"given.\1", changes)
    where = f"{table}.{key} = given.{key_name}"
    statement = f"UPDATE {table} SET {chosen} FROM {_given(query, kinds)} WHERE {where}"  # noqa: S608 - the hub's own words
    return Set(statement.encode(), kinds, (query.parameters.index(key_name),))


def _given(query: Query, kinds: Sequence[str]) -> str:
    """The rows as a table, with a column for each parameter."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(kinds, start=1))
    return f"unnest({arrays}) AS given ({', '.join(query.parameters)})"


def array(values: Collection[Any]) -> Array | list[Any]:
    """Values for `= ANY`; where they do not say of what type they are, psycopg finds the form."""
    kind = _OF_PYTHON.get(type(next((value for value in values if value is not None), None)))
    return _array(kind, values) if kind else list(values)


def _array(kind: str, values: Collection[Any]) -> Array:
    number, form = _TYPES[kind]
    cells = [_NULL if value is None else form(value) for value in values]
    return Array(_HEAD.pack(1, 1, number, len(values), 1) + b"".join(cells))


def _told_apart(rows: Sequence[Sequence[Any]], unique: Sequence[int]) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows in portions, in none of which a key comes twice: a statement may not change a row that it has just written."""
    while rows:
        seen: set[tuple[Any, ...]] = set()
        first: list[Sequence[Any]] = []
        again: list[Sequence[Any]] = []
        for row in rows:
            key = tuple(row[place] for place in unique)
            (again if key in seen else first).append(row)
            seen.add(key)
        yield first
        rows = again
