"""Migrations: the schema is their sum, each is taken once and whole."""

from __future__ import annotations

import re
import sqlite3
import threading

import psycopg
import pytest

from hub.store import migrations
from tests.databases import Folder, Place, ask

SCHEMAS = ("hub", "inbox")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_step_is_taken_once_in_order(schema: str, bare_place: Place) -> None:
    """A second start takes none; the record names them."""
    store = bare_place.make(schema)
    names = [name for name, _ in migrations.steps(schema)]
    assert store.migrate() == names == sorted(names)
    assert store.migrate() == []
    with store.read() as session:
        assert [name for (name,) in ask(session, "SELECT name FROM migration ORDER BY name")] == names
    store.close()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_steps_are_numbered_without_a_gap(schema: str) -> None:
    """Four digits and a word, so that the order of names is the order of steps."""
    numbers = [int(name.partition("_")[0]) for name, _ in migrations.steps(schema)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(re.fullmatch(r"\d{4}_\w+\.sql", name) for name, _ in migrations.steps(schema))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_steps_use_only_types_that_both_engines_have(schema: str) -> None:
    """TEXT, BIGINT, and what the engines say differently as a `$name`."""
    for name, text in migrations.steps(schema):
        bare = re.sub(r"--.*", "", text)
        words = r"\b(INTEGER|REAL|BLOB|FLOAT|DOUBLE|NUMERIC|BOOLEAN|DATETIME|ROWID|AUTOINCREMENT)\b"
        assert not re.search(words, bare, re.IGNORECASE), name
        names = {found for found in re.findall(r"\$(\w+)", bare) if not found.startswith("append_only_")}
        assert names <= {"sequence", "bytes", "clustered"}, name


def test_a_step_that_fails_leaves_the_database_as_it_was(bare_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its tables nor its record, nor an open transaction; the steps before it stay."""
    broken = [
        ("0001_good.sql", "CREATE TABLE good (x TEXT);"),
        ("0002_bad.sql", "CREATE TABLE half (x TEXT); CREATE TABLE good (x TEXT);"),
    ]
    monkeypatch.setattr(migrations, "steps", lambda schema: broken)
    store = bare_place.make("hub")
    with pytest.raises((sqlite3.OperationalError, psycopg.ProgrammingError), match=r"good.* already exists"):
        store.migrate()
    with store.read() as session:
        assert ask(session, "SELECT name FROM migration") == [("0001_good.sql",)]
        assert ask(session, "SELECT x FROM good") == []
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable), match="half"), store.read() as session:
        ask(session, "SELECT x FROM half")
    store.close()


def test_an_unknown_name_in_a_step_is_refused(bare_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is run."""
    monkeypatch.setattr(migrations, "steps", lambda schema: [("0001_x.sql", "CREATE TABLE x (y $nonsense);")])
    store = bare_place.make("hub")
    with pytest.raises(KeyError, match="nonsense"):
        store.migrate()
    store.close()


def test_an_append_only_table_refuses_changes(bare_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`$append_only_<table>` is the engine's own guard; new rows are welcome."""
    step = "CREATE TABLE log (seq $sequence, text TEXT) ;\n$append_only_log"
    monkeypatch.setattr(migrations, "steps", lambda schema: [("0001_log.sql", step)])
    store = bare_place.make("hub")
    store.migrate()
    with store.write() as session:
        ask(session, "INSERT INTO log (text) VALUES ('a'), ('b')")
    for statement in ("UPDATE log SET text = 'c'", "DELETE FROM log WHERE seq = 1"):
        refused = (sqlite3.IntegrityError, psycopg.errors.RaiseException)
        with pytest.raises(refused, match="log is append only"), store.write() as session:
            ask(session, statement)
    store.close()


def test_tables_that_are_laid_anew_keep_their_rows(bare_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members, what finds them, their consents and what events are about are there after the step that clusters them."""
    steps = migrations.steps("hub")
    before = [step for step in steps if step[0] < "0016"]
    monkeypatch.setattr(migrations, "steps", lambda schema: before)
    store = bare_place.make("hub")
    store.migrate()
    kept = {
        "member": "id, joined_at, joined_on, joined_month_day, tags, attributes, lifetime_points, purchases, spent, tier",
        "identity": "identity, member_id, added_at",
        "consent": "channel, address, own, own_source, own_at, noted, noted_at",
        "event_reference": "connection, kind, ref_id, event_id",
    }
    rows = {
        "member": [
            ("mem_2", "2026-02-06", "2026-02-06", "02-06", "[]", "{}", 7, 2, 1850, None),
            ("mem_1", "2026-02-05", "2026-02-05", "02-05", "[]", "{}", 0, 1, 500, "mem_2"),
        ],
        "identity": [("id:till:c2", "mem_2", "2026-02-06"), ("email:ann@example.com", "mem_1", "2026-02-05")],
        "consent": [("sms", "+14155550101", "granted", "join", "2026-02-06", None, "1970-01-01")],
        "event_reference": [("till", "order", "o2", "evt_2"), ("till", "order", "o1", "evt_1")],
    }
    with store.write() as session:
        for table, columns in kept.items():
            for row in rows[table]:
                values = ", ".join("NULL" if value is None else repr(value) for value in row)
                ask(session, f"INSERT INTO {table} ({columns}) VALUES ({values})")
    monkeypatch.setattr(migrations, "steps", lambda schema: steps)
    assert "0016_clustered.sql" in store.migrate()
    with store.read() as session:
        for table, columns in kept.items():
            assert sorted(map(tuple, ask(session, f"SELECT {columns} FROM {table}"))) == sorted(rows[table]), table
    store.close()


def test_many_may_start_at_once(bare_place: Place) -> None:
    """Every process brings the tables up to date when it starts: each step is taken by one of them."""
    taken: list[str] = []

    def start() -> None:
        for schema in SCHEMAS:
            store = bare_place.make(schema)
            taken.extend(store.migrate())
            assert store.missing_steps() == []
            store.close()

    if isinstance(bare_place, Folder):
        start()
    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(name for schema in SCHEMAS for name, _ in migrations.steps(schema))


def test_the_steps_of_both_schemas_fit_into_one_database() -> None:
    """No table is in both."""
    tables = [name for schema in SCHEMAS for name in migrations.tables(schema)]
    assert len(tables) == len(set(tables))
    assert "delivery" in tables
    assert "txn" in tables
