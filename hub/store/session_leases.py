"""Session leases: leases between processes on one PostgreSQL database, as advisory locks of one connection.

The server gives them free the moment that the connection ends. If it is cut while a lease is held, somebody else may have the
lease too: what is done under a lease must bear that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from hub.errors import CallFailed
from hub.store.connections import Connection, connect
from hub.store.leases import ProcessLeases

_KEY = "hashtextextended(current_schema() || ':loyalty-hub:lease:' || $1::text, 0)"
_TRY = f"SELECT pg_try_advisory_lock({_KEY}) AS taken"
_FREE = f"SELECT pg_advisory_unlock({_KEY})"
_LOOK_SECONDS = 0.05
_WAIT_SECONDS = 120.0


class SessionLeases:
    """Leases among all processes on a database; the threads of this one wait for one another first."""

    def __init__(self, url: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._sleep = sleep
        self._here = ProcessLeases()
        self._speaking = threading.Lock()
        self._connection: Connection | None = None

    @contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """Held while the block lasts. CallFailed(passing) when another process keeps it for longer than a call can take."""
        with self._here.lease(name):
            waited = 0.0
            while not self._ask(_TRY, name):
                if waited >= _WAIT_SECONDS:
                    raise CallFailed(f"another process has been at {name} for {waited:g} seconds", "passing")
                self._sleep(_LOOK_SECONDS)
                waited += _LOOK_SECONDS
            try:
                yield
            finally:
                with suppress(psycopg.Error):  # a connection that was cut has given it free already
                    self._ask(_FREE, name)

    def close(self) -> None:
        """Give everything back."""
        with self._speaking:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _ask(self, statement: str, name: str) -> bool:
        with self._speaking:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._url)
            row = self._connection.execute(statement.encode(), [name]).fetchone()
            return bool(row and row.get("taken"))
