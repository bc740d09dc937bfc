"""What a database promises, on each engine."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import VirtualClock, to_text
from hub.ids import Ids
from hub.store import Queries, Query, Store
from hub.store.session import Collided
from tests.databases import ask

REFUSED = (sqlite3.IntegrityError, Collided)
LOST = (sqlite3.OperationalError, psycopg.errors.UndefinedTable)
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
_ADD = Query(
    "add", "", "INSERT INTO tally (subject, name, number) VALUES (:subject, :name, :number)", ("subject", "name", "number")
)


def test_a_block_that_raises_leaves_nothing(store: Store, queries: Queries) -> None:
    """And the next one can write."""
    with pytest.raises(KeyError), store.write() as session:
        session.run(queries.add, name="a", number=1)
        raise KeyError
    with store.write() as session:
        assert session.rows(queries.pairs) == []
        session.run(queries.add, name="b", number=1)
    with store.read() as session:
        assert len(session.rows(queries.pairs)) == 1


def test_a_statement_that_fails_undoes_the_transaction(store: Store, queries: Queries) -> None:
    """Also when the database has ended the transaction by itself."""
    with pytest.raises(REFUSED), store.write() as session:
        session.run(queries.add, name="a", number=1)
        session.run(queries.add, name="a", number=2)
    with pytest.raises(LOST), store.write() as session:
        session.run(queries.add, name="a", number=1)
        ask(session, "ROLLBACK")
        ask(session, "SELECT * FROM nowhere")
    with store.read() as session:
        assert session.rows(queries.pairs) == []


def test_a_read_sees_one_state_whatever_is_written_meanwhile(store: Store, queries: Queries) -> None:
    """And sees the new state the next time."""
    with store.read() as reading:
        assert reading.rows(queries.pairs) == []
        with store.write() as session:
            session.run(queries.add, name="a", number=1)
        assert reading.rows(queries.pairs) == []
    with store.read() as reading:
        assert len(reading.rows(queries.pairs)) == 1


def test_a_read_cannot_write(store: Store, queries: Queries) -> None:
    """Only the worker's transactions change the database."""
    refused = (sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
    with store.read() as session, pytest.raises(refused, match=r"read-?only"):
        session.run(queries.add, name="a", number=1)


def test_writers_wait_for_one_another(store: Store, queries: Queries) -> None:
    """Many threads, one after another, none lost."""

    def write(thread: int) -> None:
        for n in range(20):
            with store.write() as session:
                session.run(queries.add, name=f"{thread}-{n}", number=n)
            with store.read() as reading:
                assert reading.rows(queries.pairs)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        assert len(session.rows(queries.pairs)) == 120


def test_the_size_is_what_the_disk_holds(store: Store) -> None:
    """Of SQLite also the log, not only the main file; of PostgreSQL the tables of this schema."""
    store.checkpoint()
    before = store.size_bytes()
    with store.write() as session:
        session.run_many(_ADD, [(f"{n:0500}", "", n) for n in range(500)])
    assert store.size_bytes() > before + 100_000


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(NAMES))
def test_text_is_ordered_by_its_bytes(store: Store, queries: Queries, names: set[str]) -> None:
    """So are ids and times of both engines in one order, whatever language the database was made for."""
    with store.write() as session:
        ask(session, "DELETE FROM tally")
        session.run_many(_ADD, [("x", name, 1) for name in names])
        found = [name for (name,) in ask(session, "SELECT name FROM tally ORDER BY name")]
        assert found == sorted(names, key=str.encode)
        for name in names:
            after = ask(session, "SELECT COUNT(*) FROM tally WHERE name > ?", name)
            assert after == [(sum(other.encode() > name.encode() for other in names),)]


def test_ids_and_times_are_ordered_alike(store: Store) -> None:
    """An id sorts by its time, a time by itself, also beside what is older than the hub's way of writing it."""
    clock = VirtualClock(datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC))
    ids = Ids(clock, Random(1))
    made = []
    for _ in range(40):
        made += [(ids.new("evt"), to_text(clock.now())), (ids.new("mem"), to_text(clock.now()))]
        clock.move_to(clock.now() + timedelta(milliseconds=1))
    with store.write() as session:
        session.run_many(_ADD, [(time, id_, 1) for id_, time in reversed(made)])
        found = ask(session, "SELECT name, subject FROM tally WHERE name LIKE 'evt_%' ORDER BY name")
        assert found == [one for one in made if one[0].startswith("evt")]
        times = [time for (time,) in ask(session, "SELECT DISTINCT subject FROM tally ORDER BY subject")]
        assert times == list(dict.fromkeys(time for _, time in made))


def test_values_come_back_as_they_were_given(store: Store) -> None:
    """Integers of any size, bytes, text of any language and nothing; sums and counts are integers too."""
    with store.write() as session:
        for number in (0, 1, -1, 2**31, 2**63 - 1, -(2**63)):
            ask(session, "DELETE FROM tally")
            session.run_many(_ADD, [("ü\u2028'\"%s%%$1:x?", "", number)])
            [(subject, found)] = ask(session, "SELECT subject, number FROM tally")
            assert (subject, found, type(found)) == ("ü\u2028'\"%s%%$1:x?", number, int)
        ask(session, "DELETE FROM tally")
        session.run_many(_ADD, [("a", str(n), n) for n in range(5)])
        asked = "SELECT SUM(number) AS a, COUNT(*) AS b, MAX(number) AS c, MIN(name) AS d FROM tally WHERE number > 0"
        [row] = ask(session, asked)
        assert row == (10, 4, 4, "1")
        assert [type(value) for value in row[:3]] == [int, int, int]
        head = bytes(range(256))
        ask(session, "INSERT INTO balance VALUES (?, 0, 0, 0, 0, 1, ?)", "mem_1", head)
        [(found,)] = ask(session, "SELECT head FROM balance")
        assert (found, type(found)) == (head, bytes)
        ask(session, "INSERT INTO cursor VALUES ('a', ?)", "")
        assert ask(session, "SELECT value, NULL FROM cursor") == [("", None)]


def test_not_in_takes_a_sequence(store: Store, queries: Queries) -> None:
    """None excludes nothing."""
    others = Query("others", "", "SELECT name FROM pair WHERE name NOT IN :names ORDER BY name", ("names",))
    with store.write() as session:
        session.run_many(queries.add, [(name, 1) for name in "abc"])
        assert [row["name"] for row in session.rows(others, names=[])] == ["a", "b", "c"]
        assert [row["name"] for row in session.rows(others, names={"a", "c", "x"})] == ["b"]
