"""Migrations: numbered SQL files, forward only; the schema is their sum.

`$sequence` stands for a number that the database gives out in order, `$bytes` for raw bytes.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from string import Template

_RECORD = "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY)"
_SQLITE = {"sequence": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB"}


def steps(schema: str) -> list[tuple[str, str]]:
    """The name and the text of each step of a schema (`hub` or `inbox`), in order."""
    folder = files(__name__).joinpath(schema)
    return sorted((file.name, file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".sql"))


def apply_sqlite(connection: sqlite3.Connection, schema: str) -> list[str]:
    """Take every step that the file has not taken yet, each in a transaction of its own with its record."""
    connection.execute(_RECORD)
    taken = {row[0] for row in connection.execute("SELECT name FROM migration")}
    fresh = [(name, text) for name, text in steps(schema) if name not in taken]
    for name, text in fresh:
        script = Template(text).substitute(_SQLITE)
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nINSERT INTO migration (name) VALUES ('{name}');\nCOMMIT;")
    return [name for name, _ in fresh]
