"""SQLite copy: the tables of a file as they were at one moment, and new files that are put in the place of old ones."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path

from hub.errors import HubError
from hub.store import migrations
from hub.store.moment import Column, Kind, Table, Values
from hub.store.session import Session
from hub.store.sqlite import SqliteSession, SqliteStore

_KINDS: Mapping[str, Kind] = {"TEXT": "text", "BIGINT": "integer", "INTEGER": "integer", "BLOB": "bytes"}
_ROWS_A_TRANSACTION = 20_000


class SqliteMoment:
    """The file at the moment at which this was made. The connection is in a transaction."""

    def __init__(self, connection: sqlite3.Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # the moment is that of the first read
        self.session: Session = SqliteSession(connection)

    def steps(self) -> list[str]:
        return [row["name"] for row in self._connection.execute("SELECT name FROM migration ORDER BY name")]

    def tables(self) -> list[Table]:
        return [table for name in sorted(migrations.tables(self._schema)) if (table := self._table(name)).columns]

    def rows(self, table: Table) -> Iterator[Values]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        asked = f"SELECT {table.names} FROM {table.name} ORDER BY {', '.join(table.key)}"  # noqa: S608 - names of the schema
        return cursor.execute(asked)

    def last_numbers(self) -> dict[str, int]:
        known = {table.name for table in self.tables()}
        rows = self._connection.execute("SELECT name, seq FROM sqlite_sequence ORDER BY name")
        return {row["name"]: row["seq"] for row in rows if row["name"] in known}

    def _table(self, name: str) -> Table:
        found = self._connection.execute(f"PRAGMA table_info({name})").fetchall()
        columns = tuple(Column(row["name"], _KINDS[row["type"]]) for row in found)
        key = sorted((row for row in found if row["pk"]), key=lambda row: int(row["pk"]))
        return Table(name, columns, tuple(row["name"] for row in key))


def moment(path: Path, schema: str) -> tuple[sqlite3.Connection, SqliteMoment]:
    """The file as it is now, on a connection that the caller closes."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection, SqliteMoment(connection, schema)


class SqliteRefill:
    """New files in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stores: dict[str, SqliteStore] = {}

    def prepare(self, schema: str, steps: Collection[str]) -> None:
        self._stores[schema] = SqliteStore(self._folder / f"{schema}.db", schema)
        self._stores[schema].migrate(only=steps)

    def fill(self, schema: str, table: Table, rows: Iterable[Values]) -> None:
        places = ", ".join("?" for _ in table.columns)
        statement = f"INSERT INTO {table.name} ({table.names}) VALUES ({places})"  # noqa: S608 - names of the schema
        left = iter(rows)
        while part := list(islice(left, _ROWS_A_TRANSACTION)):
            with self._stores[schema].write() as session:
                session.connection.executemany(statement, part)

    def finish(self, schema: str, last_numbers: Mapping[str, int]) -> list[str]:
        store = self._stores[schema]
        with store.write() as session:
            for table, number in last_numbers.items():
                session.connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
                session.connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))
        return store.migrate()

    def write(self, schema: str) -> AbstractContextManager[Session]:
        return self._stores[schema].write()

    def read(self, schema: str) -> AbstractContextManager[Session]:
        return self._stores[schema].read()

    def close(self) -> None:
        """Everything into the files themselves, and onto the disk."""
        for store in self._stores.values():
            store.checkpoint()
            store.close()


@contextmanager
def refilled(folder: Path, making: Path, aside: Path | None) -> Iterator[SqliteRefill]:
    """New files for a data folder; they take the place of the old ones when the block ends without an error.

    making: where they are made; while it is there, nobody may open the data folder. aside: where the old ones go; None when
    they hold nothing and can be deleted. HubError when another process has one of them open.
    """
    old = [path for path in (folder / "hub.db", folder / "inbox.db") if path.exists()]
    with ExitStack() as alone:
        for path in old:
            alone.enter_context(_alone_with(path))
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        refill = SqliteRefill(making)
        try:
            yield refill
            refill.close()
        except BaseException as error:
            with suppress(sqlite3.Error):
                refill.close()
            shutil.rmtree(making, ignore_errors=True)
            if isinstance(error, sqlite3.OperationalError):
                raise HubError(f"the copy could not be written into {folder}: {error}; nothing was changed") from error
            raise
        if aside is not None:
            aside.mkdir(mode=0o700)
        for path in old:
            path.rename(aside / path.name) if aside is not None else path.unlink()
        for path in (making / "hub.db", making / "inbox.db"):
            path.rename(folder / path.name)
        _sync(folder)
        making.rmdir()
        _sync(folder)


@contextmanager
def _alone_with(path: Path) -> Iterator[None]:
    """Hold a file so that no other process can open it. Its log is in the file then, and nothing but the file is left."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        try:
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()  # refused while anybody else has it open
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise HubError(f"{path} is in use ({error}); stop `hub run`, `hub web` and whatever else has it open") from error
        yield
    finally:
        connection.close()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
