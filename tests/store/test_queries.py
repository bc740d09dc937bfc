"""Named queries, and that every one of the hub prepares on a migrated database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.store import Queries, Query, Store, load
from hub.store.postgres import _numbered as dollars
from hub.store.sqlite import _named, _numbered
from tests.databases import Folder, Place, ask

ROOT = Path(__file__).parents[2] / "hub"
FILES = sorted(path for path in ROOT.rglob("*.sql") if "migrations" not in path.parts)


def test_a_query_has_a_name_a_sentence_and_its_parameters_in_order(queries: Queries) -> None:
    """A parameter that is named twice is one; a cast and a time of day are none."""
    found = Queries(
        "x", "-- one --\n-- First line,\n-- second line.\nSELECT :b, :a, :b, x::text WHERE t = ':c' OR y = :d;\n"
    ).one
    assert (found.name, found.sentence) == ("one", "First line, second line.")
    assert found.parameters[:2] == ("b", "a")
    assert "text" not in found.parameters
    assert not found.sql.endswith(";")
    assert [query.name for query in queries] == ["add", "save", "pairs", "some"]


def test_a_query_that_is_not_there_is_named(queries: Queries) -> None:
    """With the file that should have it."""
    with pytest.raises(AttributeError, match="test has no query named 'lost'"):
        _ = queries.lost


def test_two_queries_are_never_equal() -> None:
    """So that a unit tells them apart, and finds them fast."""
    text = "-- one --\n-- It.\nSELECT 1;\n"
    assert Queries("x", text).one != Queries("x", text).one


def test_in_takes_a_sequence_of_any_length(store: Store, queries: Queries) -> None:
    """None, one, thousands; texts with quotes and beyond ASCII too."""
    names = ['a"b', "ü", "c'd", "e,f"]
    with store.write() as session:
        session.run_many(queries.add, [(name, n) for n, name in enumerate(names)])
        for asked in ([], ["ü"], names, tuple(names), set(names), [*names, *(str(n) for n in range(20_000))]):
            found = {row["name"] for row in session.rows(queries.some, names=asked)}
            assert found == set(asked) & set(names)


def test_row_gives_the_first_or_none_and_run_the_count(store: Store, queries: Queries) -> None:
    """The three ways to ask."""
    with store.write() as session:
        assert session.row(queries.pairs) is None
        assert session.run(queries.add, name="a", number=1) == 1
        session.run_many(queries.save, [("a", 2), ("b", 3)])
        first = session.row(queries.pairs)
        assert first is not None
        assert (first["name"], first["number"]) == ("a", 2)


def test_one_query_can_be_run_by_names_and_by_rows(store: Store, queries: Queries) -> None:
    """Both forms of its text are kept apart."""
    with store.write() as session:
        session.run_many(queries.save, [("a", 1)])
        session.run(queries.save, name="a", number=2)
        session.run_many(queries.save, [("a", 3)])
        assert [row["number"] for row in session.rows(queries.pairs)] == [3]


def loaded(path: Path) -> Queries:
    package = ".".join(("hub", *path.parent.relative_to(ROOT).parts))
    return load(package, path.name)


def prepared_on_sqlite(store: Store, query: Query) -> str:
    """What the database says against the query; nothing when it prepares."""
    try:
        with store.write() as session:
            session._connection.execute("EXPLAIN " + _named(query), dict.fromkeys(query.parameters, "[]"))
            if not query.sql.upper().startswith("SELECT") and " IN :" not in query.sql:
                session._connection.execute("EXPLAIN " + _numbered(query), [None] * len(query.parameters))
    except sqlite3.Error as error:
        return str(error)
    return ""


def prepared_on_postgres(store: Store, query: Query) -> str:
    try:
        with store.read() as session:
            ask(session, "SELECT 1")
            session._connection.execute("PREPARE tried AS " + dollars(query).decode(), prepare=False)
            session._connection.execute("DEALLOCATE tried", prepare=False)
    except psycopg.ProgrammingError as error:
        return str(error)
    return ""


def test_every_query_of_the_hub_prepares_on_a_migrated_database(place: Place) -> None:
    """A column that was renamed, a table that is not there, a query that lost its header, a word of one engine alone."""
    stores = [place.open(schema) for schema in ("hub", "inbox")]
    prepared = prepared_on_sqlite if isinstance(place, Folder) else prepared_on_postgres
    for path in FILES:
        queries = list(loaded(path))
        headers = [line for line in path.read_text("utf-8").splitlines() if line.startswith("-- ") and line.endswith(" --")]
        assert len(queries) == len(headers)
        said = {query.name: [prepared(store, query) for store in stores] for query in queries}
        assert {name: answers for name, answers in said.items() if all(answers)} == {}, path
    for store in stores:
        store.close()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_queries_keep_to_what_both_engines_understand(path: Path) -> None:
    """No words of one engine; every query says in a sentence what it is for."""
    forbidden = ("INSERT OR", "REPLACE INTO", "ROWID", "JSON_", "AUTOINCREMENT", "STRFTIME", "IFNULL", "GROUP_CONCAT", "?", "%")
    for query in loaded(path):
        assert query.sentence.endswith("."), query.name
        assert [word for word in forbidden if word in query.sql.upper()] == [], query.name


def test_values_of_many_rows_stand_in_the_order_of_the_parameters() -> None:
    """Also where a parameter is used twice."""
    query: Any = Queries("x", "-- one --\n-- It.\nUPDATE t SET a = :a, b = :b WHERE c = :a;\n").one
    assert query.parameters == ("a", "b")
    assert _numbered(query) == "UPDATE t SET a = ?1, b = ?2 WHERE c = ?1"
    assert dollars(query) == b"UPDATE t SET a = $1, b = $2 WHERE c = $1"


def test_a_sequence_is_an_array_on_postgres() -> None:
    """IN and NOT IN alike; a cast and a time of day are no parameters."""
    query = Queries("x", "-- one --\n-- It.\nSELECT a::text FROM t WHERE a IN :a AND b NOT IN :b AND c = '10:30';\n").one
    assert dollars(query) == b"SELECT a::text FROM t WHERE a = ANY($1) AND b <> ALL($2) AND c = '10:30'"
