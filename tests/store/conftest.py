"""A database with one small table beside those of the hub, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.store import Queries, Store
from tests.databases import Place, ask

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
def store(place: Place) -> Iterator[Store]:
    store = place.open("hub")
    with store.write() as session:
        ask(session, "CREATE TABLE pair (name TEXT PRIMARY KEY, number BIGINT NOT NULL CHECK (number >= 0))")
    yield store
    with store.write() as session:
        ask(session, "DROP TABLE pair")
    store.close()
