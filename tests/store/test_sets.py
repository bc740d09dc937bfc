"""Sets: many rows with one statement, as if each had been written by itself; and how seldom the server is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import Unavailable
from hub.store import Queries, Query, Store, load, sets
from hub.store.connections import connect
from hub.store.postgres import PostgresStore
from hub.store.sets import Sets
from tests.databases import Corner, Place, ask
from tests.store.wire import Wire

ROOT = Path(__file__).parents[2] / "hub"
FILES = sorted(path for path in ROOT.rglob("*.sql") if "migrations" not in path.parts)
WRITTEN = Queries(
    "test",
    """
-- note --
-- A change of a member.
INSERT INTO member_change (member_id, field, old_value, new_value, cause, at)
VALUES (:member_id, :field, :old_value, :new_value, 'test', :at);

-- count --
-- So many more.
INSERT INTO tally (subject, name, number) VALUES (:subject, :name, :number)
ON CONFLICT (subject, name) DO UPDATE SET number = tally.number + excluded.number;

-- add --
-- So many.
INSERT INTO tally (subject, name, number) VALUES (:subject, :name, :number);

-- move --
-- So many, under this name.
UPDATE tally SET number = :number, subject = :subject WHERE name = :name;

-- drop --
-- None of these.
DELETE FROM tally WHERE name = :name;

-- balance --
-- The head of a chain.
INSERT INTO balance (member_id, available, pending, held, debt, seq, head) VALUES (:member_id, 0, 0, 0, 0, :seq, :head);
""",
)
NUMBERS = "SELECT name, number FROM tally ORDER BY name"


@pytest.fixture
def tables(place: Place) -> Iterator[Store]:
    store = place.open("hub")
    yield store
    store.close()


@pytest.fixture
def wire(postgres: Corner) -> Iterator[Wire]:
    postgres.open("hub").close()
    wire = Wire(postgres.url)
    yield wire
    wire.close()


def _of_many_rows() -> list[Query]:
    found = [load(".".join(("hub", *path.parent.relative_to(ROOT).parts)), path.name) for path in FILES]
    inserts = [query for queries in found for query in queries if query.sql.startswith("INSERT")]
    return [*inserts, load("hub.engine").settle_event]


@pytest.mark.parametrize("query", _of_many_rows(), ids=lambda query: query.name)
def test_what_the_hub_writes_by_the_batch_takes_all_its_rows_at_once(query: Query, postgres: Corner) -> None:
    """And the server understands it."""
    for schema in ("hub", "inbox"):
        postgres.open(schema).close()
    with connect(postgres.url) as connection:
        whole = Sets().of(query, connection)
        assert whole is not None
        connection.execute(b"PREPARE it AS " + whole.statement)


def test_rows_are_written_in_their_order(tables: Store) -> None:
    """The database gives out its numbers in it; nothing, any text and what stands in the statement itself come through."""
    given = [(f"m{n}", "f", None if n % 2 else "ü\u2028'\"{}\\", "" if n % 3 else None, str(n)) for n in range(400)]
    with tables.write() as session:
        session.run_many(WRITTEN.note, given)
        assert ask(session, "SELECT member_id, field, old_value, new_value, at FROM member_change ORDER BY seq") == given
        assert ask(session, "SELECT DISTINCT cause FROM member_change") == [("test",)]


def test_numbers_and_bytes_of_any_size_come_back(tables: Store) -> None:
    """As they were given."""
    given = [("a", 2**63 - 1, bytes(range(256))), ("b", -(2**63), b""), ("c", 0, b"\0" * 9)]
    with tables.write() as session:
        session.run_many(WRITTEN.balance, given)
        assert ask(session, "SELECT member_id, seq, head FROM balance ORDER BY member_id") == given


def test_a_key_that_comes_twice_is_written_twice(tables: Store) -> None:
    """One after another, although one statement cannot change a row twice."""
    with tables.write() as session:
        session.run_many(WRITTEN.count, [("s", "a", 1), ("s", "b", 5), ("s", "a", 2), ("t", "a", 7), ("s", "a", 4)])
        session.run_many(WRITTEN.count, [])
        assert ask(session, "SELECT number FROM tally ORDER BY subject, name") == [(7,), (5,), (7,)]
        session.run_many(WRITTEN.drop, [("a",), ("nobody",)])
        assert ask(session, NUMBERS) == [("b", 5)]


def test_rows_that_are_there_take_new_values(tables: Store) -> None:
    """The later ones, where a row is named twice; the rest stays as it is."""
    with tables.write() as session:
        session.run_many(WRITTEN.add, [("s", name, 1) for name in "abc"])
        session.run_many(WRITTEN.move, [(2, "t", "a"), (3, "t", "nobody"), (4, "u", "c"), (5, "v", "a")])
        assert ask(session, "SELECT name, number, subject FROM tally ORDER BY name") == [
            ("a", 5, "v"),
            ("b", 1, "s"),
            ("c", 4, "u"),
        ]


def test_what_is_too_large_for_one_statement_goes_in_several(tables: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is larger by itself goes alone."""
    monkeypatch.setattr(sets, "_BYTES_MOST", 2_000)
    given = [(f"{n:03}{'x' * (5_000 if n == 50 else 100)}", n) for n in range(100)]
    with tables.write() as session:
        session.run_many(WRITTEN.add, [("s", name, number) for name, number in given])
        assert ask(session, NUMBERS) == given


def test_what_is_written_goes_with_the_commit_in_one_trip(wire: Wire) -> None:
    """However many statements and rows it is."""
    store = PostgresStore(wire.url, "hub")
    for trips in (None, 1):  # the first time the types of the columns are asked for
        before = wire.trips
        with store.write() as session:
            session.run_many(WRITTEN.count, [("s", str(n), 1) for n in range(300)])
            session.run_many(WRITTEN.drop, [(str(n),) for n in range(300)])
            session.run_many(WRITTEN.count, [("s", "x", 1)])
        assert trips in (None, wire.trips - before)
    with store.read() as session:
        assert ask(session, NUMBERS) == [("x", 2)]
    store.close()


def test_a_question_goes_with_the_beginning_and_with_what_was_written_before_it(wire: Wire) -> None:
    """And sees it."""
    store = PostgresStore(wire.url, "hub")
    for counted in (False, True):
        before = wire.trips
        with store.write() as session:
            session.run_many(WRITTEN.count, [("s", "x", 1)])
            [(_, number)] = ask(session, NUMBERS)
        with store.read() as session:
            assert ask(session, NUMBERS) == [("x", number)]
        assert not counted or wire.trips - before == 4
    store.close()


def test_what_cannot_be_written_undoes_the_transaction(tables: Store) -> None:
    """Although it may be noticed only at the end."""
    with pytest.raises(Exception, match=r"(?i)unique"), tables.write() as session:
        session.run_many(WRITTEN.count, [("s", "x", 1)])
        session.run_many(WRITTEN.add, [("s", "x", 1)])
    with tables.write() as session:
        assert ask(session, NUMBERS) == []
        session.run_many(WRITTEN.add, [("s", "x", 1)])
    with tables.read() as session:
        assert ask(session, NUMBERS) == [("x", 1)]


def test_an_unanswered_commit_is_an_error_although_it_was_kept(wire: Wire) -> None:
    """Whoever wrote cannot know; the next transaction sees it."""
    store = PostgresStore(wire.url, "hub")
    wire.cut_commits = 1
    with pytest.raises(Unavailable), store.write() as session:
        session.run_many(WRITTEN.add, [("s", "x", 1)])
    with store.read() as session:
        assert ask(session, NUMBERS) == [("x", 1)]
    store.close()
