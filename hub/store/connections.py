"""Connections: to a PostgreSQL server, lent to one transaction at a time.

psycopg_pool would do, but for the day on which the server is away: it waits ever longer before it looks again, for as long as
the server was gone, and tells whoever asks for a connection that there was none, but not why. Here a connection is made when
one is needed: everything goes on with the first one that the server gives, and until then its own words reach the log.
"""

from __future__ import annotations

import selectors
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8Dumper

from hub.store.session import OutOfReach
from hub.store.sets import Array, ArrayDumper

Connection = psycopg.Connection[dict[str, Any]]

_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)  # Windows has no poll
_PREPARED_MOST = 500
_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "cursor_factory": psycopg.RawCursor,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "connect_timeout": 10,
}
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_ALIVE = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
"""How soon the server notices that a machine has vanished, and gives its locks free: within half a minute, not two hours."""
_PLANS = "SET plan_cache_mode = force_custom_plan; SET jit = off"
"""A plan that is kept was made when the tables were empty. No question of the hub is worth compiling code for."""


class _Integer(Int8Dumper):
    """Every integer is a BIGINT, whatever its size, so that a statement is prepared once."""


class _WholeNumber(Loader):
    """A sum of BIGINTs is NUMERIC here; no column holds a fraction, so it is an integer like SQLite's."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def connect(url: str) -> Connection:
    """A connection for one purpose. psycopg.OperationalError when there is none to be had."""
    connection: Connection = psycopg.connect(url, **_OPTIONS)
    connection.prepare_threshold, connection.prepared_max = 0, _PREPARED_MOST
    connection.adapters.register_dumper(int, _Integer)
    connection.adapters.register_dumper(Array, ArrayDumper)
    connection.adapters.register_loader("numeric", _WholeNumber)
    connection.execute(f"{_ALIVE}; {_PLANS}; {_DURABLE}".encode(), prepare=False)
    return connection


def is_cut(connection: Connection) -> bool:
    """Whether the server has closed it. It is asked only when it has said something, which it does to say good-bye."""
    try:
        with _Selector() as heard:
            heard.register(connection.fileno(), selectors.EVENT_READ)
            if heard.select(0):
                connection.execute("SELECT 1", prepare=False)
    except (psycopg.Error, OSError):
        return True
    return False


class Connections:
    """The connections of one process, at most so many at once. For any number of threads."""

    def __init__(self, url: str, most: int, wait_seconds: float) -> None:
        self._url = url
        self._wait_seconds = wait_seconds
        self._turns = threading.BoundedSemaphore(most)
        self._resting: list[Connection] = []
        self._is_closed = False

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """A connection that works; a transaction that the block leaves open is undone.

        psycopg.OperationalError when the server gives none, OutOfReach when all are lent for too long.
        """
        if not self._turns.acquire(timeout=self._wait_seconds):
            raise OutOfReach(f"all connections to the database have been in use for {self._wait_seconds:g} seconds")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._turns.release()

    def close(self) -> None:
        """Close those that rest now, and the others when they are given back."""
        self._is_closed = True
        while self._resting:
            self._resting.pop().close()

    def _take(self) -> Connection:
        with suppress(IndexError):
            while True:
                connection = self._resting.pop()
                if not is_cut(connection):
                    return connection
                connection.close()
        return connect(self._url)

    def _give_back(self, connection: Connection) -> None:
        if connection.info.transaction_status is not pq.TransactionStatus.IDLE:
            with suppress(psycopg.Error):  # a connection that was lost has undone it already
                connection.execute("ROLLBACK", prepare=False)
        if connection.info.transaction_status is pq.TransactionStatus.IDLE and not self._is_closed:
            self._resting.append(connection)
        else:
            connection.close()
