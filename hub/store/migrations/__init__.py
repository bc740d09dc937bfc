"""Migrations: numbered SQL files, forward only; the schema is their sum.

What the engines say differently stands in the files as a `$name`: `$sequence` is a number that the database gives out in
order, `$bytes` raw bytes, `$clustered` ends a table whose rows are stored in the order of their key, and
`$append_only_<table>` forbids to change or delete a row of the table. PostgreSQL orders all text by its bytes, as SQLite does,
whatever the language of the database.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    PostgresConnection = psycopg.Connection[dict[str, Any]]

_RECORD = "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)"
_RECORD_OF_BOTH = "CREATE TABLE IF NOT EXISTS migration (schema TEXT, name TEXT, PRIMARY KEY (schema, name))"
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_TEXT = re.compile(r"\bTEXT\b")
_APPEND_ONLY = "append_only_"


class _Sqlite(dict[str, str]):
    """What SQLite says for a `$name`."""

    def __missing__(self, name: str) -> str:
        if not name.startswith(_APPEND_ONLY):
            raise KeyError(name)
        table = name.removeprefix(_APPEND_ONLY)
        return "\n".join(
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append only: a row is never changed or deleted'); END;"
            for verb in ("update", "delete")
        )


class _Postgres(dict[str, str]):
    """What PostgreSQL says for a `$name`."""

    def __missing__(self, name: str) -> str:
        if not name.startswith(_APPEND_ONLY):
            raise KeyError(name)
        table = name.removeprefix(_APPEND_ONLY)
        refuse = f"RAISE EXCEPTION '{table} is append only: a row is never changed or deleted'"
        return "\n".join(
            [
                f"CREATE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {refuse}; END$$;",
                *(
                    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuses();"
                    for verb in ("update", "delete", "truncate")
                ),
            ]
        )


_SQLITE = _Sqlite(sequence="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB", clustered="WITHOUT ROWID")
_POSTGRES = _Postgres(sequence="BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", bytes="BYTEA", clustered="")


@cache
def steps(schema: str) -> tuple[tuple[str, str], ...]:
    """The name and the text of each step of a schema (`hub` or `inbox`), in order."""
    folder = files(__name__).joinpath(schema)
    return tuple(sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".sql")))


def tables(schema: str) -> list[str]:
    """The names of the tables that the steps of a schema make; some are made anew in another form by a later one."""
    return list(dict.fromkeys(name for _, text in steps(schema) for name in _TABLE.findall(text)))


def missing_sqlite(connection: sqlite3.Connection, schema: str) -> list[str]:
    """The names of the steps that the file has not taken yet."""
    connection.execute(_RECORD)
    taken = {row[0] for row in connection.execute("SELECT name FROM migration")}
    return [name for name, _ in steps(schema) if name not in taken]


def apply_sqlite(connection: sqlite3.Connection, schema: str, *, only: Collection[str] | None = None) -> list[str]:
    """Take every step that the file has not taken yet, each in a transaction of its own with its record.

    only: take none but these, for tables as an older version had them.
    """
    texts = dict(steps(schema))
    fresh = [name for name in missing_sqlite(connection, schema) if only is None or name in only]
    for name in fresh:
        script = Template(texts[name]).substitute(_SQLITE)
        try:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nINSERT INTO migration (name) VALUES ('{name}');\nCOMMIT;")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if name in missing_sqlite(connection, schema):  # else another process was taking it at the same time
                raise
    return fresh


def advisory_lock(purpose: str) -> str:
    """The number under which processes take turns, as SQL; hubs in several schemas of one database have their own."""
    return advisory_key(f"'{purpose}'")


def advisory_key(purpose: str) -> str:
    """The same for a purpose that is itself SQL."""
    return f"hashtextextended(current_schema() || ':loyalty-hub:' || {purpose}, 0)"


def shut(connection: PostgresConnection, schema: str) -> None:
    """Until this transaction ends, no other process changes tables, and none writes to this schema."""
    for purpose in ("migration", schema):
        connection.execute(f"SELECT pg_advisory_xact_lock({advisory_lock(purpose)})".encode())


def missing_postgres(connection: PostgresConnection, schema: str) -> list[str]:
    """The names of the steps that the database has not taken yet."""
    there = connection.execute("SELECT to_regclass('migration') IS NOT NULL AS there").fetchone()
    taken: set[str] = set()
    if there and there["there"]:
        rows = connection.execute("SELECT name FROM migration WHERE schema = $1", [schema])
        taken = {row["name"] for row in rows}
    return [name for name, _ in steps(schema) if name not in taken]


def apply_postgres(connection: PostgresConnection, schema: str, *, only: Collection[str] | None = None) -> list[str]:
    """Take every step that the database has not taken yet, each in a transaction of its own with its record.

    One process at a time; the others wait, and find that nothing is left to do. only: take none but these.
    """
    fresh = []
    texts = dict(steps(schema))
    for name in [name for name in missing_postgres(connection, schema) if only is None or name in only]:
        script = _TEXT.sub('TEXT COLLATE "C"', Template(texts[name]).substitute(_POSTGRES))
        with connection.transaction():
            shut(connection, schema)
            connection.execute(_RECORD_OF_BOTH)
            if name in missing_postgres(connection, schema):
                connection.execute(script.encode(), prepare=False)
                connection.execute("INSERT INTO migration (schema, name) VALUES ($1, $2)", [schema, name])
                fresh.append(name)
    return fresh
