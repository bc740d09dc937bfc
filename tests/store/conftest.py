"""A database with one small table, and no tables of the hub."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import Queries
from hub.store.sqlite import SqliteStore

QUERIES = Queries(
    "test",
    """
-- add --
-- A pair.
INSERT INTO pair (name, number) VALUES (:name, :number);

-- save --
-- A pair's new number.
INSERT INTO pair (name, number) VALUES (:name, :number) ON CONFLICT (name) DO UPDATE SET number = excluded.number;

-- pairs --
-- Every pair.
SELECT name, number FROM pair ORDER BY name;

-- some --
-- The pairs with these names.
SELECT name, number FROM pair WHERE name IN :names ORDER BY name;
""",
)


@pytest.fixture
def queries() -> Queries:
    return QUERIES


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "test.db", "hub")
    with sqlite3.connect(store.path) as connection:
        connection.execute("CREATE TABLE pair (name TEXT PRIMARY KEY, number BIGINT NOT NULL CHECK (number >= 0))")
    connection.close()
    yield store
    store.close()
