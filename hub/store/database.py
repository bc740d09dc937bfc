"""Database: where a workspace keeps everything, on either engine: its two stores, the workers' places, and how it is woken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from hub.errors import HubError
from hub.store import sqlite_copy
from hub.store.leases import Leases, ProcessLeases
from hub.store.lock import FolderPlaces, Places
from hub.store.moment import Moment, Refill
from hub.store.session import Store
from hub.store.sqlite import SqliteStore
from hub.store.wake import Bell, SocketBell, SocketWaker, Waker

SCHEMAS = ("inbox", "hub")
"""The two sets of tables: what reached the hub, and what it made of that."""
_CACHE_KILOBYTES = {"inbox": 2_000, "hub": 48_000}


class Database(Protocol):
    """A place that holds both schemas. shown: what people call it, without a password."""

    shown: str
    places: Places

    def open(self, schema: str) -> Store:
        """The tables of a schema, brought up to date."""
        ...

    def find(self, schema: str) -> Store | None:
        """The tables of a schema as they are; None when there are none yet."""
        ...

    def waker(self) -> Waker:
        """What wakes the workers."""
        ...

    def bell(self) -> Bell:
        """What a worker hears; for one who has joined."""
        ...

    def leases(self) -> Leases:
        """What one caller does at a time, among all processes that may write."""
        ...

    def snapshot(self) -> AbstractContextManager[Mapping[str, Moment]]:
        """Both schemas as they are now, while others go on: `hub` as it was then or a little before `inbox`, never after.

        So every delivery that `hub` has worked is in `inbox`; what `inbox` has more of is worked by whoever gets the copy.
        HubError when there is nothing yet.
        """
        ...

    def refill(self, aside: str | None) -> AbstractContextManager[Refill]:
        """New tables, which take the place of the old ones when the block ends without an error.

        aside: a name under which the old ones are kept; None when they hold nothing. For the one who has the worker's place.
        HubError when others do not let go of what is there.
        """
        ...


class Folder:
    """A data folder with two SQLite files: `inbox.db` and `hub.db`."""

    def __init__(self, folder: Path) -> None:
        self.shown = str(folder)
        self.places: Places = FolderPlaces(folder / "worker.lock")
        self._folder = folder

    def open(self, schema: str) -> Store:
        if self._making.exists():
            raise HubError(f"a restore into {self._folder} is going on, or was cut off; run `hub db restore` again if it was")
        self._folder.mkdir(parents=True, exist_ok=True)
        store = SqliteStore(self._file(schema), schema, cache_kilobytes=_CACHE_KILOBYTES[schema])
        store.migrate()
        return store

    def find(self, schema: str) -> Store | None:
        return SqliteStore(self._file(schema), schema) if self._file(schema).exists() else None

    def waker(self) -> Waker:
        return SocketWaker(self._folder)

    def bell(self) -> Bell:
        return SocketBell(self._folder)

    def leases(self) -> Leases:
        return ProcessLeases()

    @contextmanager
    def snapshot(self) -> Iterator[Mapping[str, Moment]]:
        moments: dict[str, Moment] = {}
        with ExitStack() as opened:
            for schema in ("hub", "inbox"):  # in this order: what the worker has read is in the inbox by then
                if not self._file(schema).exists():
                    raise HubError(f"there is nothing in {self._folder} yet")
                connection, moments[schema] = sqlite_copy.moment(self._file(schema), schema)
                opened.callback(connection.close)
            yield moments

    @contextmanager
    def refill(self, aside: str | None) -> Iterator[Refill]:
        with sqlite_copy.refilled(self._folder, self._making, self._folder / aside if aside is not None else None) as refill:
            yield refill

    @property
    def _making(self) -> Path:
        return self._folder / "restoring"

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
