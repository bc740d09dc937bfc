"""Server: both schemas in one PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hub.errors import HubError
from hub.store import migrations, postgres_copy
from hub.store.connections import connect
from hub.store.leases import Leases
from hub.store.lock import Places
from hub.store.moment import Moment, Refill
from hub.store.postgres import PostgresStore
from hub.store.session import Store
from hub.store.session_leases import SessionLeases
from hub.store.turns import ListenBell, NotifyWaker, SessionPlaces
from hub.store.wake import Bell, Waker


class Server:
    """A PostgreSQL database, for any number of workers."""

    def __init__(self, url: str) -> None:
        parts = conninfo_to_dict(url)
        self.shown = f"the database {parts.get('dbname', '')} on {parts.get('host', 'this machine')}"
        self._url = url
        self.places: Places = SessionPlaces(url)

    def open(self, schema: str) -> Store:
        store = self._store(schema)
        store.migrate()
        return store

    def find(self, schema: str) -> Store | None:
        store = self._store(schema)
        if len(store.missing_steps()) < len(migrations.steps(schema)):
            return store
        store.close()
        return None

    def waker(self) -> Waker:
        return NotifyWaker(self._url)

    def bell(self) -> Bell:
        return ListenBell(self._url)

    def leases(self) -> Leases:
        return SessionLeases(self._url)

    @contextmanager
    def snapshot(self) -> Iterator[Mapping[str, Moment]]:
        with closing(connect(self._url)) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            with connection.transaction():
                moments = {schema: postgres_copy.PostgresMoment(connection, schema) for schema in ("hub", "inbox")}
                if not all(moment.tables() for moment in moments.values()):
                    raise HubError(f"there is nothing in {self.shown} yet")
                yield moments

    @contextmanager
    def refill(self, aside: str | None) -> Iterator[Refill]:
        with closing(connect(self._url)) as connection, postgres_copy.refilled(connection, aside) as refill:
            yield refill

    def _store(self, schema: str) -> PostgresStore:
        return PostgresStore(self._url, schema)
