"""Turns: how processes on one PostgreSQL database take turns and wake one another.

Both keep a connection of their own. The lock is the session's: the server gives it free the moment that the connection ends.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psycopg
from psycopg import sql

from hub import log
from hub.errors import HubError
from hub.store import migrations
from hub.store.connections import Connection, connect, is_cut
from hub.store.lock import LockLost

_LOG = log.get(__name__)
_CHANNEL = "current_schema() || ':loyalty-hub'"
_TRY = f"SELECT pg_try_advisory_lock({migrations.advisory_lock('worker')}) AS taken"
_NOTIFY = f"SELECT pg_notify({_CHANNEL}, '')"
_RETRY_SECONDS = 1.0


class SessionLock:
    """An advisory lock: one owner among all processes on all machines. For the worker's thread alone."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def try_acquire(self) -> bool:
        if self._connection is not None:
            return True
        connection = connect(self._url)
        row = connection.execute(_TRY.encode()).fetchone()
        if row is None or not row["taken"]:
            connection.close()
            return False
        self._connection = connection
        return True

    def acquire(self) -> None:
        if not self.try_acquire():
            raise HubError("another worker serves this database; one is enough, and only one may write to it")

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def check(self) -> None:
        """Take the lock again when its connection was cut. LockLost when another worker was faster."""
        if self._connection is None or not is_cut(self._connection):
            return
        self.release()
        if not self.try_acquire():
            raise LockLost("the connection that held the worker's lock was cut, and another worker has taken over")
        _LOG.warning("the connection that held the worker's lock was cut; it has been taken again")


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
