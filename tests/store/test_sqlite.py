"""The embedded engine: durable, one writer, many readers."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from hub.store import Queries
from hub.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "test.db", "hub")
    with store.write() as session:
        session._connection.execute("CREATE TABLE pair (name TEXT PRIMARY KEY, number BIGINT NOT NULL CHECK (number >= 0))")
    yield store
    store.close()


def setting(connection: Any, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_commit_is_on_the_disk_when_it_returns(store: SqliteStore) -> None:
    """WAL with synchronous FULL (2), on the writer and on readers."""
    with store.write() as session:
        assert setting(session._connection, "journal_mode") == "wal"
        assert setting(session._connection, "synchronous") == 2
    with store.read() as session:
        assert setting(session._connection, "journal_mode") == "wal"


def test_two_processes_may_make_a_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite sends away whoever wants a log while another process writes; the store comes again until that is done."""
    other = sqlite3.connect(tmp_path / "new.db", isolation_level=None)
    other.execute("PRAGMA auto_vacuum = INCREMENTAL")
    other.execute("CREATE TABLE first (number INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    rests = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        if other.in_transaction:
            other.execute("COMMIT")

    monkeypatch.setattr("time.sleep", rest)
    store = SqliteStore(tmp_path / "new.db", "hub")
    assert len(rests) >= 1 and store.migrate() != []
    store.close()
    other.close()


def test_freed_pages_go_back_to_the_disk(tmp_path: Path) -> None:
    """auto_vacuum is INCREMENTAL (2), which only a file without tables takes on; a checkpoint returns what was deleted."""
    store = SqliteStore(tmp_path / "new.db", "hub")
    store.migrate()
    with store.write() as session:
        assert setting(session._connection, "auto_vacuum") == 2
        session._connection.execute("CREATE TABLE big (text TEXT)")
        session._connection.executemany("INSERT INTO big VALUES (?)", [("x" * 3000,)] * 2000)
    store.checkpoint()
    full = store.size_bytes()
    with store.write() as session:
        session._connection.execute("DELETE FROM big")
    for _ in range(3):
        store.checkpoint()
    assert store.size_bytes() < full / 2
    assert (tmp_path / "new.db-wal").stat().st_size == 0
    store.close()


def test_what_was_committed_survives_a_process_that_is_killed(tmp_path: Path) -> None:
    """The open transaction is gone, the committed one is there."""
    script = (
        "import os, sys; from pathlib import Path; from hub.store.sqlite import SqliteStore\n"
        "store = SqliteStore(Path(sys.argv[1]), 'hub')\n"
        "with store.write() as session:\n"
        "    session._connection.execute('CREATE TABLE t (x)'); session._connection.execute('INSERT INTO t VALUES (1)')\n"
        "with store.write() as session:\n"
        "    session._connection.execute('INSERT INTO t VALUES (2)'); os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", script, str(tmp_path / "k.db")], cwd=root, check=False)
    assert ended.returncode == -9
    store = SqliteStore(tmp_path / "k.db", "hub")
    with store.read() as session:
        assert [tuple(row) for row in session._connection.execute("SELECT x FROM t")] == [(1,)]
    store.close()


def test_other_tools_open_the_file(store: SqliteStore, queries: Queries) -> None:
    """sqlite-utils and Datasette read what we write."""
    with store.write() as session:
        session.run(queries.add, name="a", number=1)
    database = sqlite_utils.Database(store.path)
    assert list(database["pair"].rows) == [{"name": "a", "number": 1}]
    database.close()


def test_a_checkpoint_waits_for_no_reader(store: SqliteStore, queries: Queries) -> None:
    """A backup that reads for minutes must not hold up the worker; the log is cut the next time."""
    log = store.path.with_name("test.db-wal")
    with store.read() as reading:
        reading.rows(queries.pairs)
        with store.write() as session:
            session.run(queries.add, name="a", number=1)
        began = time.monotonic()
        store.checkpoint()
        assert time.monotonic() - began < 5
        assert log.stat().st_size > 0
        with store.write() as session:
            assert setting(session.connection, "busy_timeout") == 10_000
    store.checkpoint()
    assert log.stat().st_size == 0
