"""Database: where a workspace keeps everything, on either engine: its two stores, the worker's lock, and how it is woken."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from hub.errors import HubError
from hub.store.lock import FolderLock, Lock
from hub.store.session import Store
from hub.store.sqlite import SqliteStore
from hub.store.wake import Bell, SocketBell, SocketWaker, Waker

SCHEMAS = ("inbox", "hub")
"""The two sets of tables: what reached the hub, and what it made of that."""


class Database(Protocol):
    """A place that holds both schemas. shown: what people call it, without a password."""

    shown: str
    lock: Lock

    def open(self, schema: str) -> Store:
        """The tables of a schema, brought up to date."""
        ...

    def find(self, schema: str) -> Store | None:
        """The tables of a schema as they are; None when there are none yet."""
        ...

    def waker(self) -> Waker:
        """What wakes the worker."""
        ...

    def bell(self) -> Bell:
        """What the worker hears; for the one who has the lock."""
        ...


class Folder:
    """A data folder with two SQLite files: `inbox.db` and `hub.db`."""

    def __init__(self, folder: Path) -> None:
        self.shown = str(folder)
        self.lock: Lock = FolderLock(folder / "worker.lock")
        self._folder = folder

    def open(self, schema: str) -> Store:
        self._folder.mkdir(parents=True, exist_ok=True)
        store = SqliteStore(self._file(schema), schema)
        store.migrate()
        return store

    def find(self, schema: str) -> Store | None:
        return SqliteStore(self._file(schema), schema) if self._file(schema).exists() else None

    def waker(self) -> Waker:
        return SocketWaker(self._folder)

    def bell(self) -> Bell:
        return SocketBell(self._folder)

    def _file(self, schema: str) -> Path:
        return self._folder / f"{schema}.db"


def at(url: str, folder: Path) -> Database:
    """The database of an address: `postgresql://…`, or else SQLite files in `folder`."""
    if not url.startswith(("postgresql://", "postgres://")):
        return Folder(folder)
    try:
        from hub.store.server import Server  # noqa: PLC0415 - its libraries are an extra
    except ImportError as error:
        raise HubError("PostgreSQL needs psycopg: install `loyalty-hub[postgres]`") from error
    return Server(url)
