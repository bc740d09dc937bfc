"""Migrations: numbered SQL files, forward only; the schema is their sum.

What the engines say differently stands in the files as a `$name`: `$sequence` is a number that the database gives out in
order, `$bytes` raw bytes, `$clustered` ends a table whose rows are stored in the order of their key, and
`$append_only_<table>` forbids to change or delete a row of the table.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from string import Template

_RECORD = "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)"
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


_SQLITE = _Sqlite(sequence="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB", clustered="WITHOUT ROWID")


def steps(schema: str) -> list[tuple[str, str]]:
    """The name and the text of each step of a schema (`hub` or `inbox`), in order."""
    folder = files(__name__).joinpath(schema)
    return sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".sql"))


def missing_sqlite(connection: sqlite3.Connection, schema: str) -> list[str]:
    """The names of the steps that the file has not taken yet."""
    connection.execute(_RECORD)
    taken = {row[0] for row in connection.execute("SELECT name FROM migration")}
    return [name for name, _ in steps(schema) if name not in taken]


def apply_sqlite(connection: sqlite3.Connection, schema: str) -> list[str]:
    """Take every step that the file has not taken yet, each in a transaction of its own with its record."""
    texts = dict(steps(schema))
    fresh = missing_sqlite(connection, schema)
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
