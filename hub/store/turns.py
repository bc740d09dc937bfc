"""Turns: how processes on one PostgreSQL database take turns and wake one another.

Each keeps a connection of its own. A place is the session's: the server gives it free the moment that the connection ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from contextlib import suppress

import psycopg
from psycopg import sql

from hub import log
from hub.store import migrations
from hub.store.connections import Connection, connect, is_cut
from hub.store.lock import WORKER

_LOG = log.get(__name__)
_CHANNEL = "current_schema() || ':loyalty-hub'"
_PLACE = migrations.advisory_key("'place:' || name")
_TRY = f"SELECT name FROM unnest($1::text[]) AS name WHERE pg_try_advisory_lock({_PLACE})".encode()  # noqa: S608 - the hub's own words
_NOTIFY = f"SELECT pg_notify({_CHANNEL}, '')"
_RETRY_SECONDS = 1.0


class SessionPlaces:
    """Advisory locks of one session, each with one owner among all processes on all machines. Any number of workers may join.

    A session that was cut has lost everything; that is noticed at the next `take`, which takes again what is still free.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._held: set[str] = set()

    def join(self) -> bool:
        self.take([WORKER])  # or another has it
        return True

    def join_if_idle(self) -> bool:
        self.take([WORKER])
        if not self._held:
            self.leave()
        return WORKER in self._held

    def take(self, names: Collection[str]) -> Collection[str]:
        if self._connection is not None and is_cut(self._connection):
            _LOG.warning("the connection that held this worker's places was cut", places=sorted(self._held))
            self.leave()
        wanted = [name for name in names if name not in self._held]
        if not wanted:
            return ()
        try:
            fresh = self._try(wanted)
        except psycopg.Error as error:
            _LOG.warning("this worker's places cannot be taken now", reason=str(error).strip())
            self.leave()
            return ()
        self._held.update(fresh)
        return fresh

    @property
    def held(self) -> Collection[str]:
        return self._held

    def leave(self) -> None:
        self._held.clear()
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.execute("SELECT pg_advisory_unlock_all()")  # the server may notice a closed connection later
            self._connection.close()
            self._connection = None

    def _try(self, names: list[str]) -> set[str]:
        if self._connection is None:
            self._connection = connect(self._url)
        return {row["name"] for row in self._connection.execute(_TRY, [names]).fetchall()}


class NotifyWaker:
    """Rings the bell of the worker on this database. A thread of its own sends, and many rings may be sent as one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._rung = threading.Event()
        self._closing = False
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        self._rung.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None and not self._closing:
                    self._thread = threading.Thread(target=self._send, name="waker", daemon=True)
                    self._thread.start()

    def close(self) -> None:
        with self._starting:
            self._closing = True
        self._rung.set()
        if self._thread is not None:
            self._thread.join()

    def _send(self) -> None:
        connection: Connection | None = None
        while not self._closing:
            self._rung.wait()
            self._rung.clear()
            try:
                if connection is None:
                    connection = connect(self._url)
                    connection.execute("SET synchronous_commit = off")  # a ring is a hint: it need not reach the disk
                connection.execute(_NOTIFY.encode())
            except psycopg.Error:  # the worker finds its work on its timer; the next ring tries again
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()


class ListenBell:
    """What the worker on this database listens to."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def wait(self, seconds: float) -> bool:
        try:
            if self._connection is None:
                self._connection = self._listen()
                return True  # what was rung before could not be heard
            return any(True for _ in self._connection.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error:
            self.close()
            time.sleep(min(seconds, _RETRY_SECONDS))
            return False

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _listen(self) -> Connection:
        connection = connect(self._url)
        row = connection.execute(f"SELECT {_CHANNEL} AS channel".encode()).fetchone()
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(row["channel"] if row else "")))
        return connection
