"""SQLite: one file, one writer, many readers.

WAL with `synchronous=FULL`: a commit is on the disk when it returns. The connections are those of `sqlite_utils.Database`,
so that sqlite-utils and Datasette open the same files.
"""

from __future__ import annotations

import json
import queue
import re
import shutil
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlite_utils import Database
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from hub.store import migrations
from hub.store.queries import Query
from hub.store.session import OutOfReach, Row

_IN = re.compile(r"\bIN :(\w+)")
_NAMED = re.compile(r"(?<![:\w]):([a-z_]\w*)")
_BUSY_MS = 10_000
_WAL_BYTES_MOST = 64 * 1024 * 1024
_WAL_PAGES_BETWEEN_CHECKPOINTS = 4_000
_READERS_KEPT = 8
_INCREMENTAL = 2
_TROUBLE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}


class SqliteSession:
    """A transaction or a read on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """For statements of the store's own, which no file of queries has."""
        return self._connection

    def lock(self, names: Collection[str]) -> bool:
        return False

    def try_lock(self, names: Collection[str]) -> Collection[str]:
        return names

    def rows(self, query: Query, **values: Any) -> list[Row]:
        return self._connection.execute(_named(query), _plain(values)).fetchall()

    def row(self, query: Query, **values: Any) -> Row | None:
        found: Row | None = self._connection.execute(_named(query), _plain(values)).fetchone()
        return found

    def run(self, query: Query, **values: Any) -> int:
        return self._connection.execute(_named(query), _plain(values)).rowcount

    def run_many(self, query: Query, rows: Sequence[Sequence[Any]]) -> None:
        self._connection.executemany(_numbered(query), rows)


@cache
def _named(query: Query) -> str:
    return _IN.sub(r"IN (SELECT value FROM json_each(:\1))", query.sql)


@cache
def _numbered(query: Query) -> str:
    numbers = {name: f"?{number}" for number, name in enumerate(query.parameters, start=1)}
    return _NAMED.sub(lambda found: numbers[found[1]], query.sql)


class SqliteStore:
    """A database file; `schema` names the folder of migrations that make its tables.

    cache_kilobytes: what the writer may hold of the file. In a large one every row of a batch lies on a page of its own; those
    that find no room are written in the middle of the batch and read again.
    """

    is_shared = False

    def __init__(self, path: Path, schema: str, *, cache_kilobytes: int = 2_000) -> None:
        self.path = path
        self.name = path.name
        self._writing = threading.Lock()
        self._writer = self._open()
        self._writer.execute(f"PRAGMA cache_size = -{cache_kilobytes}")
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._schema = schema

    def migrate(self, *, only: Collection[str] | None = None) -> list[str]:
        """Bring the tables up to date, or take these steps alone; gives the names of the steps that were taken."""
        with self._writing:
            return migrations.apply_sqlite(self._writer, self._schema, only=only)

    def missing_steps(self) -> list[str]:
        """The migrations that have not been taken yet."""
        connection = self._borrow()
        try:
            return migrations.missing_sqlite(connection, self._schema)
        finally:
            self._give_back(connection)

    @contextmanager
    def read(self) -> Iterator[SqliteSession]:
        connection = self._borrow()
        connection.execute("BEGIN")
        try:
            yield SqliteSession(connection)
        finally:
            connection.execute("ROLLBACK")
            self._give_back(connection)

    @contextmanager
    def write(self, *, alone: bool = False) -> Iterator[SqliteSession]:
        with self._writing:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield SqliteSession(self._writer)
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error) and _code(error) in _TROUBLE:
                    raise OutOfReach(f"{self.name} cannot be written now: {error}") from error
                raise

    def checkpoint(self) -> None:
        """Move the log into the file, cut it if nobody reads in it, and give freed pages back to the disk."""
        with self._writing:
            self._writer.executescript("PRAGMA incremental_vacuum(1000)")  # execute would give back one page and stop
            self._writer.execute("PRAGMA busy_timeout = 0")  # a long read, such as a backup, is not waited for
            try:
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")

    def size_bytes(self) -> int:
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def room_bytes(self) -> int:
        return shutil.disk_usage(self.path.parent).free

    def close(self) -> None:
        while not self._readers.empty():
            self._readers.get().close()
        self._writer.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=512, timeout=_BUSY_MS / 1000
        )
        database = Database(connection)
        _make_ready(connection)
        database.execute("PRAGMA synchronous = FULL")
        # A page that many batches write goes into the file once for all of them; the log stays well below its limit.
        database.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES_BETWEEN_CHECKPOINTS}")
        database.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_MOST}")
        connection.row_factory = sqlite3.Row
        return connection

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._readers.get_nowait()
        except queue.Empty:
            connection = self._open()
            connection.execute("PRAGMA query_only = ON")
            return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._readers.qsize() < _READERS_KEPT:
            self._readers.put(connection)
        else:
            connection.close()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(list(value)) if isinstance(value, list | tuple | set | frozenset | dict) else value
        for name, value in values.items()
    }


def _code(error: BaseException) -> int:
    """SQLite's own number of what went wrong, without its finer kinds; 0 where it is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _make_ready(connection: sqlite3.Connection) -> None:
    """The form of the file. Of processes that make a new one at once, SQLite sends all but one away, and lets none wait."""
    for attempt in Retrying(
        retry=retry_if_exception(lambda error: _code(error) == sqlite3.SQLITE_BUSY),
        wait=wait_random(0.001, 0.02),
        stop=stop_after_delay(_BUSY_MS / 1000),
        reraise=True,
    ):
        with attempt:
            if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:  # to say so writes, even what is there
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only heeded before the first table exists
            connection.execute("PRAGMA journal_mode = WAL")
