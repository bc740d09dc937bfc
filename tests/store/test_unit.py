"""The unit of work: one read for many keys, one write for many changes, and a way back."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any, cast

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.store import Queries, Query, Session, Space, Store, Unit


class Pairs:
    """A space over the table, which counts how often the database is asked."""

    def __init__(self, queries: Queries) -> None:
        self.queries = queries
        self.asked: list[list[str]] = []
        self.space: Space[str, int] = Space("pair", self._load, queries.save, lambda name, number: (name, number))
        self.zero: Space[str, int] = Space("zero", self._load, missing=lambda _: 0)

    def _load(self, session: Session, names: Collection[str]) -> dict[str, int]:
        self.asked.append(list(names))
        return {row["name"]: row["number"] for row in session.rows(self.queries.some, names=list(names))}


class Watched:
    """A session that notes what is written through it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        self.statements.append(query.name)
        self._session.run_many(query, rows)


@pytest.fixture
def pairs(queries: Queries) -> Pairs:
    return Pairs(queries)


def stored(store: Store, queries: Queries) -> dict[str, int]:
    with store.read() as session:
        return {row["name"]: row["number"] for row in session.rows(queries.pairs)}


def test_keys_that_are_wanted_together_are_read_in_one_query(store: Store, pairs: Pairs) -> None:
    """What is known is not asked again, nor what is known to be absent; one that nobody wanted is read alone."""
    with store.write() as session:
        session.run_many(pairs.queries.add, [("a", 1), ("b", 2)])
        unit = Unit(session)
        unit.want(pairs.space, ["a", "b", "a", "x"])
        assert [unit.get(pairs.space, name) for name in "abx"] == [1, 2, None]
        unit.want(pairs.space, ["x", "b", "c"])
        unit.want(pairs.space, ["a"])
        assert unit.get(pairs.zero, "x") == 0
    assert pairs.asked == [["a", "b", "x"], ["c"], ["x"]]


def test_many_changes_of_a_key_are_one_row_at_the_end(store: Store, pairs: Pairs) -> None:
    """Nothing is written before the flush, and then the last value."""
    with store.write() as session:
        watched = Watched(session)
        unit = Unit(cast(Session, watched))
        for number in range(5):
            unit.put(pairs.space, "a", number)
        assert unit.get(pairs.space, "a") == 4
        assert watched.statements == []
        unit.flush()
        assert watched.statements == ["save"]
        unit.flush()
        assert watched.statements == ["save"]
    assert stored(store, pairs.queries) == {"a": 4}


def test_appended_rows_keep_their_order(store: Store, pairs: Pairs) -> None:
    """The values of a row stand in the order of the query's parameters."""
    with store.write() as session:
        unit = Unit(session)
        for name in "cab":
            unit.append(pairs.queries.add, (name, 7))
        unit.flush()
    assert stored(store, pairs.queries) == {"a": 7, "b": 7, "c": 7}


def test_what_is_only_known_is_not_written(store: Store, pairs: Pairs) -> None:
    """Another row brings it."""
    with store.write() as session:
        unit = Unit(session)
        unit.know(pairs.space, "a", 5)
        assert unit.get(pairs.space, "a") == 5
        unit.flush()
    assert stored(store, pairs.queries) == {}


def test_a_savepoint_that_fails_leaves_the_unit_as_it_was(store: Store, pairs: Pairs) -> None:
    """Values, new keys and rows; those of before it and after it are written."""
    with store.write() as session:
        session.run_many(pairs.queries.add, [("a", 1)])
        unit = Unit(session)
        unit.put(pairs.space, "b", 2)
        with pytest.raises(ZeroDivisionError), unit.savepoint():
            unit.put(pairs.space, "b", 3)
            unit.put(pairs.space, "c", 4)
            unit.know(pairs.space, "d", 5)
            unit.append(pairs.queries.add, ("e", 6))
            assert unit.get(pairs.space, "a") == 1
            raise ZeroDivisionError
        assert [unit.get(pairs.space, name) for name in "abcd"] == [1, 2, None, None]
        unit.put(pairs.space, "f", 7)
        unit.flush()
    assert stored(store, pairs.queries) == {"a": 1, "b": 2, "f": 7}


def test_an_inner_savepoint_is_undone_with_the_outer_one_and_alone(store: Store, pairs: Pairs) -> None:
    """Steps within an event within a batch."""
    with store.write() as session:
        unit = Unit(session)
        with unit.savepoint():
            unit.put(pairs.space, "a", 1)
            with pytest.raises(KeyError), unit.savepoint():
                unit.put(pairs.space, "a", 2)
                raise KeyError
            assert unit.get(pairs.space, "a") == 1
        with pytest.raises(ValueError, match="outer"), unit.savepoint():
            with unit.savepoint():
                unit.put(pairs.space, "a", 3)
            raise ValueError("outer")
        unit.flush()
    assert stored(store, pairs.queries) == {"a": 1}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_a_unit_stands_where_a_dictionary_would(store: Store, pairs: Pairs, seed: int) -> None:
    """Random changes in nested savepoints, some of which fail, end as they do on a copied dictionary."""
    source = random.Random(seed)

    def play(unit: Unit, plain: dict[str, int], depth: int) -> None:
        for _ in range(source.randrange(6)):
            name = source.choice("abcd")
            if source.random() < 0.3 and depth < 3:
                before = dict(plain)
                try:
                    with unit.savepoint():
                        play(unit, plain, depth + 1)
                        if source.random() < 0.5:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    plain.clear()
                    plain.update(before)
            elif source.random() < 0.2:
                assert unit.get(pairs.space, name) == plain.get(name)
            else:
                plain[name] = source.randrange(9)
                unit.put(pairs.space, name, plain[name])

    plain: dict[str, int] = stored(store, pairs.queries)
    with store.write() as session:
        unit = Unit(session)
        play(unit, plain, 0)
        unit.flush()
    assert stored(store, pairs.queries) == plain


def test_a_row_that_the_database_refuses_undoes_the_whole_transaction(store: Store, pairs: Pairs) -> None:
    """A batch is written whole or not at all."""

    def write(number: Any) -> None:
        with store.write() as session:
            unit = Unit(session)
            unit.append(pairs.queries.add, ("first", 1))
            unit.put(pairs.space, "second", number)
            unit.flush()

    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        write(-1)
    assert stored(store, pairs.queries) == {}
    write(2)
    assert stored(store, pairs.queries) == {"first": 1, "second": 2}
