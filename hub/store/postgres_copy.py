"""PostgreSQL copy: the tables as one snapshot sees them, and new tables that are put in the place of old ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
from psycopg import sql

from hub.errors import HubError
from hub.store import migrations
from hub.store.connections import Connection
from hub.store.moment import Column, Kind, Table, Values
from hub.store.postgres import PostgresSession
from hub.store.session import Session
from hub.store.sets import Sets

_KINDS: Mapping[str, Kind] = {"text": "text", "bigint": "integer", "bytea": "bytes"}
_BINARY: Mapping[Kind, str] = {"text": "text", "integer": "int8", "bytes": "bytea"}
_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, array_position(i.indkey::int2[], a.attnum) AS key
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""
_SEQUENCE = "SELECT pg_get_serial_sequence($1, $2) AS name"
_STEPS = "SELECT name FROM migration WHERE schema = $1 ORDER BY name"
_THERE = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL ORDER BY name"
_GUARDS = """
SELECT DISTINCT p.proname AS name FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgrelid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) ORDER BY p.proname"""
_LOCK_SECONDS = 20


class PostgresMoment:
    """One schema as the connection's snapshot sees it."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        self.session: Session = PostgresSession(connection, Sets(), ())

    def steps(self) -> list[str]:
        return [row["name"] for row in self._ask(_STEPS, self._schema)]

    def tables(self) -> list[Table]:
        return [table for name in sorted(migrations.tables(self._schema)) if (table := self._table(name)).columns]

    def rows(self, table: Table) -> Iterator[Values]:
        asked = f"COPY (SELECT {table.names} FROM {table.name} ORDER BY {', '.join(table.key)}) TO STDOUT (FORMAT BINARY)"  # noqa: S608
        with self._connection.cursor() as cursor, cursor.copy(asked.encode()) as copy:
            copy.set_types([_BINARY[column.kind] for column in table.columns])
            yield from copy.rows()

    def last_numbers(self) -> dict[str, int]:
        found = {}
        for table in self.tables():
            sequence = _sequence_of(self._connection, table)
            if sequence is not None:
                asked = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS number FROM {}").format(sequence)
                [row] = self._connection.execute(asked).fetchall()
                found[table.name] = int(row["number"])
        return {name: number for name, number in found.items() if number}

    def _table(self, name: str) -> Table:
        found = self._ask(_COLUMNS, name)
        key = sorted((row for row in found if row["key"] is not None), key=lambda row: int(row["key"]))
        columns = tuple(Column(row["name"], _KINDS[row["type"]]) for row in found)
        return Table(name, columns, tuple(row["name"] for row in key))

    def _ask(self, text: str, value: str) -> list[dict[str, Any]]:
        return self._connection.execute(text.encode(), [value]).fetchall()


class PostgresRefill:
    """New tables in a transaction that others do not see yet."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def prepare(self, schema: str, steps: Collection[str]) -> None:
        migrations.apply_postgres(self._connection, schema, only=steps)

    def fill(self, schema: str, table: Table, rows: Iterable[Values]) -> None:
        asked = f"COPY {table.name} ({table.names}) FROM STDIN (FORMAT BINARY)"
        try:
            with self._connection.cursor() as cursor, cursor.copy(asked.encode()) as copy:
                copy.set_types([_BINARY[column.kind] for column in table.columns])
                for row in rows:
                    copy.write_row(row)
        except psycopg.DataError as error:
            raise HubError(f"PostgreSQL does not take a row of `{table.name}`: {str(error).strip()}") from error

    def finish(self, schema: str, last_numbers: Mapping[str, int]) -> list[str]:
        for name, number in last_numbers.items():
            sequence = _sequence_of(self._connection, PostgresMoment(self._connection, schema)._table(name))
            if sequence is not None:
                self._connection.execute("SELECT setval($1::regclass, $2)", [sequence.as_string(self._connection), number])
        taken = migrations.apply_postgres(self._connection, schema)
        for name in migrations.tables(schema):
            self._connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))
        return taken

    @contextmanager
    def write(self, schema: str) -> Iterator[Session]:
        session = PostgresSession(self._connection, Sets(), ())
        yield session
        session.send()

    def read(self, schema: str) -> AbstractContextManager[Session]:
        return self.write(schema)


@contextmanager
def refilled(connection: Connection, aside: str | None) -> Iterator[PostgresRefill]:
    """New tables; they take the place of the old ones when the block ends without an error.

    aside: the schema into which the old ones go; None when they hold nothing and can be dropped. HubError when other processes
    do not let go of them. Processes that take deliveries in wait meanwhile, and go on with the new tables.
    """
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
        names = ["migration", *(name for schema in ("hub", "inbox") for name in migrations.tables(schema))]
        old = [row["name"] for row in connection.execute(_THERE.encode(), [names])]
        try:
            if old:
                _lock(connection, old)
            _clear(connection, old, aside)
        except psycopg.errors.LockNotAvailable as error:
            raise HubError(f"other processes have held the tables for {_LOCK_SECONDS} seconds; stop them") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise HubError(f"what is there cannot be set aside: {str(error).strip()}") from error
        yield PostgresRefill(connection)


def _lock(connection: Connection, tables: Collection[str]) -> None:
    for schema in ("hub", "inbox"):  # as those who write begin; else each might have what the other wants
        migrations.shut(connection, schema)
    listed = sql.SQL(", ").join(map(sql.Identifier, tables))
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(listed))


def _clear(connection: Connection, tables: Collection[str], aside: str | None) -> None:
    guards = [row["name"] for row in connection.execute(_GUARDS.encode(), [list(tables)])]
    kinds = [("TABLE", name) for name in tables] + [("FUNCTION", name) for name in guards]
    if aside is not None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(aside)))
    for kind, name in kinds:
        what = sql.SQL("{} {}").format(sql.SQL(kind), sql.Identifier(name))
        if aside is None:
            connection.execute(sql.SQL("DROP {}").format(what))
        else:
            connection.execute(sql.SQL("ALTER {} SET SCHEMA {}").format(what, sql.Identifier(aside)))


def _sequence_of(connection: Connection, table: Table) -> sql.Composable | None:
    """The sequence that numbers the rows of a table; only a key of one column has one."""
    if len(table.key) != 1:
        return None
    [row] = connection.execute(_SEQUENCE.encode(), [table.name, table.key[0]]).fetchall()
    return sql.SQL(row["name"]) if row["name"] else None
